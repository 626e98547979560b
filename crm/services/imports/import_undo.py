"""Earlier imports, and taking one back where nobody has worked with its customers yet."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import reduce
from typing import Any

from sqlalchemy import exists, func, select, update
from sqlalchemy.orm import aliased
from sqlmodel import Session, col
from sqlmodel import select as select_rows
from sqlmodel.sql.expression import SelectOfScalar

from crm.domain.customers import Customer, CustomerState
from crm.domain.deadlines import Deadlines
from crm.domain.episodes import Assignment, FollowUp, Outcome
from crm.domain.expiry import Held
from crm.domain.imports import ImportBatch
from crm.domain.payments import Payment
from crm.errors import NotFound, Refused, Told
from crm.i18n import Says, says, says_n
from crm.rbac import Actor
from crm.services.access import audit
from crm.services.customers.episodes import to_pool
from crm.services.customers.holding import TOO_LATE, has_lapsed, parts
from crm.services.customers.scopes import LIVE, by_account
from crm.services.imports.import_checked import UNDO, VIEW
from crm.services.notices.notices import tell_consultants

NAMED = 5
BATCHES = by_account(col(ImportBatch.id), col(ImportBatch.imported_by_id))
"""Imports by who made them."""


@dataclass(frozen=True, slots=True)
class Kept:
    """A customer that stays although its import was taken back, and why."""

    customer_id: int
    name: str
    says: Says


@dataclass(frozen=True, slots=True)
class Undone:
    """What taking an import back did."""

    batch: int
    taken_back: int
    kept: tuple[Kept, ...]


def batches(_session: Session, actor: Actor) -> SelectOfScalar[ImportBatch]:
    """The imports that the actor may see."""
    actor.require(VIEW)
    return select_rows(ImportBatch).where(BATCHES.where(actor, VIEW))


def undo_import(session: Session, actor: Actor, batch_id: int, now: datetime) -> Undone:
    """Take an import back: its untouched customers are deleted, their episodes closed, their consultants told.

    Untouched is a customer without a follow-up, payment or change, still with whom it came to first (or waiting),
    in time.
    The others stay, each with a reason. Raises `NotFound`, and `Refused` if it was taken back before or if
    nothing of it is untouched.
    """
    actor.require(UNDO)
    batch = session.exec(
        select_rows(ImportBatch).where(col(ImportBatch.id) == batch_id, BATCHES.where(actor, UNDO)).with_for_update()
    ).first()
    if batch is None:
        raise NotFound(
            says("There is no import {batch}, or it is not yours to take back.", batch=str(batch_id)), UNDO, batch_id
        )
    if batch.undone_at is not None:
        raise Refused(says("Import {batch} was taken back already, at {at}.", batch=str(batch_id), at=batch.undone_at))
    customers = _customers(session, batch_id)
    kept = _kept(session, batch_id, customers, now)
    stay = tuple(Kept(row.id, row.name, kept[row.id]) for row in customers if row.id in kept)
    gone = [row.id for row in customers if row.id not in kept]
    if not gone:
        raise Refused(_nothing_left(batch_id, stay))
    lost = _take_back(session, gone, now)
    batch.undone_at = now
    session.add(batch)
    _tell(session, lost, now)
    counts = {"taken_back": len(gone), "kept": len(kept)}
    audit.record(session, actor, UNDO, "import_batch", batch_id, None, counts, now)
    session.flush()
    return Undone(batch_id, len(gone), stay)


def undo_many(session: Session, actor: Actor, ids: Sequence[int], now: datetime) -> Mapping[int, Says | Told | None]:
    """Take imports back. Per id: None if the whole of it is gone, `Told` what stayed, or why nothing was done."""
    actor.require(UNDO)
    told: dict[int, Says | Told | None] = {}
    for each in ids:
        try:
            undone = undo_import(session, actor, each, now)
        except (NotFound, Refused) as error:
            told[each] = error.says
            continue
        told[each] = Told(_partly(undone)) if undone.kept else None
    return told


def _customers(session: Session, batch_id: int) -> Sequence[Any]:
    """The customers of an import, locked, with what tells whether somebody has worked with them."""
    episodes = (
        select(func.count())
        .where(col(Assignment.customer_id) == col(Customer.id))
        .correlate(Customer)
        .scalar_subquery()
    )
    asked = (
        select(
            col(Customer.id),
            col(Customer.name),
            col(Customer.state),
            col(Customer.version),
            col(Customer.follow_up_due_at),
            col(Customer.deal_due_at),
            col(Customer.extended_until),
            episodes.label("episodes"),
            exists().where(col(FollowUp.customer_id) == col(Customer.id)).label("followed_up"),
            exists().where(col(Payment.customer_id) == col(Customer.id)).label("paid"),
        )
        .where(col(Customer.import_batch_id) == batch_id, LIVE)
        .order_by(col(Customer.id))
        .with_for_update(of=Customer)
    )
    return session.execute(asked).all()


def _kept(session: Session, batch_id: int, customers: Sequence[Any], now: datetime) -> dict[int, Says]:
    """Who stays, and why. Whoever referred somebody that stays has to stay too."""
    kept = {row.id: why for row in customers if (why := _touched(row, now))}
    referrer = aliased(Customer)
    referred = session.execute(
        select(col(Customer.id), col(Customer.referred_by_id))
        .join(referrer, col(Customer.referred_by_id) == col(referrer.id))
        .where(col(referrer.import_batch_id) == batch_id, col(Customer.deleted_at).is_(None))
    ).all()
    candidates = {row.id for row in customers}
    while True:
        more = {
            by for each, by in referred if by in candidates - kept.keys() and (each not in candidates or each in kept)
        }
        if not more:
            return kept
        kept |= dict.fromkeys(more, says("Has referred somebody who stays."))


def _touched(row: Any, now: datetime) -> Says | None:
    if row.state == CustomerState.ENROLLED:
        return says("Has enrolled.")
    if row.paid:
        return says("Has a payment.")
    if row.followed_up:
        return says("Has been followed up.")
    if row.state == CustomerState.PUBLIC or row.episodes > 1:
        return says("Is no longer with the first consultant.")
    # Each start of an episode counts one version up, and so does each change by a person.
    if row.version != 1 + row.episodes:
        return says("Has been changed since.")
    return TOO_LATE if _too_late(row, now) else None


def _too_late(row: Any, now: datetime) -> bool:
    """Whether the rule has the customer by now. Whoever has a payment was kept before this is asked."""
    if row.follow_up_due_at is None or min(row.follow_up_due_at, row.deal_due_at) > now:
        return False
    return has_lapsed(Held(Deadlines(row.follow_up_due_at, row.deal_due_at), row.extended_until), now)


def _take_back(session: Session, ids: Sequence[int], now: datetime) -> Counter[int]:
    """Delete them as a person would, episodes closed first. Returns how many each consultant lost."""
    lost: Counter[int] = Counter()
    for part in parts(ids):
        lost.update(to_pool(session, part, Outcome.RELEASED, now, says("The import was taken back.")).values())
        session.execute(
            update(Customer)
            .where(col(Customer.id).in_(part))
            .values(deleted_at=now, version=col(Customer.version) + 1),
            execution_options={"synchronize_session": False},
        )
    return lost


def _tell(session: Session, lost: Mapping[int, int], now: datetime) -> None:
    why = says("The sheet that they came with should not have been imported.")
    told = {
        consultant: (says_n("{count} customer was taken back", "{count} customers were taken back", count=count), why)
        for consultant, count in lost.items()
    }
    tell_consultants(session, told, now)


def _nothing_left(batch_id: int, kept: Sequence[Kept]) -> Says:
    if not kept:
        return says("Import {batch} has no customer any more, so there is nothing to take back.", batch=str(batch_id))
    return says(
        "All {count} customers of import {batch} stay, because somebody has worked with them.\n{why}",
        count=len(kept),
        batch=str(batch_id),
        why=_reasons(kept),
    )


def _partly(undone: Undone) -> Says:
    return says(
        "Customers taken back: {gone}. Customers that stay: {count}.\n{why}",
        gone=undone.taken_back,
        count=len(undone.kept),
        why=_reasons(undone.kept),
    )


def _reasons(kept: Sequence[Kept]) -> Says:
    """Every reason there is, a line each, with the names of the first to whom it applies."""
    by_reason: dict[Says, list[str]] = {}
    for one in kept:
        by_reason.setdefault(one.says, []).append(one.name)
    return reduce(
        lambda above, below: says("{above}\n{below}", above=above, below=below),
        [_reason(why, names) for why, names in by_reason.items()],
    )


def _reason(why: Says, names: Sequence[str]) -> Says:
    some, more = ", ".join(names[:NAMED]), len(names) - NAMED
    if more <= 0:
        return says("{why} {names}", why=why, names=some)
    return says_n("{why} {names} and {count} more", "{why} {names} and {count} more", count=more, why=why, names=some)
