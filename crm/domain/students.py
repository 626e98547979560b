"""Students, and their places in classes."""

from datetime import date, datetime

from sqlalchemy import CheckConstraint, Index, text
from sqlmodel import Field, SQLModel

from crm.domain.base import Moment


class Student(SQLModel, table=True):
    """A customer who enrolled, with or without a sign-in of their own. The salary of the placement is yuan a month."""

    __tablename__ = "student"
    __table_args__ = (CheckConstraint("placed_salary IS NULL OR placed_salary >= 0", name="salary"),)

    id: int | None = Field(default=None, primary_key=True)
    customer_id: int = Field(foreign_key="customer.id", unique=True)
    account_id: int | None = Field(default=None, foreign_key="account.id", unique=True)
    contact_in_need: str | None = Field(default=None, max_length=64)
    contact_in_need_phone: str | None = Field(default=None, max_length=20)
    placed_company: str | None = Field(default=None, max_length=100)
    placed_place: str | None = Field(default=None, max_length=100)
    placed_position: str | None = Field(default=None, max_length=100)
    placed_salary: int | None = Field(default=None, ge=0, le=10_000_000)
    placed_benefits: str | None = Field(default=None, max_length=500)
    placed_on: date | None = Field(default=None)
    created_at: datetime = Field(sa_type=Moment)
    version: int = Field(default=1)


class Enrolment(SQLModel, table=True):
    """A student's place in a class, on every day from `joined_on` until the day before `left_on`.

    Whoever changes class on a day leaves the one and joins the other on that day, and is never in both.
    Rows are closed and opened anew, not rewritten, so that what was true on a day stays to be asked.
    """

    __tablename__ = "enrolment"
    __table_args__ = (
        CheckConstraint("left_on IS NULL OR left_on >= joined_on", name="dates"),
        Index(
            "uq_enrolment_open",
            "student_id",
            "class_group_id",
            unique=True,
            sqlite_where=text("left_on IS NULL"),
            postgresql_where=text("left_on IS NULL"),
        ),
        Index("ix_enrolment_class", "class_group_id", "joined_on"),
        Index("ix_enrolment_student", "student_id"),
    )

    id: int | None = Field(default=None, primary_key=True)
    student_id: int = Field(foreign_key="student.id")
    class_group_id: int = Field(foreign_key="class_group.id")
    joined_on: date
    left_on: date | None = Field(default=None)
    payment_id: int | None = Field(default=None, foreign_key="payment.id")
    ended_by_id: int | None = Field(default=None, foreign_key="payment.id")
    version: int = Field(default=1)
