"""Episodes begin and end here: a consultant takes customers, customers go to the pool. (Sharing out: `assign_rows`.)

Many at once in a few statements, in the caller's transaction. Whoever calls has decided; only what a
statement itself must ask, so that of two at once one wins, is asked here.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, and_, case, func, literal, or_, select, true, update
from sqlmodel import Session, SQLModel, col

from crm.domain.customers import Customer, CustomerState
from crm.domain.deadlines import Deadlines, Lengths, deadlines
from crm.domain.episodes import Origin, Outcome
from crm.i18n import Says
from crm.rbac import Actor
from crm.services.customers.scopes import HELD
from crm.settings import settings
from crm.store.many_rows import insert_many, is_one_of
from crm.store.session import is_postgres

_CUSTOMER = SQLModel.metadata.tables["customer"]
_ASSIGNMENT = SQLModel.metadata.tables["assignment"]


class Taken(NamedTuple):
    """Who was taken, and the deadlines that run from now on."""

    ids: tuple[int, ...]
    due: Deadlines


def take(
    session: Session,
    ids: Sequence[int],
    consultant_id: int,
    now: datetime,
    *,
    origin: Origin,
    reason: Says,
    by: Actor,
    only: ColumnElement[bool] | None = None,
) -> Taken:
    """Give customers (who meet `only`) to a consultant; what is open closes as handed over, new deadlines run.

    Of two who take the same customer under the condition that it is free, one gets it.
    """
    found = set(
        session.scalars(
            select(_CUSTOMER.c.id)
            .where(is_one_of(session, _CUSTOMER.c.id, ids), true() if only is None else only)
            .order_by(_CUSTOMER.c.id)
            .with_for_update()
        )
    )
    taken = tuple(each for each in dict.fromkeys(ids) if each in found)
    since = _not_before(session, taken, now)
    due = deadlines(since, None, Lengths.of(settings().rules))
    connection = session.connection()
    connection.execute(
        update(_CUSTOMER)
        .where(is_one_of(session, _CUSTOMER.c.id, taken))
        .values(
            state=CustomerState.PRIVATE,
            # Where nobody holds it, whoever did last is known already.
            last_consultant_id=func.coalesce(_CUSTOMER.c.consultant_id, _CUSTOMER.c.last_consultant_id),
            consultant_id=consultant_id,
            extended_until=None,
            waiting_reason=None,
            version=_CUSTOMER.c.version + 1,
            **due._asdict(),
        )
    )
    connection.execute(
        update(_ASSIGNMENT)
        .where(is_one_of(session, _ASSIGNMENT.c.customer_id, taken), _ASSIGNMENT.c.closed_at.is_(None))
        .values(closed_at=since, outcome=Outcome.TRANSFERRED)
    )
    begin(session, taken, consultant_id, since, origin=origin, reason=reason, by=by)
    return Taken(taken, due)


def begin(
    session: Session,
    ids: Sequence[int],
    consultant_id: int,
    since: datetime,
    *,
    origin: Origin,
    reason: Says,
    by: Actor,
) -> None:
    """Write down an episode of the consultant with each customer. None of them may have one that is open."""
    same = {
        "consultant_id": consultant_id,
        "origin": origin,
        "opened_at": since,
        "outcome": Outcome.FOLLOWING,
        "reason": reason.stored(),
        "opened_by_id": by.account_id,
    }
    insert_many(session, "assignment", same, {"customer_id": ids})


def to_pool(
    session: Session,
    ids: Sequence[int],
    outcome: Outcome,
    at: datetime,
    reason: Says | None = None,
    only: ColumnElement[bool] | None = None,
    then: CustomerState = CustomerState.PUBLIC,
    also: Mapping[str, Any] | None = None,
) -> dict[int, int]:
    """Make customers public whom somebody holds (and who meet `only`), closing their episodes at `at`.

    `then` is what they are instead of public: waiting, to be shared out at once. `also` are further values that
    they get in the same stroke.
    Both in the caller's transaction; who is held by nobody, or no longer meets the condition, is left alone.
    Returns who lost whom: consultant by customer.
    """
    if not ids:
        return {}
    connection = session.connection()
    these = is_one_of(session, _CUSTOMER.c.id, ids)
    if is_postgres(session):
        # In one order, as everybody locks many customers, so that no two wait for each other.
        connection.execute(select(_CUSTOMER.c.id).where(these).order_by(_CUSTOMER.c.id).with_for_update())
    connection.execute(
        update(_CUSTOMER)
        .where(these, HELD, true() if only is None else only)
        .values(
            state=then,
            last_consultant_id=_CUSTOMER.c.consultant_id,
            consultant_id=None,
            follow_up_due_at=None,
            deal_due_at=None,
            extended_until=None,
            version=_CUSTOMER.c.version + 1,
            **(also or {}),
        )
    )
    # Somebody who waited for a lock brings an earlier moment than the one who held it.
    opened = _ASSIGNMENT.c.opened_at
    closed_at = case((opened > at, opened), else_=literal(at, opened.type))
    # Whoever of them nobody holds now and has an open episode is who has just left.
    left = select(_CUSTOMER.c.id).where(these, col(Customer.state) == then)
    closed: Iterable[Any] = connection.execute(
        update(_ASSIGNMENT)
        .where(_ASSIGNMENT.c.customer_id.in_(left), _ASSIGNMENT.c.closed_at.is_(None))
        .values(closed_at=closed_at, outcome=outcome, closed_reason=reason.stored() if reason else None)
        .returning(_ASSIGNMENT.c.customer_id, _ASSIGNMENT.c.consultant_id)
    )
    return dict(map(tuple, closed))


def _not_before(session: Session, ids: Sequence[int], now: datetime) -> datetime:
    """This moment, or the end of these customers' last episode where somebody who was waited for set it later."""
    opened, closed = _ASSIGNMENT.c.opened_at, _ASSIGNMENT.c.closed_at
    late = or_(closed > now, and_(closed.is_(None), opened > now))
    asked = select(func.max(func.coalesce(closed, opened))).where(
        is_one_of(session, _ASSIGNMENT.c.customer_id, ids), late
    )
    return max(now, session.scalar(asked) or now)
