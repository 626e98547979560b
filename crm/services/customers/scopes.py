"""Whose a customer is, said once: the same condition filters lists and checks single rows."""

from typing import Any

from sqlalchemy import ColumnElement, case, exists, false, or_, select, true
from sqlmodel import Session, col

from crm.domain.accounts import Account
from crm.domain.customers import Customer, CustomerState
from crm.domain.staff import Department, Employee
from crm.errors import NotFound
from crm.i18n import says
from crm.rbac import Actor, Scope

CUSTOMERS = Scope(
    key=col(Customer.id),
    own=lambda owner: col(Customer.consultant_id) == owner,
    department=lambda code: col(Customer.consultant_id).in_(
        select(col(Employee.id)).where(col(Employee.department_code) == code)
    ),
)
"""Customers by who holds them. Those whom nobody holds are in no one's reach but "all"."""

STAFF = Scope(
    key=col(Employee.id),
    own=lambda owner: col(Employee.id) == owner,
    department=lambda code: col(Employee.department_code) == code,
)
"""Staff: oneself, those of one's department, everybody."""

DEPARTMENTS = Scope(
    key=col(Department.id),
    own=lambda _owner: false(),
    department=lambda code: col(Department.code) == code,
)
"""Departments: one's own, all of them."""


def by_account(key: Any, account: Any) -> Scope:
    """Rows that belong to a sign-in, the column `account`: one's own, those of one's department's staff, everybody's.

    A row of nobody's is in no one's reach but "all".
    """
    return Scope(
        key=key,
        own=lambda owner: account.in_(select(col(Employee.account_id)).where(col(Employee.id) == owner)),
        department=lambda code: account.in_(
            select(col(Employee.account_id)).where(col(Employee.department_code) == code)
        ),
    )


ACCOUNTS = by_account(col(Account.id), col(Account.id))
"""Sign-ins."""


def of_nobody(key: Any) -> Scope:
    """Rows that are nobody's own and no department's: in no one's reach but "all"."""
    return Scope(key=key, own=lambda _owner: false(), department=lambda _code: false())


WORKS: ColumnElement[bool] = col(Employee.active) & ~exists().where(
    col(Account.id) == col(Employee.account_id), ~col(Account.active)
).correlate(Employee)
"""Staff who can be given customers: they work here, and their sign-in, where they have one, was not disabled."""

LIVE: ColumnElement[bool] = col(Customer.deleted_at).is_(None)
"""Customers that were not deleted."""

HELD: ColumnElement[bool] = col(Customer.state) == CustomerState.PRIVATE
"""Customers that a consultant holds."""

_EARLIER = case(
    (col(Customer.follow_up_due_at) < col(Customer.deal_due_at), col(Customer.follow_up_due_at)),
    else_=col(Customer.deal_due_at),
)
EXPIRES_AT = case((col(Customer.extended_until) > _EARLIER, col(Customer.extended_until)), else_=_EARLIER)
"""`crm.domain.deadlines.expires_at` as a column, to sort and count by."""

NO_SUCH = says("There is no such customer, or it is not yours to open.")
"""Said alike of those that do not exist and those that are none of the asker's business."""


def allowed(actor: Actor, permission: str) -> ColumnElement[bool]:
    """The customers on whom the actor may do `permission`, one of the pages customers, my-customers or pool.

    - `customers.*`: all that live, as far as the grant reaches;
    - `my-customers.*`: those that somebody holds, as far as the grant reaches (own: by the actor);
    - `pool.*`: the public ones, without those whom the actor held last.
    """
    page = permission.partition(".")[0]
    if page == "pool":
        return _in_pool(actor) if actor.may(permission) else false()
    within = CUSTOMERS.where(actor, permission)
    return LIVE & HELD & within if page == "my-customers" else LIVE & within


def allowed_by_any(actor: Actor, *permissions: str) -> ColumnElement[bool]:
    """The customers on whom at least one of the permissions may be done."""
    return or_(false(), *(allowed(actor, permission) for permission in permissions))


def may_open(actor: Actor) -> ColumnElement[bool]:
    """Every customer whose record the actor may open, by whichever page."""
    return allowed_by_any(actor, "customers.view", "my-customers.view", "pool.view")


def find(
    session: Session, condition: ColumnElement[bool], customer_id: int, action: str, *, lock: bool = False
) -> Customer:
    """The one customer, as the database has it now; with `lock`, nobody else changes it before the commit.

    Raises `NotFound` both when there is none and when the condition leaves it out: the two look the same.
    `action` is the permission that was used, for whoever keeps what was denied.
    """
    asked = select(Customer).where(col(Customer.id) == customer_id, condition)
    if lock:
        asked = asked.with_for_update()
    found = session.scalars(asked, execution_options={"populate_existing": True}).one_or_none()
    if found is None:
        raise NotFound(NO_SUCH, action, customer_id)
    return found


def _in_pool(actor: Actor) -> ColumnElement[bool]:
    others = true() if actor.owner_id is None else col(Customer.last_consultant_id).is_distinct_from(actor.owner_id)
    return LIVE & (col(Customer.state) == CustomerState.PUBLIC) & others
