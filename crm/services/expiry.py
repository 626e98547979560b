"""The 02:00 rule at work: lapsed customers go to the pool, in small transactions that keep nobody waiting."""

import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, or_, select
from sqlalchemy.orm import Session
from sqlmodel import Session as WriteSession
from sqlmodel import col

from crm.domain.customers import Customer
from crm.domain.deadlines import Deadlines
from crm.domain.episodes import Outcome
from crm.domain.expiry import Held, Lapses, PassedOver, scheduled, verdict
from crm.domain.staff import Employee
from crm.i18n import Says, says, says_n
from crm.rbac import Actor
from crm.services.holding import PAYMENT_SINCE, to_pool
from crm.services.notices import Notice, tell_each
from crm.services.scopes import LIVE
from crm.settings import settings
from crm.store.session import reading

CHUNK = 2_000
PAUSE = 0.02

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


@dataclass(frozen=True, slots=True)
class _Lapsed:
    customer_id: int
    consultant_id: int
    outcome: Outcome


def expire(
    open_transaction: Opens,
    actor: Actor,
    *,
    now: datetime,
    dry_run: bool = False,
    chunk: int = CHUNK,
    pause: float = PAUSE,
    open_reading: Opens = reading,
) -> Expired:
    """Apply the rule for the last 02:00 school time at or before `now`.

    It opens its own transactions, `chunk` customers each with `pause` seconds between them, so that no
    other writer waits long. Each leaves everything in order: customer public, episode closed at that
    02:00, consultant told. Stopped halfway, the next run goes on; run again, it changes nothing.

    Late or not, the result is the same: what lapsed at that 02:00 cannot be kept by what came after it
    (`holding.lapsed` is what follow-ups, extensions and releases ask).
    """
    actor.require("jobs.run")
    run = scheduled(now, settings().zone, settings().rules.expire_at)
    with open_reading() as session:
        due, kept = _judged(session, run)
    counts = Counter(each.outcome for each in due)
    if not dry_run:
        counts = Counter()
        for number, part in enumerate(_chunks(due, chunk)):
            if number:
                time.sleep(pause)
            with open_transaction() as session:
                counts += _send_to_pool(session, part, run, now)
    return Expired(run, counts[Outcome.NO_FOLLOW_UP], counts[Outcome.NO_DEAL], tuple(kept))


def _due(run: datetime) -> ColumnElement[bool]:
    return or_(col(Customer.follow_up_due_at) <= run, col(Customer.deal_due_at) <= run)


def _judged(session: Session, run: datetime) -> tuple[list[_Lapsed], list[Kept]]:
    """Everyone with a passed deadline, judged by the rule; those to go sorted by consultant."""
    found: Iterable[Any] = session.execute(
        select(
            col(Customer.id),
            col(Customer.consultant_id),
            col(Customer.follow_up_due_at),
            col(Customer.deal_due_at),
            col(Customer.extended_until),
            PAYMENT_SINCE,
        ).where(_due(run), LIVE)
    )
    due, kept = [], []
    for customer, consultant, follow_up_due_at, deal_due_at, extended_until, payment_since in found:
        judged = verdict(Held(Deadlines(follow_up_due_at, deal_due_at), extended_until, payment_since), run)
        if isinstance(judged, Lapses):
            due.append(_Lapsed(customer, consultant, judged.outcome))
        elif isinstance(judged, PassedOver):
            kept.append(Kept(customer, judged.reason))
    due.sort(key=lambda each: (each.consultant_id, each.customer_id))
    return due, kept


def _chunks(due: Sequence[_Lapsed], size: int) -> Iterator[list[_Lapsed]]:
    """Parts of at most `size`; one consultant's customers stay together where they fit, for one notice."""
    by_consultant: dict[int, list[_Lapsed]] = defaultdict(list)
    for each in due:
        by_consultant[each.consultant_id].append(each)
    part: list[_Lapsed] = []
    for theirs in by_consultant.values():
        if part and len(part) + len(theirs) > size:
            yield part
            part = []
        for start in range(0, len(theirs), size):
            if part and start:
                yield part
                part = []
            part = part + theirs[start : start + size]
    if part:
        yield part


def _send_to_pool(session: WriteSession, part: Iterable[_Lapsed], run: datetime, now: datetime) -> Counter[Outcome]:
    losses: dict[int, Counter[Outcome]] = defaultdict(Counter)
    by_outcome: dict[Outcome, list[int]] = defaultdict(list)
    for each in part:
        by_outcome[each.outcome].append(each.customer_id)
    for outcome, ids in by_outcome.items():
        # Asked again: since the list was read somebody may have been handed over, enrolled or deleted.
        for consultant in to_pool(session, ids, outcome, run, only=_due(run) & LIVE).values():
            losses[consultant][outcome] += 1
    _tell(session, losses, now)
    return sum(losses.values(), Counter())


def _tell(session: WriteSession, losses: dict[int, Counter[Outcome]], now: datetime) -> None:
    accounts = session.execute(
        select(col(Employee.id), col(Employee.account_id)).where(
            col(Employee.id).in_(list(losses)), col(Employee.account_id).is_not(None)
        )
    )
    tell_each(
        session,
        [
            Notice(
                account,
                says_n(
                    "{count} customer went to the public pool",
                    "{count} customers went to the public pool",
                    losses[consultant].total(),
                ),
                says(
                    "Without a follow-up in time: {no_follow_up}. Without a deal in time: {no_deal}.",
                    no_follow_up=losses[consultant][Outcome.NO_FOLLOW_UP],
                    no_deal=losses[consultant][Outcome.NO_DEAL],
                ),
                "/my-customers",
            )
            for consultant, account in accounts
        ],
        now,
    )
