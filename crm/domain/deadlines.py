"""One clock: the two deadlines of a customer that somebody holds, and how they are told.

A day is 24 hours, so that nobody gains or loses an hour when the clocks change.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from typing import NamedTuple, Protocol

from crm.domain.calendar import day_of


class RuleLengths(Protocol):
    """Whatever carries the lengths of the rule: the settings do."""

    @property
    def follow_up_days(self) -> int: ...

    @property
    def deal_days(self) -> int: ...


@dataclass(frozen=True, slots=True)
class Lengths:
    """How long a consultant has: to the next follow-up, and to the deal. Days of 24 hours."""

    follow_up_days: int
    deal_days: int

    @classmethod
    def of(cls, rules: RuleLengths) -> "Lengths":
        """The lengths that the settings name: `Lengths.of(settings().rules)`."""
        return cls(rules.follow_up_days, rules.deal_days)


class Deadlines(NamedTuple):
    """When a customer goes to the pool: without a further follow-up, and without a deal. Moments in UTC."""

    follow_up_due_at: datetime
    deal_due_at: datetime


def deadlines(opened_at: datetime, last_follow_up_at: datetime | None, lengths: Lengths) -> Deadlines:
    """The deadlines of an episode that began at `opened_at`, in UTC. Moments are aware.

    A follow-up from before the episode counts for nothing: the later of the two is what the days run from.
    """
    heard = opened_at if last_follow_up_at is None else max(opened_at, last_follow_up_at)
    return Deadlines(
        follow_up_due_at=heard.astimezone(UTC) + timedelta(days=lengths.follow_up_days),
        deal_due_at=opened_at.astimezone(UTC) + timedelta(days=lengths.deal_days),
    )


def expires_at(due: Deadlines, extended_until: datetime | None) -> datetime:
    """From when on the next 02:00 takes the customer: the earlier deadline, or a later extension."""
    earliest = min(due)
    return earliest if extended_until is None else max(earliest, extended_until)


def days_left(due_at: datetime, now: datetime, zone: tzinfo) -> int:
    """Days on the school's calendar until `due_at`: 0 today, negative once the day is past."""
    return (day_of(due_at, zone) - day_of(now, zone)).days
