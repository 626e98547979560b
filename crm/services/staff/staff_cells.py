"""What a person types about staff and quotas, checked."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import exists, select
from sqlmodel import Session, col

from crm.domain import normalise
from crm.domain.accounts import Account
from crm.domain.normalise import Wrong
from crm.domain.staff import MAX_WEIGHT, Department, Employee
from crm.errors import Invalid
from crm.i18n import Says, says
from crm.rbac import Actor, Reach
from crm.rbac import store as rbac
from crm.services.access.permissions import ADMINISTERS, gives_rights, may_as_much
from crm.services.customers.scopes import ACCOUNTS
from crm.services.typed_cells import Check, a_day, read_cells

MOST_CUSTOMERS = 1_000_000
HIGHEST_CODE = 999_999_999
FREE = col(Account.active) & ~exists().where(col(Employee.account_id) == col(Account.id)).correlate(Account)
"""Sign-ins that are nobody's yet and can be linked to a member of staff."""


def checked(session: Session, actor: Actor, checks: Mapping[str, Check], values: Mapping[str, Any]) -> dict[str, Any]:
    """The values ready for the columns. Raises `Invalid` with a message for every field that cannot be saved."""
    cells, wrong = read_cells(checks, values)
    if "department_code" in cells:
        wrong |= _department(session, actor, cells["department_code"])
    if cells.get("account_id") is not None:
        wrong |= _sign_in(session, actor, cells["account_id"])
    if wrong:
        raise Invalid.of(wrong)
    return cells


def _department(session: Session, actor: Actor, code: int) -> dict[str, Says]:
    if session.scalar(select(col(Department.id)).where(col(Department.code) == code)) is None:
        return {"department_code": says("There is no department {code}.", code=str(code))}
    if actor.reach("staff.edit") is not Reach.ALL and code != actor.department:
        return {"department_code": says("You look after your own department only.")}
    return {}


def _sign_in(session: Session, actor: Actor, account_id: int) -> dict[str, Says]:
    """A sign-in that somebody has, or that is of no account, or that may do more than the actor, is not linked."""
    actor.require(ADMINISTERS)
    free = select(col(Account.id)).where(col(Account.id) == account_id, FREE, ACCOUNTS.where(actor, ADMINISTERS))
    if account_id == actor.account_id and not gives_rights(actor):
        return {"account_id": says("Somebody else has to change this for you: it decides how far you reach.")}
    if session.scalar(free) is None:
        return {"account_id": says("Choose a sign-in that is active and that nobody has yet.")}
    if not may_as_much(actor, rbac.granted_to(session, account_id).grants):
        return {"account_id": says("This sign-in may do more than you, so you cannot link it.")}
    return {}


def _number_of(value: Any) -> int | None:
    if value is None or value == "":
        return None
    try:
        return int(value)
    except (TypeError, ValueError):
        raise Wrong(says("Choose a sign-in that is active and that nobody has yet.")) from None


def _department_number(value: Any) -> int:
    number: int = _whole(HIGHEST_CODE)(value)
    if number == 0:
        raise Wrong(says("Enter a whole number from 1 to {most}.", most=HIGHEST_CODE))
    return number


def _whole(most: int, empty: bool = False) -> Check:
    def check(value: Any) -> int | None:
        if value is None or value == "":
            if empty:
                return None
            raise Wrong(says("Enter a whole number from 0 to {most}.", most=most))
        try:
            number = int(value)
            exact = not isinstance(value, bool) and number == float(value)
        except (TypeError, ValueError, OverflowError):
            exact = False
        if not exact or not 0 <= number <= most:
            raise Wrong(says("Enter a whole number from 0 to {most}.", most=most))
        return number

    return check


def _yes_no(value: Any) -> bool:
    if value not in (True, False):
        raise Wrong(says("Answer yes or no."))
    return bool(value)


def _name(value: Any) -> str:
    found = normalise.name(value, longest=100)
    if not found:
        raise Wrong(says("Enter a name."))
    return found


def _code(value: Any) -> int:
    try:
        return int(value)
    except (TypeError, ValueError):
        raise Wrong(says("Choose a department.")) from None


QUOTA: Mapping[str, Check] = {
    "weight": _whole(MAX_WEIGHT),
    "max_customers": _whole(MOST_CUSTOMERS),
    "max_per_day": _whole(MOST_CUSTOMERS, empty=True),
    "accepting": _yes_no,
    "away_until": a_day,
}

EMPLOYEE: Mapping[str, Check] = {
    "name": _name,
    "department_code": _code,
    "email": normalise.email,
    "mobile": normalise.phone,
    "wecom": normalise.wechat,
    "active": _yes_no,
    "account_id": _number_of,
}

DEPARTMENT: Mapping[str, Check] = {"code": _department_number, "name": _name}
