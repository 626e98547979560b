"""The formula of `crm.domain.attendance` over many students at once: one query for a whole list."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, case, func, select
from sqlalchemy.orm import aliased
from sqlmodel import Session, col

from crm.domain.attendance import THERE, WHOLE, Attended, Figure, Rule, counted
from crm.domain.students import Enrolment
from crm.domain.teaching import Attendance, CourseRecord, StudyRecord
from crm.i18n import Says
from crm.rbac import Actor
from crm.services.classes.class_scopes import COURSE_RECORDS, IN_CLASS, in_class_on
from crm.settings import settings
from crm.store.many_rows import is_one_of


def rule() -> Rule:
    """The numbers that the settings name."""
    found = settings().attendance
    return Rule(found.late_over_minutes, round(found.late_absence * WHOLE))


def required() -> int:
    """The share that has to be attended, in percent."""
    return round(settings().attendance.required_share * WHOLE)


def _made_up() -> ColumnElement[bool]:
    # The day is asked for behind the record that makes it up, not joined: with statistics, by which hardly a record
    # makes up for anything, SQLite would begin with all days.
    making, day = aliased(StudyRecord), aliased(CourseRecord)
    taken = select(col(day.taken_at)).where(col(day.id) == col(making.course_record_id)).scalar_subquery()
    making_it_up = col(making.makes_up_id) == col(StudyRecord.id)
    return select(col(making.id)).where(making_it_up, col(making.attendance).in_(THERE), taken.is_not(None)).exists()


MADE_UP: ColumnElement[bool] = _made_up()
"""Study records that were made up: on a day that was taken, by being there."""

COUNTS: ColumnElement[bool] = (
    col(CourseRecord.taken_at).is_not(None) & (col(StudyRecord.attendance) != Attendance.EXCUSED) & IN_CLASS
)
"""Study records in the denominator, in a query that joins them with their course records."""


def missed(rule: Rule) -> Any:
    """What was missed of a study record that counts, in hundredths, as SQL."""
    late = (col(StudyRecord.attendance) == Attendance.LATE) & (col(StudyRecord.late_minutes) > rule.late_over)
    return case(
        (
            col(StudyRecord.attendance) == Attendance.ABSENT,
            case((MADE_UP, 0), else_=WHOLE),
        ),
        ((col(StudyRecord.attendance) == Attendance.LEFT_EARLY) | late, rule.part),
        else_=0,
    )


def counted_rows(session: Session, rows: Sequence[Any], _now: datetime) -> Mapping[int, Says]:
    """What each of these study records adds to a figure, or why it does not count, by id. Authorises nobody."""
    asked = (
        select(
            col(StudyRecord.id),
            col(StudyRecord.attendance),
            col(StudyRecord.late_minutes),
            col(CourseRecord.taken_at).is_not(None),
            IN_CLASS,
            MADE_UP,
        )
        .join(CourseRecord, col(CourseRecord.id) == col(StudyRecord.course_record_id))
        .where(is_one_of(session, col(StudyRecord.id), [row.id for row in rows]))
    )
    numbers = rule()
    return {key: counted(Attended(*day), numbers) for key, *day in session.execute(asked)}


def by_place(rule: Rule) -> Select[Any]:
    """(student, class, days, missed) of everybody with a day that counts, to be narrowed further by `where`."""
    found: Select[Any] = (
        select(
            col(StudyRecord.student_id),
            col(CourseRecord.class_group_id),
            func.count().label("days"),
            func.sum(missed(rule)).label("missed"),
        )
        .select_from(StudyRecord)
        .join(CourseRecord, col(CourseRecord.id) == col(StudyRecord.course_record_id))
        .where(COUNTS)
        .group_by(col(StudyRecord.student_id), col(CourseRecord.class_group_id))
    )
    return found


def figures(session: Session, condition: ColumnElement[bool]) -> Mapping[tuple[int, int], Figure]:
    """(student, class) -> figure, of the study records that meet the condition. Authorises nobody.

    The condition may speak of study records and their course records. Who has no day that counts is not in it.
    """
    found = session.execute(by_place(rule()).where(condition))
    return {(student, group): Figure(days, int(missed or 0)) for student, group, days, missed in found}


def days_left(session: Session, condition: ColumnElement[bool]) -> Mapping[tuple[int, int], int]:
    """(student, class) -> `is_left` days of the course records that meet the condition. Authorises nobody.

    Who has none is not in it.
    """
    found = session.execute(
        select(col(Enrolment.student_id), col(Enrolment.class_group_id), func.count())
        .select_from(CourseRecord)
        .join(Enrolment, col(Enrolment.class_group_id) == col(CourseRecord.class_group_id))
        .where(condition, col(CourseRecord.taken_at).is_(None), in_class_on(col(CourseRecord.held_on)))
        .group_by(col(Enrolment.student_id), col(Enrolment.class_group_id))
    )
    return {(student, group): count for student, group, count in found}


def of_class(session: Session, actor: Actor, class_group_id: int) -> Mapping[int, Figure]:
    """student -> figure, of a class whose attendance the actor may see. Of another: nothing."""
    actor.require("attendance.view")
    mine = (col(CourseRecord.class_group_id) == class_group_id) & COURSE_RECORDS.where(actor, "attendance.view")
    return {student: one for (student, _group), one in figures(session, mine).items()}
