"""Customers given to one consultant by hand: those who wait, those in the pool, and those whom another one holds."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlmodel import Session, col

from crm.domain.customers import CustomerState
from crm.domain.deadlines import Lengths, deadlines
from crm.domain.episodes import Origin
from crm.domain.staff import ConsultantQuota, Employee
from crm.errors import Invalid
from crm.i18n import Says, says, says_n
from crm.rbac import Actor
from crm.services.access import audit
from crm.services.customers.episodes import take
from crm.services.customers.holding import TOO_LATE, lapsed_among, locked, parts
from crm.services.customers.scopes import NO_SUCH, STAFF, WORKS, allowed
from crm.services.notices.notices import tell_consultants
from crm.services.sharing.sharing_round import held_now
from crm.settings import settings

ASSIGN = "customers.assign"


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
        late = lapsed_among(session, found.values(), now)
        free = []
        for each in part:
            told[each] = _why_not(found.get(each), consultant, late)
            if told[each] is None and room <= 0:
                told[each] = full
            if told[each] is None:
                room -= 1
                free.append(each)
        if free:
            by = says("Assigned by {name}.", name=actor.name)
            given += take(session, free, consultant_id, now, origin=Origin.TRANSFERRED, reason=by, by=actor).ids
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


def _why_not(customer: Any, consultant: Any, late: set[int]) -> Says | None:
    if customer is None:
        return NO_SUCH
    if customer.state == CustomerState.ENROLLED:
        return says("{name} has enrolled already.", name=customer.name)
    if customer.consultant_id == consultant.id:
        return says("{customer} is with {consultant} already.", customer=customer.name, consultant=consultant.name)
    return TOO_LATE if customer.id in late else None


def _tell(session: Session, consultant_id: int, count: int, now: datetime) -> None:
    due = deadlines(now, None, Lengths.of(settings().rules))
    title = says_n("{count} new customer", "{count} new customers", count=count)
    body = says("Assigned to you. First follow-up due by {due}.", due=due.follow_up_due_at)
    tell_consultants(session, {consultant_id: (title, body)}, now)
