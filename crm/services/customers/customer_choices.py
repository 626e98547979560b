"""What may be chosen in the form of a customer, and which customers somebody may look at and not change."""

from collections.abc import Mapping, Sequence

from sqlalchemy import select
from sqlmodel import Session, col
from sqlmodel import select as select_rows
from sqlmodel.sql.expression import SelectOfScalar

from crm.domain.customers import Customer
from crm.domain.school import Course
from crm.i18n import Says, says
from crm.rbac import Actor
from crm.services.customers.scopes import allowed_by_any, may_open

VIEWS = ("customers.view", "my-customers.view")
EDITS = ("customers.edit", "my-customers.edit")


def courses(_session: Session, _actor: Actor) -> SelectOfScalar[Course]:
    """What is taught now: no secret within the school."""
    return select_rows(Course).where(col(Course.active))


def referrers(_session: Session, actor: Actor) -> SelectOfScalar[Customer]:
    """Whom a customer may have been referred by: those whose record the actor may open."""
    return select_rows(Customer).where(may_open(actor))


def called(customer: Customer) -> Says:
    """A customer among others of that name, without a word of how to reach them."""
    return says("{name} · No. {number}", name=customer.name, number=str(customer.id))


def not_to_change(session: Session, actor: Actor, rows: Sequence[Customer]) -> Mapping[int, Says]:
    """Which of these customers the actor may see and not change, by id. Asks nothing where it can see no such one."""
    if _farthest(actor, EDITS) >= _farthest(actor, VIEWS):
        return {}
    ids = [row.id for row in rows if row.id is not None]
    mine = set(
        session.scalars(select(col(Customer.id)).where(col(Customer.id).in_(ids), allowed_by_any(actor, *EDITS)))
    )
    return {each: says("You may look at this customer, but not change it.") for each in ids if each not in mine}


def _farthest(actor: Actor, permissions: Sequence[str]) -> int:
    return max(actor.reach(permission) or 0 for permission in permissions)
