"""The 02:00 rule at work: lapsed customers go to the pool, in small transactions that keep nobody waiting."""

import time
from collections import Counter, deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, func, or_, select
from sqlalchemy.orm import Session
from sqlmodel import Session as WriteSession
from sqlmodel import col

from crm.domain.customers import Customer
from crm.domain.deadlines import Deadlines
from crm.domain.episodes import Assignment, Outcome
from crm.domain.expiry import Held, Lapses, PassedOver, scheduled, verdict
from crm.domain.payments import Payment, PaymentState
from crm.domain.records import Notification
from crm.domain.staff import Employee
from crm.i18n import Says, says, says_n
from crm.rbac import Actor
from crm.services.customers.episodes import to_pool
from crm.services.customers.holding import PAYMENT_SINCE, lapses
from crm.services.customers.scopes import LIVE
from crm.services.notices.notices import APP, tell_consultants
from crm.settings import settings
from crm.store.session import reading

CHUNK, SMALL_CHUNK = 2_000, 500
# How long one transaction may keep other writers waiting, in seconds, and how long they are let in afterwards, as a
# part of that. SQLite does not wake who waits: they ask again and again, after ever longer sleeps.
HOLD, PAUSE = 0.1, 0.5

Opens = Callable[[], AbstractContextManager[WriteSession]]


@dataclass(frozen=True, slots=True)
class Kept:
    """A customer whose deadline has passed and who stays all the same."""

    customer_id: int
    reason: Says


@dataclass(frozen=True, slots=True)
class Expired:
    """What one run did, or with `dry_run` would do. `run` is the 02:00 that it stands for."""

    run: datetime
    no_follow_up: int
    no_deal: int
    kept: tuple[Kept, ...]

    @property
    def skipped(self) -> int:
        """How many were passed over."""
        return len(self.kept)

    @property
    def says(self) -> Says:
        """In one line."""
        return account(self.no_follow_up, self.no_deal, self.skipped)


Losses = dict[int, Counter[Outcome]]
"""How many customers each consultant lost, by outcome."""


def account(no_follow_up: int, no_deal: int, skipped: int) -> Says:
    """What a run did, in one line."""
    return says(
        "No follow-up: {no_follow_up}. No deal: {no_deal}. Passed over: {skipped}.",
        no_follow_up=no_follow_up,
        no_deal=no_deal,
        skipped=skipped,
    )


def lost_notice(run: datetime, lost: Mapping[Outcome, int]) -> tuple[Says, Says]:
    """What a consultant is told who lost customers by that run: title and text. `_not_told` remembers by the text."""
    return says_n(
        "{count} customer went to the public pool", "{count} customers went to the public pool", sum(lost.values())
    ), says(
        "At {run}. Without a follow-up in time: {no_follow_up}. Without a deal in time: {no_deal}.",
        run=run,
        no_follow_up=lost.get(Outcome.NO_FOLLOW_UP, 0),
        no_deal=lost.get(Outcome.NO_DEAL, 0),
    )


def expire(
    open_transaction: Opens,
    actor: Actor,
    *,
    now: datetime,
    told_at: datetime | None = None,
    dry_run: bool = False,
    chunk: int = CHUNK,
    pause: float = PAUSE,
    open_reading: Opens = reading,
) -> Expired:
    """Apply the rule for the last 02:00 school time at or before `now`.

    It opens its own transactions, of `chunk` customers at most and of fewer where the database is slow, and rests
    `pause` times as long as each took, so that no other writer waits long. Each leaves everything in order: customer
    public, episode closed at that 02:00. The last one tells the consultants, once each, at `told_at` (`now`, unless the
    run is late and stands for an earlier moment). Stopped halfway, the next run goes on and tells all; run again, it
    changes nothing.

    Late or not, the result is the same: what lapsed at that 02:00 cannot be kept by what came after it
    (`holding.lapsed` is what follow-ups, extensions and releases ask).
    """
    actor.require("jobs.run")
    run = scheduled(now, settings().zone, settings().rules.expire_at)
    with open_reading() as session:
        due, kept = _judged(session, run)
        losses = {} if dry_run else _not_told(session, run)
    counts = Counter(due.values()) if dry_run else Counter()
    if not dry_run:
        # In the order of the table: rows that lie together are written together.
        waiting, size = deque(sorted(due)), min(SMALL_CHUNK, chunk)
        while waiting or losses:
            part = [waiting.popleft() for _ in range(min(size, len(waiting)))]
            with open_transaction() as session:
                began = time.perf_counter()
                counts += _send_to_pool(session, part, run, losses)
                if not waiting:
                    _tell(session, losses, run, told_at or now)
            # To write it down for good is part of what others wait for, and may be most of it.
            took = time.perf_counter() - began
            if not waiting:
                break
            size = _next_size(len(part), took, chunk)
            time.sleep(pause * took)
    return Expired(run, counts[Outcome.NO_FOLLOW_UP], counts[Outcome.NO_DEAL], tuple(kept))


def _next_size(size: int, took: float, most: int) -> int:
    """How many customers the next transaction takes, after one of `size` that took so many seconds."""
    return min(most, max(SMALL_CHUNK, min(2 * size, int(size * HOLD / took))))


_NO_DEAL: ColumnElement[bool] = col(Customer.deal_due_at) <= col(Customer.follow_up_due_at)
_AS = {Outcome.NO_DEAL: _NO_DEAL, Outcome.NO_FOLLOW_UP: ~_NO_DEAL}
"""The outcome that the deadlines as they stand give."""


def _due(run: datetime) -> ColumnElement[bool]:
    return or_(col(Customer.follow_up_due_at) <= run, col(Customer.deal_due_at) <= run)


def _judged(session: Session, run: datetime) -> tuple[dict[int, Outcome], list[Kept]]:
    """Everyone with a passed deadline, judged by the rule: who goes and as what, and who stays."""
    # Few have an extension or a payment: those few are read apart, which spares most of the work.
    paying = select(col(Payment.customer_id)).where(col(Payment.state) == PaymentState.PENDING)
    special: Iterable[Any] = session.execute(
        select(col(Customer.id), col(Customer.extended_until), PAYMENT_SINCE).where(
            _due(run), LIVE, or_(col(Customer.extended_until).is_not(None), col(Customer.id).in_(paying))
        )
    )
    keeping = {customer: (extended_until, payment_since) for customer, extended_until, payment_since in special}
    found: Iterable[Any] = session.execute(
        select(col(Customer.id), col(Customer.follow_up_due_at), col(Customer.deal_due_at)).where(_due(run), LIVE)
    )
    due: dict[int, Outcome] = {}
    kept = []
    for customer, follow_up_due_at, deal_due_at in found:
        extended_until, payment_since = keeping.get(customer, (None, None))
        judged = verdict(Held(Deadlines(follow_up_due_at, deal_due_at), extended_until, payment_since), run)
        if isinstance(judged, Lapses):
            due[customer] = judged.outcome
        elif isinstance(judged, PassedOver):
            kept.append(Kept(customer, judged.reason))
    return due, kept


def _send_to_pool(session: WriteSession, ids: Sequence[int], run: datetime, losses: Losses) -> Counter[Outcome]:
    """One part of the run, added to `losses`. Returns how many went, by outcome."""
    went: Counter[Outcome] = Counter()
    for outcome in (Outcome.NO_FOLLOW_UP, Outcome.NO_DEAL):
        # Asked again: since the list was read somebody may have been handed over, enrolled or deleted, and what
        # began before the run may only have been written now: a follow-up, an extension, a payment.
        lost = to_pool(session, ids, outcome, run, only=lapses(run) & LIVE & _AS[outcome])
        for consultant, count in Counter(lost.values()).items():
            losses.setdefault(consultant, Counter())[outcome] += count
        went[outcome] = len(lost)
        ids = [each for each in ids if each not in lost]
    return went


def _not_told(session: Session, run: datetime) -> Losses:
    """What an earlier, interrupted run for the same 02:00 took without telling: episodes less notices."""
    closed: Iterable[Any] = session.execute(
        select(col(Assignment.consultant_id), col(Assignment.outcome), func.count())
        .where(
            col(Assignment.closed_at) == run,
            col(Assignment.outcome).in_([Outcome.NO_FOLLOW_UP, Outcome.NO_DEAL]),
        )
        .group_by(col(Assignment.consultant_id), col(Assignment.outcome))
    )
    losses: Losses = {}
    for consultant, outcome, count in closed:
        losses.setdefault(consultant, Counter())[outcome] = count
    told: Iterable[Any] = session.execute(
        select(col(Employee.id), col(Notification.body))
        .join(Notification, col(Notification.account_id) == col(Employee.account_id))
        .where(
            col(Employee.id).in_(list(losses)), col(Notification.channel) == APP, col(Notification.created_at) >= run
        )
    )
    for consultant, body in told:
        values: dict[str, Any] = dict(Says.loaded(body).values)
        if values.get("run") == run:
            losses[consultant] -= Counter({each: values.get(each, 0) for each in Outcome})
    return {consultant: lost for consultant, lost in losses.items() if lost.total() > 0}


def _tell(session: WriteSession, losses: Losses, run: datetime, now: datetime) -> None:
    """One notice to each consultant who lost customers."""
    tell_consultants(session, {each: lost_notice(run, lost) for each, lost in losses.items()}, now)
