"""The numbers of the front page, each only for whom its page is permitted."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, func, select
from sqlmodel import Session, col

from crm.domain.calendar import beginning_of, day_of
from crm.domain.customers import Customer, CustomerState
from crm.domain.expiry import scheduled, upcoming
from crm.domain.staff import ConsultantQuota
from crm.i18n import Says, says, says_n
from crm.rbac import Actor
from crm.services import home_school
from crm.services.customers.holding import PAYMENT_SINCE, lapses
from crm.services.customers.scopes import EXPIRES_AT, HELD, LIVE, allowed
from crm.services.home_school import Homework, Teaching
from crm.services.notices import notices
from crm.settings import settings

MOST = 10_000
SOON_DAYS = 3


@dataclass(frozen=True, slots=True)
class Count:
    """How many; with `more`, at least so many: beyond that nobody counts on."""

    number: int
    more: bool = False

    @property
    def says(self) -> Says:
        """For the screen."""
        return says("{number}+", number=self.number) if self.more else says("{number}", number=self.number)


@dataclass(frozen=True, slots=True)
class Tonight:
    """How many of the actor's customers the next run of the rule, at `at`, takes: by what still helps.

    `follow_up`: one before then. `extend`: the time for the deal runs out, so only a manager's extension.
    `lost`: nothing, since the last run should have taken them already and is late.
    """

    at: datetime
    follow_up: int = 0
    extend: int = 0
    lost: int = 0

    @property
    def number(self) -> int:
        """All of them."""
        return self.follow_up + self.extend + self.lost

    @property
    def says(self) -> tuple[Says, ...]:
        """A sentence for each that there are any of."""
        return tuple(sentence for count, sentence in self._sentences() if count)

    def _sentences(self) -> tuple[tuple[int, Says], ...]:
        return (
            (
                self.follow_up,
                says_n(
                    "{count} of your customers goes to the public pool at {at} unless you follow up before.",
                    "{count} of your customers go to the public pool at {at} unless you follow up before.",
                    count=self.follow_up,
                    at=self.at,
                ),
            ),
            (
                self.extend,
                says_n(
                    "{count} of your customers goes to the public pool at {at}, because the time for a deal ends. "
                    "A follow-up does not help any more; a manager can extend the time before.",
                    "{count} of your customers go to the public pool at {at}, because the time for a deal ends. "
                    "A follow-up does not help any more; a manager can extend the time before.",
                    count=self.extend,
                    at=self.at,
                ),
            ),
            (
                self.lost,
                says_n(
                    "The time for {count} of your customers ran out: it goes to the public pool with the next run.",
                    "The time for {count} of your customers ran out: they go to the public pool with the next run.",
                    count=self.lost,
                ),
            ),
        )


@dataclass(frozen=True, slots=True)
class Mine:
    """The actor's own customers. `room` is how many more there may be, None without a quota.

    `tonight`: the next run takes them unless somebody acts. `soon`, those included: their time has run out or does so
    within three days, on the school's calendar, and no payment stops it.
    """

    held: int
    tonight: Tonight
    soon: int
    room: int | None


@dataclass(frozen=True, slots=True)
class School:
    """What a manager keeps an eye on. `tonight`: how many the next run takes unless somebody acts."""

    waiting: Count
    held: Count
    tonight: Count


@dataclass(frozen=True, slots=True)
class Numbers:
    """What the front page shows. None: not for this person."""

    mine: Mine | None
    pool: Count | None
    school: School | None
    unread: int
    teaching: Teaching | None = None
    payments: int | None = None
    homework: Homework | None = None


def numbers(session: Session, actor: Actor, now: datetime) -> Numbers:
    """The numbers as they stand. Fast at any size: of the school nothing is counted beyond 10,000."""
    actor.require("home.view")
    own = actor.may("my-customers.view") and actor.owner_id is not None
    return Numbers(
        mine=_mine(session, actor, now) if own else None,
        pool=_count(session, allowed(actor, "pool.view")) if actor.may("pool.view") else None,
        school=_school(session, actor, now) if actor.may("customers.view") else None,
        unread=notices.unread(session, actor),
        teaching=home_school.teaching(session, actor, now),
        payments=home_school.payments(session, actor),
        homework=home_school.homework(session, actor, now),
    )


def _mine(session: Session, actor: Actor, now: datetime) -> Mine:
    run, last = _runs(now)
    taken, lost = _taken(run, last), lapses(last)
    soon_over = (_midnight(now, SOON_DAYS + 1) > EXPIRES_AT) & PAYMENT_SINCE.is_(None)
    row: Any = session.execute(
        select(
            func.count(),
            _how_many(taken & ~lost & (col(Customer.deal_due_at) > run)),
            _how_many(taken & ~lost & (col(Customer.deal_due_at) <= run)),
            _how_many(lost),
            _how_many(taken | soon_over),
        )
        .select_from(Customer)
        .where(LIVE, HELD, col(Customer.consultant_id) == actor.owner_id)
    ).one()
    held, follow_up, extend, too_late, soon = row
    cap = session.scalar(
        select(col(ConsultantQuota.max_customers)).where(col(ConsultantQuota.employee_id) == actor.owner_id)
    )
    room = None if cap is None else max(0, cap - held)
    return Mine(held, Tonight(run, follow_up, extend, too_late), soon, room)


def _school(session: Session, actor: Actor, now: datetime) -> School:
    visible = allowed(actor, "customers.view")
    return School(
        waiting=_count(session, visible & (col(Customer.state) == CustomerState.WAITING)),
        held=_count(session, visible & HELD),
        tonight=_count(session, visible & _taken(*_runs(now))),
    )


def _runs(now: datetime) -> tuple[datetime, datetime]:
    """The next run of the rule, and the last one that should have been."""
    zone, at = settings().zone, settings().rules.expire_at
    return upcoming(now, zone, at), scheduled(now, zone, at)


def _taken(run: datetime, last: datetime) -> ColumnElement[bool]:
    """`crm.domain.expiry.verdict` as a condition: whom the next run takes as things stand, or a late one still."""
    due = (col(Customer.follow_up_due_at) <= run) | (col(Customer.deal_due_at) <= run)
    return due & (run >= EXPIRES_AT) & (PAYMENT_SINCE.is_(None) | lapses(last))


def _count(session: Session, condition: ColumnElement[bool]) -> Count:
    some = select(col(Customer.id)).where(condition).limit(MOST + 1).subquery()
    found = session.scalar(select(func.count()).select_from(some)) or 0
    return Count(min(found, MOST), found > MOST)


def _how_many(condition: ColumnElement[bool]) -> ColumnElement[int]:
    return func.count().filter(condition)


def _midnight(now: datetime, days: int) -> datetime:
    """The beginning of the school day so many days from today."""
    zone = settings().zone
    return beginning_of(day_of(now, zone) + timedelta(days=days), zone)
