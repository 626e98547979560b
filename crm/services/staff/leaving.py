"""A sign-in is disabled, and the customers of whoever it belongs to go on to others, in one transaction."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Select, select
from sqlmodel import Session, col

from crm.domain.customers import Customer, CustomerState
from crm.domain.episodes import Outcome
from crm.domain.staff import Employee
from crm.errors import Conflict, NotAllowed, Refused
from crm.i18n import Says, says, says_n
from crm.rbac import Actor
from crm.services.access import accounts, audit
from crm.services.access.permissions import ADMINISTERS
from crm.services.customers.episodes import to_pool
from crm.services.customers.hand_over import ASSIGN, assign_many
from crm.services.customers.holding import lapsed_among, locked, parts
from crm.services.customers.scopes import HELD, LIVE, allowed
from crm.services.sharing import assignment, sharing_round


@dataclass(frozen=True, slots=True)
class MoveTo:
    """To this consultant, all of them."""

    consultant_id: int


@dataclass(frozen=True, slots=True)
class HandOut:
    """To whoever's turn it is, by the rule of sharing out."""


@dataclass(frozen=True, slots=True)
class Stay:
    """With who held them, for a manager to assign."""


@dataclass(frozen=True, slots=True)
class Left:
    """What became of the customers: given to others, waiting for room, and out of time.

    The last stay until the 02:00 rule takes them, which had their deadlines before.
    """

    given: int = 0
    waiting: int = 0
    lapsed: int = 0
    waiting_reason: Says | None = None

    def says(self) -> tuple[Says, ...]:
        """All of it, a sentence each."""
        told = [says("The sign-in is disabled.")]
        if self.given:
            told.append(says_n("{count} customer went to others.", "{count} customers went to others.", self.given))
        if self.waiting_reason is not None:
            told.append(says("{count} wait: {why}", count=self.waiting, why=self.waiting_reason))
        if self.lapsed:
            told.append(says("Out of time, so in the public pool after the next run: {count}.", count=self.lapsed))
        return tuple(told)


def holds(session: Session, account_id: int | None) -> int:
    """How many customers the employee of this sign-in holds now."""
    return len(session.scalars(_held(account_id)).all())


def disable(
    session: Session,
    actor: Actor,
    name: str,
    customers: MoveTo | HandOut | Stay | None,
    now: datetime,
    *,
    version: int | None = None,
) -> Left:
    """Disables the sign-in and passes on the customers of its employee. None is for who was seen to hold none.

    Handed out, their episodes close as `left_school` and they go to those whose turn it is, or wait; moved, they
    close as handed over. Raises as `accounts.disable`, `NotAllowed` unless the actor may assign each of them,
    `Invalid` for a consultant who cannot be given any, `Refused` for one without room for all, and `Conflict` where
    somebody who was seen to hold none was given a customer meanwhile.
    """
    if customers is None:
        actor.require(ADMINISTERS)
        # Whoever gives customers takes this lock first, so that it stays true until the commit.
        sharing_round.locked(session, now)
        if holds(session, accounts.to_manage(session, actor, name, version).id):
            raise Conflict(says("A customer was given to them meanwhile. Say what becomes of those they hold."))
    if customers is None or isinstance(customers, Stay):
        accounts.disable(session, actor, name, now, version=version)
        return Left()
    actor.require(ASSIGN)
    # The round, the quotas by id, the customers: everybody who gives customers takes these locks in this order.
    sharing_round.locked(session, now)
    account = accounts.to_manage(session, actor, name, version)
    ids = [each for each in session.scalars(_held(account.id)) if each is not None]
    accounts.disable(session, actor, name, now, version=version)
    session.flush()
    late, free = _apart(session, actor, ids, now)
    if not free:
        return Left(lapsed=late)
    if isinstance(customers, MoveTo):
        return Left(given=_move(session, actor, free, customers.consultant_id, now), lapsed=late)
    return _hand_out(session, actor, free, late, now)


def _hand_out(session: Session, actor: Actor, ids: Sequence[int], late: int, now: datetime) -> Left:
    lost: dict[int, int] = {}
    for part in parts(ids):
        lost |= to_pool(
            session,
            part,
            Outcome.LEFT_SCHOOL,
            now,
            says("Shared out again by {name}.", name=actor.name),
            then=CustomerState.WAITING,
        )
    for consultant_id in set(lost.values()):
        before = {"customers": [each for each, who in lost.items() if who == consultant_id]}
        audit.record(session, actor, ASSIGN, "employee", consultant_id, before, None, now)
    shared = assignment.share_out(session, ids, now=now, by=actor)
    return Left(shared.assigned, shared.waiting, late, shared.waiting_reason)


def _move(session: Session, actor: Actor, ids: Sequence[int], consultant_id: int, now: datetime) -> int:
    told = assign_many(session, actor, ids, now, consultant_id=consultant_id)
    refused = [why for why in told.values() if why is not None]
    if refused:
        raise Refused(
            says(
                "{count} of {all} customers cannot go there: {why} Share them out, or choose somebody else.",
                count=len(refused),
                all=len(told),
                why=refused[0],
            )
        )
    return len(told)


def _apart(session: Session, actor: Actor, ids: Sequence[int], now: datetime) -> tuple[int, list[int]]:
    """How many of them have lapsed, and the others, soonest deadline first, all of them locked.

    Raises `NotAllowed` if the actor may not assign one of them.
    """
    late = 0
    free: list[int] = []
    for part in parts(ids):
        found = locked(session, part, allowed(actor, ASSIGN), ASSIGN)
        missing = next((each for each in part if each not in found), None)
        if missing is not None:
            raise NotAllowed(says("You may not assign all of these customers. Ask somebody who may."), ASSIGN, missing)
        lapsed = lapsed_among(session, found.values(), now)
        late += len(lapsed)
        free += [each for each in part if each not in lapsed]
    return late, free


def _held(account_id: int | None) -> Select[Any]:
    return (
        select(col(Customer.id))
        .join(Employee, col(Employee.id) == col(Customer.consultant_id))
        .where(col(Employee.account_id) == account_id, LIVE, HELD)
        .order_by(col(Customer.follow_up_due_at), col(Customer.id))
    )
