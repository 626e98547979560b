"""The public pool: who sees whom in it, how one is claimed, and how customers get there."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, func, select, true, update
from sqlalchemy.orm import Session
from sqlmodel import col
from sqlmodel import select as select_rows
from sqlmodel.sql.expression import SelectOfScalar

from crm.domain.claiming import Claimable, Claimant, Denied, may_claim
from crm.domain.customers import Customer, CustomerState
from crm.domain.deadlines import Deadlines, Lengths, deadlines
from crm.domain.episodes import Assignment, Origin, Outcome
from crm.domain.staff import ConsultantQuota, Employee
from crm.errors import NotFound, Refused
from crm.i18n import Says, says
from crm.rbac import Actor
from crm.services.scopes import HELD, LIVE, allowed
from crm.settings import settings

CLAIM = "pool.claim"
_UNSEEN = {"synchronize_session": False}


def visible_to(_session: Session, actor: Actor) -> SelectOfScalar[Customer]:
    """The pool as the actor may see it: every public customer but those whom the actor held last."""
    actor.require("pool.view")
    return select_rows(Customer).where(allowed(actor, "pool.view"))


def claim(session: Session, actor: Actor, customer_id: int, now: datetime) -> Deadlines:
    """Give the customer to the actor: a new episode with new deadlines, which it returns.

    Of many at once exactly one wins: the conditional update is the judge. The consultant's quota row is
    locked first, so that two claims of different customers cannot both take the last place.
    Raises `Refused` with the reason.
    """
    actor.require(CLAIM)
    claimant = _claimant(session, actor)
    customer = session.execute(
        select(col(Customer.state), col(Customer.last_consultant_id)).where(col(Customer.id) == customer_id, LIVE)
    ).one_or_none()
    found = Claimable(customer.state, customer.last_consultant_id) if customer else Claimable(CustomerState.WAITING)
    verdict = may_claim(found, claimant)
    if isinstance(verdict, Denied):
        raise Refused(verdict.reason)
    due = deadlines(now, None, Lengths.of(settings().rules))
    won = session.execute(
        update(Customer)
        .where(col(Customer.id) == customer_id, allowed(actor, CLAIM))
        .values(
            state=CustomerState.PRIVATE,
            consultant_id=claimant.id,
            follow_up_due_at=due.follow_up_due_at,
            deal_due_at=due.deal_due_at,
            version=col(Customer.version) + 1,
        )
        .returning(col(Customer.id)),
        execution_options=_UNSEEN,
    ).one_or_none()
    if won is None:
        raise Refused(says("This customer is no longer in the pool."))
    session.add(
        Assignment(
            customer_id=customer_id,
            consultant_id=claimant.id,
            origin=Origin.CLAIMED,
            opened_at=now,
            reason=says("Claimed from the pool.").stored(),
            opened_by_id=actor.account_id,
        )
    )
    session.flush()
    return due


def claim_many(session: Session, actor: Actor, ids: Sequence[int], now: datetime) -> Mapping[int, Says | None]:
    """Claim each, in this order, as far as there is room. Per id: None, or why not."""
    actor.require(CLAIM)
    told: dict[int, Says | None] = {}
    for customer_id in ids:
        try:
            claim(session, actor, customer_id, now)
        except (Refused, NotFound) as error:
            told[customer_id] = error.says
        else:
            told[customer_id] = None
    return told


def holding(session: Session, consultant_id: int) -> int:
    """How many customers the consultant holds now."""
    asked = select(func.count()).select_from(Customer).where(col(Customer.consultant_id) == consultant_id, LIVE)
    return session.scalar(asked) or 0


def to_pool(
    session: Session,
    ids: Sequence[int],
    outcome: Outcome,
    at: datetime,
    reason: Says | None = None,
    only: ColumnElement[bool] | None = None,
) -> dict[int, int]:
    """Make customers public whom somebody holds (and who meet `only`), closing their episodes at `at`.

    Both in the caller's transaction; who is held by nobody, or no longer meets the condition, is left alone.
    Returns who lost whom: consultant by customer. A few thousand ids at most.
    """
    changed = session.execute(
        update(Customer)
        .where(col(Customer.id).in_(ids), HELD, true() if only is None else only)
        .values(
            state=CustomerState.PUBLIC,
            last_consultant_id=col(Customer.consultant_id),
            consultant_id=None,
            follow_up_due_at=None,
            deal_due_at=None,
            extended_until=None,
            version=col(Customer.version) + 1,
        )
        .returning(col(Customer.id), col(Customer.last_consultant_id)),
        execution_options=_UNSEEN,
    )
    lost: dict[int, int] = {row.id: row.last_consultant_id for row in changed}
    if lost:
        session.execute(
            update(Assignment)
            .where(col(Assignment.customer_id).in_(list(lost)), col(Assignment.closed_at).is_(None))
            .values(closed_at=at, outcome=outcome, closed_reason=reason.stored() if reason else None),
            execution_options=_UNSEEN,
        )
    return lost


def _claimant(session: Session, actor: Actor) -> Claimant:
    quota = session.execute(
        select(col(ConsultantQuota.employee_id), col(ConsultantQuota.max_customers), col(Employee.active))
        .join(Employee, col(Employee.id) == col(ConsultantQuota.employee_id))
        .where(col(ConsultantQuota.employee_id) == actor.owner_id)
        .with_for_update(of=ConsultantQuota)
    ).one_or_none()
    if quota is None or not quota.active:
        raise Refused(says("Only an active consultant with a quota can claim. A manager can set one under Staff."))
    return Claimant(quota.employee_id, holding(session, quota.employee_id), quota.max_customers)
