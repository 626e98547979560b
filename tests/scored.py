"""A class whose days are scored, for tests: lecturer, students, days with homework, and study records."""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from sqlmodel import Session

from crm.domain.classes import ClassGroup
from crm.domain.staff import Employee
from crm.domain.students import Student
from crm.domain.teaching import CourseRecord, ScoreState, StudyRecord
from tests.builders import NOON, an_employee
from tests.school_builders import TODAY, a_class_group, a_course_record, a_student_in, a_study_record


@dataclass(frozen=True)
class Class:
    """A class, who teaches it, and who is in it in the order of their names."""

    group: ClassGroup
    lecturer: Employee
    students: list[Student]


def a_scored_class(session: Session, students: int = 3, **values: Any) -> Class:
    """A running class that began a month ago, with a lecturer and students named 01, 02, ..."""
    lecturer = an_employee(session, department=1003)
    group = a_class_group(session, lecturer, **{"starts_on": TODAY - timedelta(days=30), **values})
    return Class(group, lecturer, [a_student_in(session, group, f"{each + 1:02}") for each in range(students)])


def a_day(
    session: Session, of: Class, held_on: date = TODAY, due_in: int | None = 3, **values: Any
) -> tuple[CourseRecord, list[StudyRecord]]:
    """A day with homework that is due so many days later (None: no homework), and everybody's study record."""
    if due_in is not None:
        values = {"homework_title": "Exercise", "homework_due_on": held_on + timedelta(days=due_in), **values}
    record = a_course_record(session, of.group, held_on, **{"initialised_at": NOON, **values})
    return record, [a_study_record(session, record, student) for student in of.students]


def grade(row: StudyRecord, number: int | None) -> None:
    """The study record is graded; None: not scored."""
    row.score_state = ScoreState.NOT_DUE if number is None else ScoreState.GRADED
    row.score = number
