"""The list of students at risk, with reasons: computed when somebody looks, from a few queries for all of them."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import String, and_, func, select, type_coerce
from sqlmodel import Session, col

from crm.domain.at_risk import Known, Limits, reasons
from crm.domain.attendance import Figure
from crm.domain.calendar import day_of
from crm.domain.classes import ClassGroup, ClassState
from crm.domain.customers import Customer
from crm.domain.scores import average, in_effect
from crm.domain.students import Enrolment, Student
from crm.domain.teaching import Attendance, CourseRecord, ScoreState, StudyRecord
from crm.i18n import Says
from crm.rbac import Actor
from crm.services.attendance import attendance_figures
from crm.services.classes import class_names
from crm.services.classes.class_scopes import CLASSES, in_class_on
from crm.services.scores.gradebook_scopes import COUNTS, VIEW
from crm.services.students.student_names import told_apart
from crm.settings import settings

_STATES = {state.value: state for state in ScoreState}
_MARKS = {mark.value: mark for mark in Attendance}


class AtRisk(NamedTuple):
    """A student who is in a class today and at risk there, with the figures beside the reasons."""

    student_id: int
    name: str
    class_id: int
    class_name: Says
    reasons: tuple[Says, ...]
    attended: Figure
    average: float | None
    missing: int


def limits() -> Limits:
    """The numbers that the settings name."""
    found = settings().at_risk
    return Limits(found.absences_in_a_row, found.missing_homework, found.falling_points, attendance_figures.required())


def at_risk(
    session: Session, actor: Actor, now: datetime, class_id: int | None = None, permission: str = VIEW
) -> list[AtRisk]:
    """Who is at risk in the classes not finished that the actor may open, or in one of them; most reasons first.

    Of a class that is not the actor's: nobody. Raises `NotAllowed`.
    """
    actor.require(permission)
    today = day_of(now, settings().zone)
    mine = select(col(ClassGroup.id)).where(
        # Also of one that is still called planned: nobody may have said yet that it began.
        CLASSES.where(actor, permission),
        col(ClassGroup.state) != ClassState.FINISHED,
    )
    if class_id is not None:
        mine = mine.where(col(ClassGroup.id) == class_id)
    names = _in_class(session, mine, today)
    if not names:
        return []
    in_these = col(CourseRecord.class_group_id).in_(mine)
    figures = attendance_figures.figures(session, in_these)
    left = attendance_figures.days_left(session, in_these)
    complete = _complete(session, mine, today)
    days = _days(session, in_these)
    called = class_names.named(session, {group for _student, group in names})
    bounds, found = limits(), []
    for (student, group), name in names.items():
        rows = days.get((student, group), ())
        # By the one formula an absence that was made up is not missed.
        marks = [Attendance.PRESENT if row.made_up else _MARKS[row.attendance] for row in rows if row.taken]
        stands = [
            in_effect(_STATES[row.state], handed_in=bool(row.handed_in), due_on=row.due_on, today=today) for row in rows
        ]
        missing, numbers = stands.count(ScoreState.MISSING), [row.score for row in rows]
        attended = figures.get((student, group), Figure())
        known = Known(marks, numbers, missing, attended, left.get((student, group), 0), group in complete)
        why = reasons(known, bounds)
        if why:
            found.append(AtRisk(student, name, group, called[group], why, attended, average(numbers), missing))
    return sorted(found, key=lambda one: (-len(one.reasons), str(one.class_name), one.name, one.student_id))


def _in_class(session: Session, classes: Any, today: Any) -> dict[tuple[int, int], str]:
    """(student, class) -> name, of who has a place there today."""
    asked = (
        select(col(Enrolment.student_id), col(Enrolment.class_group_id), col(Customer.name), col(Customer.id))
        .join(Student, col(Student.id) == col(Enrolment.student_id))
        .join(Customer, col(Customer.id) == col(Student.customer_id))
        .where(col(Enrolment.class_group_id).in_(classes), in_class_on(today))
    )
    rows = session.execute(asked).all()
    numbers = {student: number for student, _group, _name, number in rows}
    names = told_apart({student: name for student, _group, name, _number in rows}, numbers)
    return {(student, group): names[student] for student, group, _name, _number in rows}


def _complete(session: Session, classes: Any, today: Any) -> set[int]:
    """The classes that get no further days: their last day has gone by, or has its course record already."""
    last = select(func.max(col(CourseRecord.held_on))).where(col(CourseRecord.class_group_id) == col(ClassGroup.id))
    over = (col(ClassGroup.ends_on) < today) | (col(ClassGroup.ends_on) <= last.scalar_subquery())
    asked = select(col(ClassGroup.id)).where(col(ClassGroup.id).in_(classes), over)
    return {key for key in session.scalars(asked) if key is not None}


def _days(session: Session, in_these: Any) -> dict[tuple[int, int], Sequence[Any]]:
    """(student, class) -> what each of their days says, in day order. Choices as they are stored: there are many."""
    asked: Any = (
        select(
            col(StudyRecord.student_id),
            col(CourseRecord.class_group_id),
            type_coerce(col(StudyRecord.attendance), String).label("attendance"),
            col(CourseRecord.taken_at).is_not(None).label("taken"),
            and_(col(StudyRecord.attendance) == Attendance.ABSENT, attendance_figures.MADE_UP).label("made_up"),
            type_coerce(col(StudyRecord.score_state), String).label("state"),
            col(StudyRecord.score),
            col(StudyRecord.handed_in_at).is_not(None).label("handed_in"),
            col(CourseRecord.homework_due_on).label("due_on"),
        )
        .join(CourseRecord, col(CourseRecord.id) == col(StudyRecord.course_record_id))
        .where(in_these, COUNTS)
        .order_by(col(CourseRecord.held_on), col(CourseRecord.day_number))
    )
    found: dict[tuple[int, int], list[Any]] = defaultdict(list)
    for row in session.execute(asked).all():
        found[row[0], row[1]].append(row)
    return dict(found)
