"""Customers given to one consultant by hand: those who wait, those in the pool, and those whom another one holds."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import func, select, update
from sqlmodel import Session, col

from crm.domain.customers import Customer, CustomerState
from crm.domain.deadlines import Lengths, deadlines
from crm.domain.episodes import Assignment, Origin, Outcome
from crm.domain.staff import ConsultantQuota, Employee
from crm.errors import Invalid
from crm.i18n import Says, says, says_n
from crm.rbac import Actor
from crm.services import audit
from crm.services.holding import TOO_LATE, lapsed, locked, parts
from crm.services.notices import tell_consultants
from crm.services.scopes import NO_SUCH, STAFF, WORKS, allowed
from crm.services.sharing_round import held_now
from crm.settings import settings
from crm.store.assign_rows import insert_rows

ASSIGN = "customers.assign"
_UNSEEN = {"synchronize_session": False}


def assign_many(
    session: Session, actor: Actor, ids: Sequence[int], now: datetime, *, consultant_id: int
) -> Mapping[int, Says | None]:
    """Give the customers to that consultant, in this order, as far as there is room. Per id: None, or why not.

    Open episodes close as handed over, new ones with new deadlines begin. The cap of customers held counts;
    the cap a day, being away and not accepting stop only what is shared out. Raises `Invalid` where the
    consultant cannot be given any, `NotAllowed`.
    """
    actor.require(ASSIGN)
    consultant = _consultant(session, actor, consultant_id)
    room = consultant.cap - held_now(session, consultant_id).get(consultant_id, 0)
    full = says("{name} holds {cap} customers, which is the most allowed.", name=consultant.name, cap=consultant.cap)
    told: dict[int, Says | None] = {}
    given: list[int] = []
    for part in parts(ids):
        found = locked(session, part, allowed(actor, ASSIGN), ASSIGN)
        free = []
        for each in part:
            told[each] = _why_not(session, found.get(each), consultant, now)
            if told[each] is None and room <= 0:
                told[each] = full
            if told[each] is None:
                room -= 1
                free.append(each)
        _give(session, actor, [found[each] for each in free], consultant_id, now)
        given += free
    if given:
        after = {"consultant": consultant_id, "customers": given}
        audit.record(session, actor, ASSIGN, "employee", consultant_id, None, after, now)
        _tell(session, consultant_id, len(given), now)
    return told


def _consultant(session: Session, actor: Actor, consultant_id: int) -> Any:
    """Who is to be given the customers, the quota row locked until the commit."""
    found = session.execute(
        select(
            col(Employee.id),
            col(Employee.name),
            WORKS.label("works"),
            col(ConsultantQuota.max_customers).label("cap"),
        )
        .join(Employee, col(Employee.id) == col(ConsultantQuota.employee_id))
        .where(col(ConsultantQuota.employee_id) == consultant_id, STAFF.where(actor, ASSIGN))
        .with_for_update(of=ConsultantQuota)
    ).one_or_none()
    if found is None:
        raise Invalid.of({"consultant_id": says("Choose a consultant with a quota.")})
    if not found.works:
        raise Invalid.of({"consultant_id": says("{name} no longer works here.", name=found.name)})
    return found


def _why_not(session: Session, customer: Customer | None, consultant: Any, now: datetime) -> Says | None:
    if customer is None:
        return NO_SUCH
    if customer.state is CustomerState.ENROLLED:
        return says("{name} has enrolled already.", name=customer.name)
    if customer.consultant_id == consultant.id:
        return says("{customer} is with {consultant} already.", customer=customer.name, consultant=consultant.name)
    if lapsed(session, customer, now):
        return TOO_LATE
    return None


def _give(session: Session, actor: Actor, customers: Sequence[Customer], consultant_id: int, now: datetime) -> None:
    if not customers:
        return
    ids = [customer.id for customer in customers]
    due = deadlines(now, None, Lengths.of(settings().rules))
    session.execute(
        update(Assignment)
        .where(col(Assignment.customer_id).in_(ids), col(Assignment.closed_at).is_(None))
        .values(closed_at=now, outcome=Outcome.TRANSFERRED),
        execution_options=_UNSEEN,
    )
    insert_rows(
        session,
        Assignment,
        [
            {
                "customer_id": customer.id,
                "consultant_id": consultant_id,
                "origin": Origin.TRANSFERRED,
                "opened_at": now,
                "outcome": Outcome.FOLLOWING,
                "reason": says("Assigned by {name}.", name=actor.name).stored(),
                "opened_by_id": actor.account_id,
            }
            for customer in customers
        ],
    )
    session.execute(
        update(Customer)
        .where(col(Customer.id).in_(ids))
        .values(
            state=CustomerState.PRIVATE,
            last_consultant_id=func.coalesce(col(Customer.consultant_id), col(Customer.last_consultant_id)),
            consultant_id=consultant_id,
            follow_up_due_at=due.follow_up_due_at,
            deal_due_at=due.deal_due_at,
            extended_until=None,
            waiting_reason=None,
            version=col(Customer.version) + 1,
        ),
        execution_options=_UNSEEN,
    )


def _tell(session: Session, consultant_id: int, count: int, now: datetime) -> None:
    due = deadlines(now, None, Lengths.of(settings().rules))
    title = says_n("{count} new customer", "{count} new customers", count=count)
    body = says("Assigned to you. First follow-up due by {due}.", due=due.follow_up_due_at)
    tell_consultants(session, {consultant_id: (title, body)}, now)
