"""The public pool: who sees whom in it, and how one is claimed."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy import select, update
from sqlmodel import Session, col
from sqlmodel import select as select_rows
from sqlmodel.sql.expression import SelectOfScalar

from crm.domain.claiming import Claimable, Denied, may_claim
from crm.domain.customers import Customer, CustomerState
from crm.domain.deadlines import Deadlines, Lengths, deadlines
from crm.domain.episodes import Assignment, Origin
from crm.errors import Refused
from crm.i18n import Says, says
from crm.rbac import Actor
from crm.services.holding import room_of
from crm.services.scopes import LIVE, allowed
from crm.settings import settings

CLAIM = "pool.claim"


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
    claimant = room_of(session, actor)
    verdict = may_claim(_claimable(session, customer_id), claimant)
    if isinstance(verdict, Denied):
        raise Refused(verdict.reason)
    due = deadlines(now, None, Lengths.of(settings().rules))
    won = session.execute(
        update(Customer)
        .where(col(Customer.id) == customer_id, allowed(actor, CLAIM))
        .values(
            state=CustomerState.PRIVATE,
            consultant_id=claimant.id,
            version=col(Customer.version) + 1,
            **due._asdict(),
        )
        .returning(col(Customer.id)),
        execution_options={"synchronize_session": False},
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
        except Refused as error:
            told[customer_id] = error.says
        else:
            told[customer_id] = None
    return told


def _claimable(session: Session, customer_id: int) -> Claimable:
    """What is known of the customer. One that does not exist looks like one that is not in the pool."""
    found = session.execute(
        select(col(Customer.state), col(Customer.last_consultant_id)).where(col(Customer.id) == customer_id, LIVE)
    ).one_or_none()
    return Claimable(found.state, found.last_consultant_id) if found else Claimable(CustomerState.WAITING)
