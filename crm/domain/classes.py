"""Class groups: one run of a course at a campus, and who teaches it."""

from datetime import date

from sqlalchemy import CheckConstraint, UniqueConstraint
from sqlmodel import Field, SQLModel

from crm.domain.base import Choice, choice_type
from crm.i18n import says


class ClassState(Choice):
    """Where a class stands."""

    PLANNED = "planned", says("Planned")
    RUNNING = "running", says("Under way")
    FINISHED = "finished", says("Finished")


class ClassGroup(SQLModel, table=True):
    """One run of a course at a campus: `semester` counts the runs there. The price in cents, as agreed for this run.

    Lecturers are many (`ClassLecturer`), the class teacher is one. `capacity` bounds those in the class on a day.
    """

    __tablename__ = "class_group"
    __table_args__ = (
        UniqueConstraint("school_id", "course_id", "semester"),
        CheckConstraint("semester >= 1", name="semester"),
        CheckConstraint("capacity >= 1", name="capacity"),
        CheckConstraint("price_cents >= 0", name="price"),
        CheckConstraint("ends_on IS NULL OR ends_on >= starts_on", name="dates"),
    )

    id: int | None = Field(default=None, primary_key=True)
    school_id: int = Field(foreign_key="school.id")
    course_id: int = Field(foreign_key="course.id", index=True)
    semester: int = Field(ge=1, le=9999)
    price_cents: int = Field(default=0, ge=0)
    capacity: int = Field(default=40, ge=1, le=1000)
    starts_on: date
    ends_on: date | None = Field(default=None)
    teacher_id: int | None = Field(default=None, foreign_key="employee.id", index=True)
    state: ClassState = Field(default=ClassState.PLANNED, sa_type=choice_type(ClassState))
    note: str | None = Field(default=None, max_length=500)
    version: int = Field(default=1)


class ClassLecturer(SQLModel, table=True):
    """A lecturer of a class."""

    __tablename__ = "class_lecturer"

    class_group_id: int = Field(foreign_key="class_group.id", primary_key=True, ondelete="CASCADE")
    employee_id: int = Field(foreign_key="employee.id", primary_key=True, index=True)
