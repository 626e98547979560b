"""One day of a class, and one student on it: attendance, homework, score."""

from datetime import date, datetime

from sqlalchemy import CheckConstraint, Index, UniqueConstraint
from sqlmodel import Field, SQLModel

from crm.domain.base import NUMBERS_ONCE, Choice, Moment, choice_type
from crm.i18n import says


class Attendance(Choice):
    """How a student was there. Present is the default, and no evidence until the day was taken."""

    PRESENT = "present", says("Present")
    EXCUSED = "excused", says("Excused")
    LATE = "late", says("Late")
    ABSENT = "absent", says("Absent")
    LEFT_EARLY = "left_early", says("Left early")


class ScoreState(Choice):
    """How a homework stands. Only `graded` has a number."""

    NOT_DUE = "not_due", says("Not due")
    MISSING = "missing", says("Missing")
    GRADED = "graded", says("Graded")
    COPIED = "copied", says("Copied")
    FAILED = "failed", says("Did not pass")


class ApologyState(Choice):
    """The class teacher decides an apology."""

    ASKED = "asked", says("Asked")
    ACCEPTED = "accepted", says("Accepted")
    DECLINED = "declined", says("Declined")
    WITHDRAWN = "withdrawn", says("Taken back")


class DayState(Choice):
    """Where a day of a class stands. Initialised is not taken: a default is no evidence until a teacher confirms it."""

    NEW = "new", says("Not initialised")
    INITIALISED = "initialised", says("Initialised")
    TAKEN = "taken", says("Taken")


class CourseRecord(SQLModel, table=True):
    """One day of a class. Day numbers run on by themselves.

    `initialised_at`: study records were made. `taken_at`: a teacher confirmed the attendance; until then
    every figure leaves the day out. `reminded_at`: the teachers were told that it was not taken.
    The homework is due at the end of `homework_due_on` on the school's clock; without a title there is none.
    `exam_points` says what earns points.
    """

    __tablename__ = "course_record"
    __table_args__ = (
        UniqueConstraint("class_group_id", "day_number"),
        CheckConstraint("day_number >= 1", name="day_number"),
        CheckConstraint("taken_at IS NULL OR initialised_at IS NOT NULL", name="taken"),
        CheckConstraint("homework_due_on IS NULL OR homework_title IS NOT NULL", name="homework"),
        Index("ix_course_record_held", "held_on", "class_group_id"),
        Index("ix_course_record_class", "class_group_id", "held_on"),
        NUMBERS_ONCE,
    )

    id: int | None = Field(default=None, primary_key=True)
    class_group_id: int = Field(foreign_key="class_group.id")
    day_number: int = Field(ge=1)
    held_on: date
    lecturer_id: int | None = Field(default=None, foreign_key="employee.id", index=True)
    title: str = Field(default="", max_length=100)
    content: str | None = Field(default=None, max_length=2000)
    homework_title: str | None = Field(default=None, max_length=100)
    homework_brief: str | None = Field(default=None, max_length=4000)
    homework_due_on: date | None = Field(default=None)
    exam_points: str | None = Field(default=None, max_length=1000)
    initialised_at: datetime | None = Field(default=None, sa_type=Moment)
    taken_at: datetime | None = Field(default=None, sa_type=Moment)
    taken_by_id: int | None = Field(default=None, foreign_key="account.id")
    reminded_at: datetime | None = Field(default=None, sa_type=Moment)
    version: int = Field(default=1)


class DeletedDay(SQLModel, table=True):
    """A day of a class that was deleted, for as long as it can be brought back.

    `record_id` is the number that its course record had, `kept` all else that the record held, as JSON. Its study
    records are not kept: nothing was recorded in them, so initialising makes them again.
    """

    __tablename__ = "deleted_day"
    __table_args__ = NUMBERS_ONCE

    id: int | None = Field(default=None, primary_key=True)
    record_id: int = Field(index=True)
    class_group_id: int = Field(foreign_key="class_group.id", index=True)
    day_number: int = Field(ge=1)
    held_on: date
    title: str = Field(default="", max_length=100)
    kept: str
    deleted_at: datetime = Field(sa_type=Moment, index=True)
    deleted_by_id: int | None = Field(default=None, foreign_key="account.id")


class StudyRecord(SQLModel, table=True):
    """One student on one course record, once.

    `late_minutes` only when late. `score` from 0 to 100 only when graded: a state is never a number.
    `makes_up_id` is the missed study record that this one, of another day or class, makes up for.
    The file that was handed in lies under `homework_file` outside the web root; `homework_file_name` is what the
    student called it.
    """

    __tablename__ = "study_record"
    __table_args__ = (
        UniqueConstraint("course_record_id", "student_id"),
        CheckConstraint("(score_state = 'graded') = (score IS NOT NULL)", name="graded"),
        CheckConstraint("score IS NULL OR (score >= 0 AND score <= 100)", name="score"),
        CheckConstraint("late_minutes IS NULL OR (attendance = 'late' AND late_minutes > 0)", name="late"),
        Index("ix_study_record_student", "student_id", "course_record_id"),
        # The scores of a day in order, without the rows: medians are read from it.
        Index("ix_study_record_scores", "course_record_id", "score"),
        NUMBERS_ONCE,
    )

    id: int | None = Field(default=None, primary_key=True)
    course_record_id: int = Field(foreign_key="course_record.id")
    student_id: int = Field(foreign_key="student.id")
    attendance: Attendance = Field(default=Attendance.PRESENT, sa_type=choice_type(Attendance))
    late_minutes: int | None = Field(default=None, ge=1, le=1440)
    makes_up_id: int | None = Field(default=None, foreign_key="study_record.id", unique=True)
    score_state: ScoreState = Field(default=ScoreState.NOT_DUE, sa_type=choice_type(ScoreState))
    score: int | None = Field(default=None, ge=0, le=100)
    homework_text: str | None = Field(default=None, max_length=20_000)
    homework_file: str | None = Field(default=None, max_length=64)
    homework_file_name: str | None = Field(default=None, max_length=200)
    handed_in_at: datetime | None = Field(default=None, sa_type=Moment)
    teacher_remark: str | None = Field(default=None, max_length=2000)
    student_remark: str | None = Field(default=None, max_length=2000)
    scored_at: datetime | None = Field(default=None, sa_type=Moment)
    scored_by_id: int | None = Field(default=None, foreign_key="account.id")
    version: int = Field(default=1)


class Apology(SQLModel, table=True):
    """A student asks in advance to be excused from a class on a day. Accepted, that day is `excused`.

    It names the day and not a course record, which may not be there yet.
    """

    __tablename__ = "apology"
    __table_args__ = (UniqueConstraint("student_id", "class_group_id", "day"),)

    id: int | None = Field(default=None, primary_key=True)
    student_id: int = Field(foreign_key="student.id")
    class_group_id: int = Field(foreign_key="class_group.id", index=True)
    day: date
    reason: str = Field(min_length=1, max_length=500)
    state: ApologyState = Field(default=ApologyState.ASKED, sa_type=choice_type(ApologyState))
    asked_at: datetime = Field(sa_type=Moment)
    decided_at: datetime | None = Field(default=None, sa_type=Moment)
    decided_by_id: int | None = Field(default=None, foreign_key="account.id")
    answer: str | None = Field(default=None, max_length=500)
    version: int = Field(default=1)
