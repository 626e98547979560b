"""Making up a missed day on another day of the same course: the two study records are linked, each once."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import or_, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import aliased
from sqlmodel import Session, col

from crm.domain.classes import ClassGroup
from crm.domain.teaching import Attendance, CourseRecord, ScoreState, StudyRecord
from crm.errors import Invalid, NotFound, Refused
from crm.i18n import Says, says
from crm.rbac import Actor
from crm.services.access import audit
from crm.services.attendance.attendance import TAKE
from crm.services.classes.class_scopes import COURSE_RECORDS, IN_CLASS, STUDY_RECORDS, was_in_class
from crm.services.classes.course_days import NO_SUCH
from crm.services.students import student_names

MISSED = (Attendance.ABSENT, Attendance.EXCUSED)
MOST = 200
_NOT_MISSED = says("Choose a missed day of the same course that was not made up yet.")


def missed_days(session: Session, actor: Actor, record_id: int) -> Mapping[int, Says]:
    """The missed study records, with student and date, that may be made up on that day, the latest day first.

    Of the actor's classes both.
    """
    actor.require(TAKE)
    asked = _missed(actor, record_id).order_by(col(CourseRecord.held_on).desc(), col(StudyRecord.id)).limit(MOST)
    ids = [row.id for row in session.execute(asked)]
    named = student_names.called(session, ids)
    return {key: named[key] for key in ids}


def _missed(actor: Actor, record_id: int) -> Any:
    here, here_group, group, making = (
        aliased(CourseRecord),
        aliased(ClassGroup),
        aliased(ClassGroup),
        aliased(StudyRecord),
    )
    mine = select(col(CourseRecord.id)).where(col(CourseRecord.id) == record_id, COURSE_RECORDS.where(actor, TAKE))
    return (
        select(col(StudyRecord.id), col(StudyRecord.student_id))
        .join(CourseRecord, col(CourseRecord.id) == col(StudyRecord.course_record_id))
        .join(group, col(group.id) == col(CourseRecord.class_group_id))
        .join(here_group, col(here_group.course_id) == col(group.course_id))
        .join(here, col(here.class_group_id) == col(here_group.id))
        .where(
            col(here.id).in_(mine),
            col(here.id) != col(CourseRecord.id),
            col(StudyRecord.attendance).in_(MISSED),
            # A guest who stayed away missed no day of the own ones: what was to be made up there still is.
            or_(col(StudyRecord.makes_up_id).is_(None), IN_CLASS),
            COURSE_RECORDS.where(actor, TAKE),
            ~select(col(making.id)).where(col(making.makes_up_id) == col(StudyRecord.id)).exists(),
        )
    )


def link(session: Session, actor: Actor, record_id: int, missed_id: int, now: datetime) -> int:
    """The missed day is made up on that day: on the student's record there, or on one that is made for it, present.

    Returns the key of that record. Raises `Invalid` for what was not missed or was made up already, `NotFound`.
    """
    actor.require(TAKE)
    if not COURSE_RECORDS.allows(session, actor, TAKE, record_id):
        raise NotFound(NO_SUCH, TAKE, record_id)
    # The day before its records, as whoever initialises it does; and what was missed stays missed until the commit.
    session.execute(select(col(CourseRecord.id)).where(col(CourseRecord.id) == record_id).with_for_update()).all()
    missed = _missed(actor, record_id).where(col(StudyRecord.id) == missed_id)
    student = session.execute(missed.with_for_update(of=StudyRecord)).first()
    if student is None:
        raise Invalid.of({"missed": _NOT_MISSED})
    there = session.execute(
        select(col(StudyRecord.id), col(StudyRecord.makes_up_id))
        .where(col(StudyRecord.course_record_id) == record_id, col(StudyRecord.student_id) == student.student_id)
        .with_for_update()
    ).first()
    if there is not None and there.makes_up_id is not None:
        raise Invalid.of({"missed": says("The student makes up another day on this day already.")})
    try:
        with session.begin_nested():
            key = _linked(session, there, record_id, student.student_id, missed_id)
    except IntegrityError as error:
        # Somebody was quicker.
        raise Invalid.of({"missed": _NOT_MISSED}) from error
    audit.record(session, actor, TAKE, "study_record", key, None, {"makes_up": missed_id}, now)
    return key


def _linked(session: Session, there: Any, record_id: int, student: int, missed_id: int) -> int:
    if there is None:
        row = StudyRecord(course_record_id=record_id, student_id=student, makes_up_id=missed_id)
        session.add(row)
        session.flush()
        assert row.id is not None
        return row.id
    session.execute(
        update(StudyRecord)
        .where(col(StudyRecord.id) == there.id)
        .values(makes_up_id=missed_id, version=col(StudyRecord.version) + 1),
        execution_options={"synchronize_session": False},
    )
    key: int = there.id
    return key


def unlink(session: Session, actor: Actor, making_id: int, now: datetime) -> None:
    """The record makes up for nothing any more; a guest's goes. Raises `NotFound`, `Refused` where it holds more."""
    actor.require(TAKE)
    asked = select(StudyRecord).where(
        col(StudyRecord.id) == making_id, col(StudyRecord.makes_up_id).is_not(None), STUDY_RECORDS.where(actor, TAKE)
    )
    row = session.scalars(
        asked.with_for_update(of=StudyRecord), execution_options={"populate_existing": True}
    ).one_or_none()
    if row is None:
        raise NotFound(says("There is no such record, or it is not yours."), TAKE, making_id)
    inside = select(col(CourseRecord.id)).where(
        col(CourseRecord.id) == row.course_record_id,
        was_in_class(row.student_id, col(CourseRecord.class_group_id), col(CourseRecord.held_on)),
    )
    holds = row.score_state is not ScoreState.NOT_DUE or row.handed_in_at or row.teacher_remark or row.student_remark
    if session.scalar(inside) is None:
        # Who had a place here when they missed the day may have made it up before the place was moved.
        made_up = select(col(StudyRecord.id)).where(col(StudyRecord.makes_up_id) == making_id)
        if holds or session.scalar(made_up) is not None:
            raise Refused(says("Something was recorded of this guest on the day, so the make-up stays."))
        session.delete(row)
    else:
        row.makes_up_id, row.version = None, row.version + 1
    session.flush()
    audit.record(session, actor, TAKE, "study_record", making_id, None, {"makes_up": None}, now)


def made_on(session: Session, rows: Any, _now: datetime) -> dict[int, Says]:
    """What stands beside study records, by id: which day each makes up, or on which day it was made up."""
    keys = [row.id for row in rows]
    making, missed = aliased(StudyRecord), aliased(StudyRecord)
    here, there = aliased(CourseRecord), aliased(CourseRecord)
    asked = (
        select(col(making.id), col(missed.id), col(here.held_on), col(there.held_on))
        .join(missed, col(missed.id) == col(making.makes_up_id))
        .join(here, col(here.id) == col(making.course_record_id))
        .join(there, col(there.id) == col(missed.course_record_id))
        .where(col(making.id).in_(keys) | col(missed.id).in_(keys))
    )
    told: dict[int, Says] = {}
    for making_id, missed_id, on, was in session.execute(asked):
        told[making_id] = says("Makes up {day}", day=was)
        told.setdefault(missed_id, says("Made up on {day}", day=on))
    return {key: told[key] for key in keys if key in told}


def made_up_here(session: Session, actor: Actor, record_id: int) -> dict[int, Says]:
    """The study records of a day of the actor's by which another day is made up, with student and that day."""
    actor.require(TAKE)
    missed, there = aliased(StudyRecord), aliased(CourseRecord)
    asked = (
        select(col(StudyRecord.id), col(StudyRecord.student_id), col(there.held_on))
        .join(missed, col(missed.id) == col(StudyRecord.makes_up_id))
        .join(there, col(there.id) == col(missed.course_record_id))
        .where(col(StudyRecord.course_record_id) == record_id, STUDY_RECORDS.where(actor, TAKE))
    )
    found = list(session.execute(asked))
    names = student_names.named(session, (row.student_id for row in found))
    return {
        row.id: says("{name} makes up {day}", name=names[row.student_id], day=row.held_on)
        for row in found
        if row.id is not None
    }
