"""A class that is taught, places and apologies for tests of teaching; the rest is in `tests.school_builders`."""

from datetime import date, timedelta

from sqlmodel import Session, select

from crm.domain.classes import ClassGroup
from crm.domain.students import Enrolment, Student
from crm.domain.teaching import Apology, ApologyState, CourseRecord, StudyRecord
from crm.rbac import Actor
from crm.services.classes.study_records import initialise
from tests.builders import NOON, an_actor, an_employee, saved
from tests.school_builders import TODAY, a_class_group, a_course_record, a_student, an_enrolment

DAY = TODAY
"""The school's day at NOON, a Monday."""


def in_class(
    session: Session, student: Student, group: ClassGroup, joined_on: date | None = None, left_on: date | None = None
) -> Enrolment:
    """The student's place in the class, from a month before DAY unless said."""
    joined_on = joined_on or DAY - timedelta(days=30)
    return an_enrolment(session, student, group, joined_on=joined_on, left_on=left_on, paid=False)


def an_apology(
    session: Session, student: Student, group: ClassGroup, day: date = DAY, state: ApologyState = ApologyState.ASKED
) -> Apology:
    """An apology for that day."""
    named = {"student_id": student.id, "class_group_id": group.id}
    made: Apology = saved(session, Apology(**named, day=day, reason="At the dentist.", state=state, asked_at=NOON))
    return made


class Taught:
    """A class with a lecturer, a class teacher, two students and an initialised day."""

    def __init__(self, session: Session) -> None:
        self.lecturer, self.teacher = an_employee(session), an_employee(session)
        self.group = a_class_group(session, self.lecturer, teacher=self.teacher)
        self.ann, self.ben = a_student(session, "Ann"), a_student(session, "Ben")
        for student in (self.ann, self.ben):
            in_class(session, student, self.group)
        self.day = a_course_record(session, self.group, DAY, lecturer_id=self.lecturer.id)
        initialise(session, [self.day.id], NOON)
        self.actor = an_actor(role="lecturer", of=self.lecturer)
        self.head = an_actor(role="class_teacher", of=self.teacher)

    def row(self, session: Session, student: Student, day: CourseRecord | None = None) -> StudyRecord:
        return session.exec(
            select(StudyRecord)
            .where(StudyRecord.course_record_id == (day or self.day).id, StudyRecord.student_id == student.id)
            .execution_options(populate_existing=True)
        ).one()

    def as_student(self, student: Student) -> Actor:
        return an_actor(role="student", account_id=student.account_id)
