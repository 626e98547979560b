"""The 02:00 rule: which customers go to the pool, as what, and who is passed over."""

from dataclasses import dataclass
from datetime import datetime, time, timedelta, tzinfo

from crm.domain.calendar import day_of, moment_of
from crm.domain.deadlines import Deadlines
from crm.domain.episodes import Outcome
from crm.i18n import Says, says

EXPIRES_AT = time(2, 0)


def scheduled(now: datetime, zone: tzinfo, at: time = EXPIRES_AT) -> datetime:
    """The last 02:00 on the school's clock at or before `now`, in UTC.

    There is exactly one each calendar day: where the clocks jump over it, the moment they jump; where it
    comes twice, the first.
    """
    return max(moment for moment in _around(now, zone, at) if moment <= now)


def upcoming(now: datetime, zone: tzinfo, at: time = EXPIRES_AT) -> datetime:
    """The first 02:00 on the school's clock at or after `now`, in UTC: when what expires at `now` goes."""
    return min(moment for moment in _around(now, zone, at) if moment >= now)


def _around(now: datetime, zone: tzinfo, at: time) -> list[datetime]:
    today = day_of(now, zone)
    return [moment_of(today + timedelta(days=offset), at, zone) for offset in (-2, -1, 0, 1, 2)]


@dataclass(frozen=True, slots=True)
class Held:
    """What the rule asks of a customer with a consultant. Moments are aware.

    `payment_since` is when the oldest payment that still awaits confirmation was recorded.
    """

    deadlines: Deadlines
    extended_until: datetime | None = None
    payment_since: datetime | None = None


@dataclass(frozen=True, slots=True)
class Lapses:
    """The customer becomes public and its episode closes with this outcome."""

    outcome: Outcome


@dataclass(frozen=True, slots=True)
class PassedOver:
    """A deadline has passed, but the customer stays, and why."""

    reason: Says


@dataclass(frozen=True, slots=True)
class NotDue:
    """No deadline has passed."""


def verdict(held: Held, run: datetime) -> Lapses | PassedOver | NotDue:
    """What the run of that 02:00 does with one customer. A deadline at that very moment has passed.

    The earlier deadline names the outcome, and a tie is no deal. What happened after `run` changes nothing:
    a late run gives the result of an on-time run.
    """
    due = held.deadlines
    if min(due) > run:
        return NotDue()
    if held.payment_since is not None and held.payment_since <= run:
        return PassedOver(says("A payment awaits confirmation."))
    if held.extended_until is not None and held.extended_until > run:
        return PassedOver(says("A manager extended the time until {until}.", until=held.extended_until))
    return Lapses(Outcome.NO_DEAL if due.deal_due_at <= due.follow_up_due_at else Outcome.NO_FOLLOW_UP)
