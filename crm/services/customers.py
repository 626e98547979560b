"""Customers: who sees whom, adding one, changing fields, and taking customers away or back."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, select, update
from sqlmodel import Session, col
from sqlmodel import select as select_rows
from sqlmodel.sql.expression import SelectOfScalar

from crm.domain.customers import Customer, CustomerState
from crm.domain.deadlines import Lengths, deadlines
from crm.domain.episodes import Assignment, Origin, Outcome
from crm.domain.staff import Employee
from crm.errors import Conflict, Invalid, Refused
from crm.i18n import Says, says
from crm.rbac import Actor
from crm.services import assignment, audit, sharing_round
from crm.services.assignment import Shared
from crm.services.customer_cells import checked, set_courses, taken_by_another, unique_or_invalid
from crm.services.holding import TOO_LATE, lapsed, locked, parts, room_of, to_pool
from crm.services.scopes import CUSTOMERS, NO_SUCH, allowed, allowed_by_any, find
from crm.settings import settings

ADD, ADD_MINE = "customers.add", "my-customers.add"
EDIT, EDIT_MINE = "customers.edit", "my-customers.edit"
DELETE = "customers.delete"
RECOVERABLE = timedelta(days=30)
_UNSEEN = {"synchronize_session": False}


@dataclass(frozen=True, slots=True)
class Added:
    """A new customer, and what became of it: `shared` tells whom it went to, None where its adder keeps it.

    `given_to` is the name of the consultant who got it by sharing out.
    """

    id: int
    shared: Shared | None
    given_to: str | None = None


def visible_to(_session: Session, actor: Actor) -> SelectOfScalar[Customer]:
    """Every live customer, as far as the actor's reach goes: the managers' list."""
    actor.require("customers.view")
    return select_rows(Customer).where(allowed(actor, "customers.view"))


def mine(_session: Session, actor: Actor) -> SelectOfScalar[Customer]:
    """The customers that the actor holds (with a farther reach: that the department, that anyone holds)."""
    actor.require("my-customers.view")
    return select_rows(Customer).where(allowed(actor, "my-customers.view"))


def get(session: Session, actor: Actor, permission: str, customer_id: int) -> Customer:
    """One customer on whom the actor may do `permission`. Raises `NotAllowed`, `NotFound`.

    Whom another consultant holds is not found, just as whom there never was.
    """
    actor.require(permission)
    return find(session, allowed(actor, permission), customer_id, permission)


def add(session: Session, actor: Actor, values: Mapping[str, Any], now: datetime) -> Added:
    """Add one customer, checked as an import checks a row, and share it out at once.

    `values` by field; `course_ids` and `referred_by_id` name rows. Raises `Invalid` by field.
    """
    actor.require(ADD)
    # In the order in which an import takes its locks: the round, then the numbers that are unique.
    sharing_round.take_turn(session)
    customer_id = _insert(session, actor, values, now, {"state": CustomerState.WAITING})
    shared = assignment.share_out(session, [customer_id], now=now, by=actor)
    audit.record(session, actor, ADD, "customer", customer_id, None, {"assigned": shared.by_consultant}, now)
    name = session.scalar(select(col(Employee.name)).where(col(Employee.id).in_(shared.by_consultant)))
    return Added(customer_id, shared, name)


def add_mine(session: Session, actor: Actor, values: Mapping[str, Any], now: datetime) -> Added:
    """Add a customer whom the actor won personally and keeps, within the own cap of customers held.

    It is no part of sharing out, so it costs nobody's turn. Raises `Invalid` by field, `Refused` without room.
    """
    actor.require(ADD_MINE)
    room = room_of(session, actor)
    if room.holding >= room.max_customers:
        raise Refused(says("You hold {held} of {cap} customers.", held=room.holding, cap=room.max_customers))
    due = deadlines(now, None, Lengths.of(settings().rules))
    held = {"state": CustomerState.PRIVATE, "consultant_id": room.id, **due._asdict()}
    customer_id = _insert(session, actor, values, now, held)
    session.add(
        Assignment(
            customer_id=customer_id,
            consultant_id=room.id,
            origin=Origin.ADDED,
            opened_at=now,
            reason=says("Added by the consultant.").stored(),
            opened_by_id=actor.account_id,
        )
    )
    audit.record(session, actor, ADD_MINE, "customer", customer_id, None, {"consultant": room.id}, now)
    return Added(customer_id, None)


def save_changes(
    session: Session, actor: Actor, customer_id: int, version: int, changes: Mapping[str, Any], now: datetime
) -> int:
    """Save the changed fields of one customer against the version that was seen; returns the new version.

    Raises `Conflict` with the values now there if somebody was quicker, `Invalid` by field, `NotFound`.
    """
    if not actor.may(EDIT):
        actor.require(EDIT_MINE)
    used = EDIT if actor.may(EDIT) else EDIT_MINE
    within = allowed_by_any(actor, EDIT, EDIT_MINE)
    customer = find(session, within, customer_id, used, lock=True)
    if customer.version != version:
        raise _conflict(customer, changes)
    cells = checked(session, actor, changes, customer)
    with unique_or_invalid(session):
        saved = session.execute(
            update(Customer)
            .where(col(Customer.id) == customer_id, col(Customer.version) == version)
            .values(**cells.columns, version=version + 1)
            .returning(col(Customer.id)),
            execution_options=_UNSEEN,
        ).one_or_none()
    if saved is None:
        raise _conflict(find(session, within, customer_id, used), changes)
    if cells.course_ids is not None:
        set_courses(session, customer_id, cells.course_ids)
    audit.record(session, actor, used, "customer", customer_id, None, {"fields": sorted(changes)}, now)
    session.expire(customer)
    return version + 1


def delete_many(session: Session, actor: Actor, ids: Sequence[int], now: datetime) -> Mapping[int, Says | None]:
    """Delete customers; for 30 days `restore_many` brings them back. Per id: None, or why not.

    Whoever is held leaves the consultant first: the episode closes as released. Who enrolled is kept, and
    whose time ran out too until the rule has closed the episode.
    """
    actor.require(DELETE)
    told: dict[int, Says | None] = {}
    for part in parts(ids):
        found = locked(session, part, allowed(actor, DELETE), DELETE)
        told |= {each: _why_kept(session, found.get(each), now) for each in part}
        gone = [each for each in part if told[each] is None]
        to_pool(session, gone, Outcome.RELEASED, now, says("The customer was deleted."))
        session.execute(
            update(Customer)
            .where(col(Customer.id).in_(gone))
            .values(deleted_at=now, version=col(Customer.version) + 1),
            execution_options=_UNSEEN,
        )
        for each in gone:
            audit.record(session, actor, DELETE, "customer", each, None, None, now)
    return told


def deleted(_session: Session, actor: Actor) -> SelectOfScalar[Customer]:
    """Who was deleted. For 30 days from then they can be brought back: `days_to_restore` tells how many are left."""
    actor.require(DELETE)
    return select_rows(Customer).where(_deleted(actor))


def restore_many(session: Session, actor: Actor, ids: Sequence[int], now: datetime) -> Mapping[int, Says | None]:
    """Bring deleted customers back: to the pool or to those who wait. Per id: None, or why not."""
    actor.require(DELETE)
    told: dict[int, Says | None] = {}
    for part in parts(ids):
        found = locked(session, part, _deleted(actor), DELETE)
        for each in part:
            told[each] = _restore(session, found.get(each), now)
            if told[each] is None:
                audit.record(session, actor, DELETE, "customer", each, None, {"restored": True}, now)
    return told


def days_to_restore(customer: Customer, now: datetime) -> int | None:
    """Days of 24 hours, begun ones included, in which a deleted customer can be brought back; 0 once they are over."""
    if customer.deleted_at is None:
        return None
    return max(0, -((now - customer.deleted_at - RECOVERABLE) // timedelta(days=1)))


def _insert(session: Session, actor: Actor, values: Mapping[str, Any], now: datetime, state: dict[str, Any]) -> int:
    cells = checked(session, actor, values, None)
    row = Customer(**cells.columns, **state, created_at=now, created_by_id=actor.account_id)
    with unique_or_invalid(session):
        session.add(row)
        session.flush()
    assert row.id is not None
    set_courses(session, row.id, cells.course_ids or ())
    return row.id


def _conflict(customer: Customer, changes: Mapping[str, Any]) -> Conflict:
    theirs = {key: getattr(customer, key) for key in changes if key in Customer.model_fields}
    return Conflict(says("Somebody else changed {name} since you saw it.", name=customer.name), theirs)


def _why_kept(session: Session, customer: Customer | None, now: datetime) -> Says | None:
    if customer is None:
        return NO_SUCH
    if customer.state is CustomerState.ENROLLED:
        return says("Who has enrolled cannot be deleted.")
    return TOO_LATE if lapsed(session, customer, now) else None


def _deleted(actor: Actor) -> ColumnElement[bool]:
    return col(Customer.deleted_at).is_not(None) & CUSTOMERS.where(actor, DELETE)


def _restore(session: Session, customer: Customer | None, now: datetime) -> Says | None:
    if customer is None or customer.deleted_at is None:
        return NO_SUCH
    if customer.deleted_at <= now - RECOVERABLE:
        return says("The 30 days in which this customer could be brought back are over.")
    taken = taken_by_another(session, customer)
    if taken is not None:
        return taken
    try:
        with unique_or_invalid(session):
            session.execute(
                update(Customer)
                .where(col(Customer.id) == customer.id)
                .values(deleted_at=None, version=col(Customer.version) + 1),
                execution_options=_UNSEEN,
            )
    except Invalid as error:
        return error.says
    return None
