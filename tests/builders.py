"""Rows and people for tests: each builder takes what matters to the test and fills in the rest.

Builders write through the session, flush, and never commit. Names and numbers that do not matter are unique.
"""

from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from itertools import count
from typing import Any
from zoneinfo import ZoneInfo

from sqlmodel import Session, select

from crm.domain.accounts import Account
from crm.domain.customers import Customer, CustomerState
from crm.domain.episodes import Assignment, FollowUp, Origin, Outcome
from crm.domain.payments import Payment, PaymentKind, PaymentState
from crm.domain.staff import ConsultantQuota, Department, Employee
from crm.rbac import Actor, Reach
from crm.services.access.permissions import DEFAULT_ROLES

NOON = datetime(2025, 3, 3, 4, 0, tzinfo=UTC)
"""Monday noon in Shanghai."""


def school_day(moment: datetime) -> date:
    """The day of the moment where the school is: in Shanghai, where it begins while UTC still has the day before."""
    return moment.astimezone(ZoneInfo("Asia/Shanghai")).date()


SALES = 1001
"""The department of whoever's department does not matter."""

_number = count(1)


def an_account(session: Session, name: str | None = None, **values: Any) -> Account:
    """A sign-in that nobody can use: its hash belongs to no password."""
    row = Account(
        **{
            "name": name or f"person{next(_number)}",
            "password_hash": "!",
            "created_at": NOON,
            **values,
        }
    )
    return saved(session, row)


def a_department(session: Session, code: int = SALES, name: str = "Sales") -> Department:
    """The department of that code, made at first use."""
    found = session.exec(select(Department).where(Department.code == code)).first()
    return found or saved(session, Department(code=code, name=name))


def an_employee(session: Session, name: str | None = None, *, department: int = SALES, **values: Any) -> Employee:
    """A member of staff with a sign-in."""
    a_department(session, department)
    name = name or f"Employee {next(_number)}"
    if "account_id" not in values:
        values["account_id"] = an_account(session, display_name=name).id
    return saved(session, Employee(name=name, department_code=department, **values))


def a_consultant(
    session: Session,
    name: str | None = None,
    *,
    weight: int = 10,
    max_customers: int = 200,
    max_per_day: int | None = None,
    accepting: bool = True,
    away_until: date | None = None,
    department: int = SALES,
    **values: Any,
) -> Employee:
    """A member of staff who takes part in sharing out. `.id` is what customers carry."""
    employee = an_employee(session, name, department=department, **values)
    saved(
        session,
        ConsultantQuota(
            employee_id=employee.id,
            weight=weight,
            max_customers=max_customers,
            max_per_day=max_per_day,
            accepting=accepting,
            away_until=away_until,
        ),
    )
    return employee


def a_customer(session: Session, name: str | None = None, **values: Any) -> Customer:
    """A customer who waits, with a phone number of their own."""
    number = next(_number)
    if not values.keys() & {"phone", "qq", "wechat"}:
        values["phone"] = f"139{number:08d}"
    return saved(session, Customer(**{"name": name or f"Customer {number}", "created_at": NOON, **values}))


def customers_waiting(session: Session, count: int) -> list[Customer]:
    """Some customers who wait, oldest first."""
    return [a_customer(session, created_at=NOON + timedelta(seconds=each)) for each in range(count)]


def a_private_customer(
    session: Session,
    consultant: Employee,
    *,
    since: datetime = NOON,
    follow_up_days: float = 3,
    deal_days: float = 15,
    **values: Any,
) -> Customer:
    """A customer with a consultant: an open episode since `since`, deadlines so many days later."""
    customer = a_customer(
        session,
        **{
            "created_at": since,
            "state": CustomerState.PRIVATE,
            "consultant_id": consultant.id,
            "follow_up_due_at": since + timedelta(days=follow_up_days),
            "deal_due_at": since + timedelta(days=deal_days),
            **values,
        },
    )
    an_episode(session, customer, consultant, opened_at=since)
    return customer


def a_public_customer(
    session: Session, last_consultant: Employee | None = None, *, since: datetime = NOON, **values: Any
) -> Customer:
    """A customer in the pool; with a last consultant, also the closed episode."""
    customer = a_customer(
        session,
        **{
            "created_at": since,
            "state": CustomerState.PUBLIC,
            "last_consultant_id": last_consultant.id if last_consultant else None,
            **values,
        },
    )
    if last_consultant:
        an_episode(
            session,
            customer,
            last_consultant,
            opened_at=since - timedelta(days=3),
            closed_at=since,
            outcome=Outcome.NO_FOLLOW_UP,
        )
    return customer


def an_episode(session: Session, customer: Customer, consultant: Employee, **values: Any) -> Assignment:
    """One episode of a consultant holding a customer; open unless closed by `values`."""
    return saved(
        session,
        Assignment(
            **{
                "customer_id": customer.id,
                "consultant_id": consultant.id,
                "origin": Origin.SHARED,
                "opened_at": NOON,
                **values,
            }
        ),
    )


def a_follow_up(session: Session, customer: Customer, *, at: datetime = NOON, **values: Any) -> FollowUp:
    """A contact by the consultant who holds the customer. The deadlines are left as they are."""
    return saved(
        session,
        FollowUp(
            **{
                "customer_id": customer.id,
                "consultant_id": customer.consultant_id,
                "at": at,
                "note": "Asked about the evening class.",
                **values,
            }
        ),
    )


def a_payment(
    session: Session, customer: Customer, state: PaymentState = PaymentState.PENDING, **values: Any
) -> Payment:
    """A deposit of 500 yuan that awaits confirmation."""
    if "recorded_by_id" not in values:
        values["recorded_by_id"] = an_account(session).id
    return saved(
        session,
        Payment(
            **{
                "customer_id": customer.id,
                "kind": PaymentKind.DEPOSIT,
                "state": state,
                "amount_cents": 50_000,
                "recorded_at": NOON,
                "decided_at": None if state is PaymentState.PENDING else values.get("recorded_at", NOON),
                **values,
            }
        ),
    )


def an_actor(
    *actions: str,
    reach: Reach = Reach.ALL,
    role: str | None = None,
    of: Employee | None = None,
    account_id: int | None = None,
    name: str = "Somebody",
) -> Actor:
    """A person with these actions at `reach`, or with the grants of a default `role`.

    `of` makes it that employee: own rows, own department, own account.
    """
    grants = dict.fromkeys(actions, reach)
    if role:
        grants |= next(dict(each.grants) for each in DEFAULT_ROLES if each.name == role)
    return Actor(
        account_id=of.account_id if of else account_id,
        name=of.name if of else name,
        grants=grants,
        roles=(role,) if role else (),
        owner_id=of.id if of else None,
        department=of.department_code if of else None,
    )


def ids(rows: Iterable[Any]) -> list[int]:
    """The primary keys of rows."""
    return [row.id for row in rows]


def saved(session: Session, row: Any) -> Any:
    """The row, flushed, with its key."""
    session.add(row)
    session.flush()
    return row
