"""Who may look at staff and departments and not change them: said of a row before anybody tries."""

from collections.abc import Mapping, Sequence

from sqlalchemy import select
from sqlmodel import Session, col

from crm.domain.staff import Department, Employee
from crm.i18n import Says, says
from crm.rbac import Actor, Reach
from crm.services.customers.scopes import STAFF

VIEW, EDIT = "staff.view", "staff.edit"
_OWN_ONLY = says("You look after your own department only.")
_CODE_STAYS = says("Somebody is in this department, so its code stays.")


def staff_of_others(session: Session, actor: Actor, rows: Sequence[Employee]) -> Mapping[int, Says]:
    """Which of these employees the actor may look at and not change, by id."""
    if (actor.reach(EDIT) or 0) >= (actor.reach(VIEW) or 0):
        return {}
    ids = [row.id for row in rows if row.id is not None]
    asked = select(col(Employee.id)).where(col(Employee.id).in_(ids), STAFF.where(actor, EDIT))
    mine = set(session.scalars(asked))
    return {each: says("You may look at this employee, but not change anything.") for each in ids if each not in mine}


def departments_closed(
    session: Session, actor: Actor, rows: Sequence[Department]
) -> Mapping[int, Says | Mapping[str, Says]]:
    """What the actor may not change of these departments: others than the own, and a code that somebody refers to."""
    codes = [row.code for row in rows]
    used = set(session.scalars(select(col(Employee.department_code)).where(col(Employee.department_code).in_(codes))))
    of_all = actor.reach(EDIT) is Reach.ALL
    found: dict[int, Says | Mapping[str, Says]] = {}
    for row in rows:
        if row.id is None or not (of_all or actor.reach(EDIT) is Reach.DEPARTMENT):
            continue
        if not of_all and row.code != actor.department:
            found[row.id] = _OWN_ONLY
        elif not of_all or row.code in used:
            found[row.id] = {"code": _CODE_STAYS if row.code in used else _OWN_ONLY}
    return found
