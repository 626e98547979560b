"""The public pool: who sees whom in it, and how one is claimed."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from sqlalchemy import select
from sqlmodel import Session, col
from sqlmodel import select as select_rows
from sqlmodel.sql.expression import SelectOfScalar

from crm.domain.claiming import Claimable, Denied, may_claim
from crm.domain.customers import Customer, CustomerState
from crm.domain.deadlines import Deadlines, Lengths, deadlines
from crm.domain.episodes import Origin
from crm.errors import Refused
from crm.i18n import Says, says
from crm.rbac import Actor
from crm.services.customers.episodes import take
from crm.services.customers.holding import parts, room_of
from crm.services.customers.scopes import LIVE, allowed
from crm.settings import settings
from crm.store.many_rows import is_one_of

CLAIM = "pool.claim"


def visible_to(_session: Session, actor: Actor) -> SelectOfScalar[Customer]:
    """The pool as the actor may see it: every public customer but those whom the actor held last."""
    actor.require("pool.view")
    return select_rows(Customer).where(allowed(actor, "pool.view"))


def claim(session: Session, actor: Actor, customer_id: int, now: datetime) -> Deadlines:
    """Give the customer to the actor: a new episode with new deadlines, which it returns. Raises `Refused`."""
    told, due = _claim(session, actor, [customer_id], now)
    why = told[customer_id]
    if why is not None:
        raise Refused(why)
    return due


def claim_many(session: Session, actor: Actor, ids: Sequence[int], now: datetime) -> Mapping[int, Says | None]:
    """Claim each, in this order, as far as there is room. Per id: None, or why not. Raises `Refused`."""
    return _claim(session, actor, ids, now)[0]


def _claim(
    session: Session, actor: Actor, ids: Sequence[int], now: datetime
) -> tuple[dict[int, Says | None], Deadlines]:
    """Of many at once exactly one gets a customer: the conditional update is the judge.

    The consultant's quota row is locked first, so that two claims of different customers cannot both take the
    last place.
    """
    actor.require(CLAIM)
    claimant = room_of(session, actor)
    told: dict[int, Says | None] = {}
    due = deadlines(now, None, Lengths.of(settings().rules))
    for part in parts(ids):
        known = _claimable(session, part)
        free = []
        for each in part:
            verdict = may_claim(known.get(each, Claimable(CustomerState.WAITING)), claimant)
            told[each] = verdict.reason if isinstance(verdict, Denied) else None
            if told[each] is None:
                free.append(each)
                claimant = replace(claimant, holding=claimant.holding + 1)
        if not free:
            continue
        why = says("Claimed from the pool.")
        taken, due = take(
            session, free, claimant.id, now, origin=Origin.CLAIMED, reason=why, by=actor, only=allowed(actor, CLAIM)
        )
        lost = set(free).difference(taken)
        told |= dict.fromkeys(lost, says("This customer is no longer in the pool."))
        claimant = replace(claimant, holding=claimant.holding - len(lost))
    return told, due


def _claimable(session: Session, ids: Sequence[int]) -> dict[int, Claimable]:
    """What is known of the customers. One that does not exist looks like one that is not in the pool."""
    asked = select(col(Customer.id), col(Customer.state), col(Customer.last_consultant_id)).where(
        is_one_of(session, col(Customer.id), ids), LIVE
    )
    return {row.id: Claimable(row.state, row.last_consultant_id) for row in session.execute(asked)}
