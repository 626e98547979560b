"""Departments, employees, and how much each consultant is given."""

from datetime import date, datetime

from sqlalchemy import CheckConstraint
from sqlmodel import Field, SQLModel

from crm.domain.base import Moment

MAX_WEIGHT = 1000


class Department(SQLModel, table=True):
    """A department. Employees refer to it by `code`, not by id."""

    __tablename__ = "department"

    id: int | None = Field(default=None, primary_key=True)
    code: int = Field(unique=True, ge=1)
    name: str = Field(max_length=100)
    version: int = Field(default=1)


class Employee(SQLModel, table=True):
    """A member of staff, with or without a sign-in."""

    __tablename__ = "employee"

    id: int | None = Field(default=None, primary_key=True)
    name: str = Field(max_length=100, min_length=1)
    department_code: int = Field(foreign_key="department.code", index=True)
    account_id: int | None = Field(default=None, foreign_key="account.id", unique=True)
    email: str | None = Field(default=None, max_length=254)
    mobile: str | None = Field(default=None, max_length=32)
    wecom: str | None = Field(default=None, max_length=64)
    active: bool = Field(default=True)
    version: int = Field(default=1)


class ConsultantQuota(SQLModel, table=True):
    """How a consultant takes part in sharing out.

    `weight` is the part in proportion, `max_customers` the cap of customers held,
    `max_per_day` the cap of new ones a school day (none: no limit), `away_until` the last day away.
    `served`, `carry` and `taking_part` are the memory of sharing out (`crm.domain.sharing`),
    which no person edits: picks in this round, what is owed from earlier rounds (ten-thousandths
    of a customer), and whether the consultant is in the round at all.
    """

    __tablename__ = "consultant_quota"
    __table_args__ = (
        CheckConstraint(f"weight >= 0 AND weight <= {MAX_WEIGHT}", name="weight"),
        CheckConstraint("max_customers >= 0", name="max_customers"),
        CheckConstraint("max_per_day IS NULL OR max_per_day >= 0", name="max_per_day"),
        CheckConstraint("served >= 0", name="served"),
    )

    employee_id: int = Field(foreign_key="employee.id", primary_key=True)
    weight: int = Field(default=10, ge=0, le=MAX_WEIGHT)
    max_customers: int = Field(default=200, ge=0)
    max_per_day: int | None = Field(default=None, ge=0)
    accepting: bool = Field(default=True)
    away_until: date | None = Field(default=None)
    served: int = Field(default=0)
    carry: int = Field(default=0)
    taking_part: bool = Field(default=False)
    round_weight: int = Field(default=0)
    version: int = Field(default=1)


class SharingRound(SQLModel, table=True):
    """The one row that counts: `step` picks in this round, `revision` over all time.

    A round lasts as long as the set of consultants and their weights stay the same.
    `revision` rises with every write, so that a copy elsewhere (Redis) knows when it is stale.
    """

    __tablename__ = "sharing_round"
    __table_args__ = (CheckConstraint("id = 1", name="single"),)

    id: int = Field(default=1, primary_key=True, sa_column_kwargs={"autoincrement": False})
    step: int = Field(default=0)
    revision: int = Field(default=0)
    changed_at: datetime | None = Field(default=None, sa_type=Moment)
