"""The numbers of the front page, each only for whom its page is permitted."""

from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Any

from sqlalchemy import ColumnElement, func, select
from sqlmodel import Session, col

from crm.domain.customers import Customer, CustomerState
from crm.domain.expiry import upcoming
from crm.domain.staff import ConsultantQuota
from crm.i18n import Says, says
from crm.rbac import Actor
from crm.services import notices
from crm.services.holding import PAYMENT_SINCE
from crm.services.scopes import EXPIRES_AT, HELD, LIVE, allowed
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
class Mine:
    """The actor's own customers. `room` is how many more there may be, None without a quota.

    `overdue`: time has run out, the next 02:00 takes them. `today` and `soon` (today included): it runs out
    today, or within three days, on the school's calendar.
    """

    held: int
    overdue: int
    today: int
    soon: int
    room: int | None


@dataclass(frozen=True, slots=True)
class School:
    """What a manager keeps an eye on. `tonight`: how many the next 02:00 takes unless somebody acts."""

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


def numbers(session: Session, actor: Actor, now: datetime) -> Numbers:
    """The numbers as they stand. Fast at any size: of the school nothing is counted beyond 10,000."""
    actor.require("home.view")
    own = actor.may("my-customers.view") and actor.owner_id is not None
    return Numbers(
        mine=_mine(session, actor, now) if own else None,
        pool=_count(session, allowed(actor, "pool.view")) if actor.may("pool.view") else None,
        school=_school(session, actor, now) if actor.may("customers.view") else None,
        unread=notices.unread(session, actor),
    )


def _mine(session: Session, actor: Actor, now: datetime) -> Mine:
    overdue = now >= EXPIRES_AT
    row: Any = session.execute(
        select(
            func.count(),
            _how_many(overdue),
            _how_many(~overdue & (_midnight(now, 1) > EXPIRES_AT)),
            _how_many(~overdue & (_midnight(now, SOON_DAYS + 1) > EXPIRES_AT)),
        )
        .select_from(Customer)
        .where(LIVE, HELD, col(Customer.consultant_id) == actor.owner_id)
    ).one()
    held, late, today, soon = row
    cap = session.scalar(
        select(col(ConsultantQuota.max_customers)).where(col(ConsultantQuota.employee_id) == actor.owner_id)
    )
    return Mine(held, late, today, soon, None if cap is None else max(0, cap - held))


def _school(session: Session, actor: Actor, now: datetime) -> School:
    visible = allowed(actor, "customers.view")
    run = upcoming(now, settings().zone, settings().rules.expire_at)
    due = (col(Customer.follow_up_due_at) <= run) | (col(Customer.deal_due_at) <= run)
    return School(
        waiting=_count(session, visible & (col(Customer.state) == CustomerState.WAITING)),
        held=_count(session, visible & HELD),
        tonight=_count(session, visible & due & (run >= EXPIRES_AT) & PAYMENT_SINCE.is_(None)),
    )


def _count(session: Session, condition: ColumnElement[bool]) -> Count:
    some = select(col(Customer.id)).where(condition).limit(MOST + 1).subquery()
    found = session.scalar(select(func.count()).select_from(some)) or 0
    return Count(min(found, MOST), found > MOST)


def _how_many(condition: ColumnElement[bool]) -> ColumnElement[int]:
    return func.count().filter(condition)


def _midnight(now: datetime, days: int) -> datetime:
    """The beginning of the school day so many days from today."""
    zone = settings().zone
    return datetime.combine(now.astimezone(zone).date() + timedelta(days=days), time(), tzinfo=zone)
