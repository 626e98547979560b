"""A class with students and days, for tests of teaching: each builder takes what matters and fills in the rest."""

from datetime import date, timedelta
from itertools import count
from typing import Any

from sqlmodel import Session, select

from crm.domain.classes import ClassGroup, ClassLecturer
from crm.domain.school import Course, School
from crm.domain.staff import Employee
from crm.domain.students import Enrolment, Student
from crm.domain.teaching import Apology, ApologyState, CourseRecord, StudyRecord
from tests.builders import NOON, _saved, a_customer, an_employee

DAY = date(2025, 3, 3)
"""The school's day at NOON, a Monday."""

_number = count(1)


def a_class(session: Session, *lecturers: Employee, **values: Any) -> ClassGroup:
    """A class that runs, of a course of its own, with these lecturers."""
    number = next(_number)
    if "course_id" not in values:
        values["course_id"] = _saved(session, Course(name=f"Course {number}")).id
    school = session.exec(select(School)).first() or _saved(session, School(name="Campus"))
    made: ClassGroup = _saved(
        session, ClassGroup(**{"school_id": school.id, "semester": number, "starts_on": DAY, **values})
    )
    for one in lecturers:
        _saved(session, ClassLecturer(class_group_id=made.id, employee_id=one.id))
    return made


def a_lecturer(session: Session, name: str | None = None, **values: Any) -> Employee:
    """A member of staff who teaches."""
    return an_employee(session, name, **values)


def a_student(session: Session, name: str | None = None, **values: Any) -> Student:
    """Somebody who enrolled, in no class yet."""
    customer = a_customer(session, name)
    made: Student = _saved(session, Student(customer_id=customer.id, created_at=NOON, **values))
    return made


def in_class(
    session: Session, student: Student, group: ClassGroup, joined_on: date | None = None, left_on: date | None = None
) -> Enrolment:
    """The student's place in the class, from a month before DAY unless said."""
    made: Enrolment = _saved(
        session,
        Enrolment(
            student_id=student.id,
            class_group_id=group.id,
            joined_on=joined_on or DAY - timedelta(days=30),
            left_on=left_on,
        ),
    )
    return made


def a_day(session: Session, group: ClassGroup, held_on: date = DAY, **values: Any) -> CourseRecord:
    """A course record of the class, numbered on."""
    before = session.exec(
        select(CourseRecord.day_number)
        .where(CourseRecord.class_group_id == group.id)
        .order_by(CourseRecord.day_number.desc())  # type: ignore[attr-defined]
    ).first()
    made: CourseRecord = _saved(
        session,
        CourseRecord(**{"class_group_id": group.id, "day_number": (before or 0) + 1, "held_on": held_on, **values}),
    )
    return made


def a_study_record(session: Session, day: CourseRecord, student: Student, **values: Any) -> StudyRecord:
    """One student on that day, present unless said."""
    made: StudyRecord = _saved(session, StudyRecord(course_record_id=day.id, student_id=student.id, **values))
    return made


def an_apology(
    session: Session, student: Student, group: ClassGroup, day: date = DAY, state: ApologyState = ApologyState.ASKED
) -> Apology:
    """An apology for that day."""
    made: Apology = _saved(
        session,
        Apology(
            student_id=student.id,
            class_group_id=group.id,
            day=day,
            reason="At the dentist.",
            state=state,
            asked_at=NOON,
        ),
    )
    return made
