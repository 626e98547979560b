"""Places in classes and apologies for tests of teaching; classes, students and days are in `tests.school_builders`."""

from datetime import date, timedelta

from sqlmodel import Session

from crm.domain.classes import ClassGroup
from crm.domain.students import Enrolment, Student
from crm.domain.teaching import Apology, ApologyState
from tests.builders import NOON, saved
from tests.school_builders import TODAY, an_enrolment

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
