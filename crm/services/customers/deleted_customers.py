"""Deleted customers: for 30 days they can be brought back."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, select, update
from sqlmodel import Session, col
from sqlmodel import select as select_rows
from sqlmodel.sql.expression import SelectOfScalar

from crm.domain import recovery
from crm.domain.customers import Customer
from crm.domain.episodes import Assignment, Origin
from crm.domain.recovery import RECOVERABLE
from crm.errors import Invalid
from crm.i18n import Says, says
from crm.rbac import Actor
from crm.services.access import audit
from crm.services.customers.customer_cells import numbers_taken, unique_or_invalid
from crm.services.customers.customers import DELETE, WAS_DELETED
from crm.services.customers.episodes import take
from crm.services.customers.holding import locked, parts
from crm.services.customers.scopes import CUSTOMERS, NO_SUCH
from crm.services.sharing import sharing_round
from crm.store.many_rows import is_one_of

_UNSEEN = {"synchronize_session": False}


def recoverable(_session: Session, actor: Actor, now: datetime) -> SelectOfScalar[Customer]:
    """Who was deleted and can still be brought back: `days_to_restore` tells how long."""
    actor = actor.looking()
    actor.require(DELETE)
    return select_rows(Customer).where(_deleted(actor), col(Customer.deleted_at) > now - RECOVERABLE)


def days_to_restore(customer: Customer, now: datetime) -> int | None:
    """As `crm.domain.recovery` counts them; None for who is not deleted."""
    return None if customer.deleted_at is None else recovery.days_to_restore(customer.deleted_at, now)


def restore_many(session: Session, actor: Actor, ids: Sequence[int], now: datetime) -> Mapping[int, Says | None]:
    """Bring deleted customers back. Per id: None, or why not.

    Whom somebody held when it was deleted goes to that consultant again, in a new episode, as far as there is
    room; otherwise to the pool. Who waited waits again.
    """
    actor.require(DELETE)
    # The round and the quotas before the customers, as everybody who gives customers takes these locks.
    standings = sharing_round.locked(session, now).standings
    room = {one.id: one.max_customers - one.held for one in standings if one.active}
    told: dict[int, Says | None] = {}
    for part in parts(ids):
        found = locked(session, part, _deleted(actor), DELETE)
        taken = numbers_taken(session, found.values())
        for each in part:
            told[each] = _why_gone(found.get(each), now) or taken.get(each)
        back = _revive(session, [each for each in part if told[each] is None], told)
        _to_their_consultants(session, actor, back, room, now)
        audit.record_many(session, actor, DELETE, "customer", ((each, None, {"restored": True}) for each in back), now)
    return told


def _deleted(actor: Actor) -> ColumnElement[bool]:
    return col(Customer.deleted_at).is_not(None) & CUSTOMERS.where(actor, DELETE)


def _why_gone(customer: Any, now: datetime) -> Says | None:
    if customer is None:
        return NO_SUCH
    if customer.deleted_at <= now - RECOVERABLE:
        return says("The 30 days in which this customer could be brought back are over.")
    return None


def _revive(session: Session, ids: Sequence[int], told: dict[int, Says | None]) -> list[int]:
    """Undo the deletion of all at once; one by one only where somebody took a number in this moment."""
    try:
        with unique_or_invalid(session):
            session.execute(
                update(Customer)
                .where(is_one_of(session, col(Customer.id), ids))
                .values(deleted_at=None, version=col(Customer.version) + 1),
                execution_options=_UNSEEN,
            )
    except Invalid as error:
        if len(ids) == 1:
            told[ids[0]] = error.says
            return []
        return [each for one in ids for each in _revive(session, [one], told)]
    return list(ids)


def _to_their_consultants(
    session: Session, actor: Actor, ids: Sequence[int], room: dict[int, int], now: datetime
) -> None:
    """Who was with a consultant when it was deleted goes back there, as far as there is room, in the order given."""
    asked = (
        select(col(Assignment.customer_id), col(Assignment.consultant_id))
        .join(Customer, col(Customer.id) == col(Assignment.customer_id))
        .where(
            is_one_of(session, col(Assignment.customer_id), ids),
            col(Assignment.closed_reason) == WAS_DELETED.stored(),
            # The last one who held it, if it was deleted more than once.
            col(Assignment.consultant_id) == col(Customer.last_consultant_id),
        )
        .distinct()
    )
    held_by: dict[int, int] = dict(map(tuple, session.execute(asked)))
    theirs: dict[int, list[int]] = defaultdict(list)
    for each in ids:
        if held_by.get(each) in room and len(theirs[held_by[each]]) < room[held_by[each]]:
            theirs[held_by[each]].append(each)
    why = says("Back after it was deleted by mistake.")
    for consultant_id, customers in theirs.items():
        take(session, customers, consultant_id, now, origin=Origin.TRANSFERRED, reason=why, by=actor)
        room[consultant_id] -= len(customers)
