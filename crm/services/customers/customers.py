"""Customers: who sees whom, adding one, changing fields, and deleting. Bringing back is in `deleted_customers`."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select, update
from sqlmodel import Session, col
from sqlmodel import select as select_rows
from sqlmodel.sql.expression import SelectOfScalar

from crm.domain.customers import Customer, CustomerState
from crm.domain.deadlines import Lengths, deadlines
from crm.domain.episodes import Origin, Outcome
from crm.domain.payments import Payment
from crm.domain.staff import Employee
from crm.domain.students import Student
from crm.errors import Conflict, Refused
from crm.i18n import Says, says
from crm.rbac import Actor
from crm.services.access import audit
from crm.services.customers.customer_cells import checked, set_courses, unique_or_invalid
from crm.services.customers.episodes import begin, to_pool
from crm.services.customers.holding import TOO_LATE, lapsed_among, locked, parts, room_of
from crm.services.customers.scopes import LIVE, NO_SUCH, allowed, allowed_by_any, find
from crm.services.sharing import assignment, sharing_round
from crm.services.sharing.assignment import Shared
from crm.services.students import student_sign_ins
from crm.settings import settings
from crm.store.many_rows import is_one_of

ADD, ADD_MINE = "customers.add", "my-customers.add"
EDIT, EDIT_MINE = "customers.edit", "my-customers.edit"
DELETE = "customers.delete"
WAS_DELETED = says("The customer was deleted.")
"""Why the episode of a deleted customer closed: who comes back may go to the same consultant again."""
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
    why = says("Added by the consultant.")
    begin(session, [customer_id], room.id, now, origin=Origin.ADDED, reason=why, by=actor)
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
    if "name" in cells.columns:
        student_sign_ins.rename(session, customer_id, customer.name, cells.columns["name"])
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

    Whoever is held leaves the consultant first: the episode closes as released. Who enrolled or has a payment is
    kept, and whose time ran out too until the rule has closed the episode.
    """
    actor.require(DELETE)
    told: dict[int, Says | None] = {}
    for part in parts(ids):
        found = locked(session, part, allowed(actor, DELETE), DELETE)
        late = lapsed_among(session, found.values(), now)
        paid = _with_money(session, list(found))
        told |= {each: _why_kept(found.get(each), late, paid) for each in part}
        gone = [each for each in part if told[each] is None]
        to_pool(session, gone, Outcome.RELEASED, now, WAS_DELETED, also={"deleted_at": now})
        session.execute(
            update(Customer)
            .where(is_one_of(session, col(Customer.id), gone), LIVE)
            .values(deleted_at=now, version=col(Customer.version) + 1),
            execution_options=_UNSEEN,
        )
        audit.record_many(session, actor, DELETE, "customer", ((each, None, None) for each in gone), now)
    return told


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


def _with_money(session: Session, ids: Sequence[int]) -> set[int]:
    """Which of these customers have a payment of whatever verdict, or are students."""
    there: set[int] = set()
    for owner in (col(Payment.customer_id), col(Student.customer_id)):
        there.update(session.scalars(select(owner).where(is_one_of(session, owner, ids)).distinct()))
    return there


def _why_kept(customer: Any, late: set[int], paid: set[int]) -> Says | None:
    if customer is None:
        return NO_SUCH
    if customer.state == CustomerState.ENROLLED:
        return says("Who has enrolled cannot be deleted.")
    if customer.id in paid:
        return says("{name} has a payment, so the customer stays.", name=customer.name)
    return TOO_LATE if customer.id in late else None
