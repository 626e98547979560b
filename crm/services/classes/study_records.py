"""Study records: initialising a day of a class, and what may be changed of one student's day."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import case, func, literal, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import Session, SQLModel, col

from crm.domain.students import Enrolment
from crm.domain.teaching import Apology, ApologyState, Attendance, CourseRecord, ScoreState, StudyRecord
from crm.services.classes.class_scopes import in_class_on
from crm.store.many_rows import is_one_of
from crm.store.session import is_postgres

_ROWS = SQLModel.metadata.tables["study_record"]
_UNSEEN = {"synchronize_session": False}


class Made(NamedTuple):
    """What initialising one course record did: study records made, and those that were there already."""

    created: int
    kept: int


def initialise(session: Session, record_ids: Sequence[int], now: datetime) -> dict[int, Made]:
    """Make the study records that these course records lack: whoever is in the class on that day has one then.

    Present by default, excused where an apology was accepted. What is there stays as it is, so it can be done
    again at any time and by two at once. A day on which nobody is in the class stays not initialised; one that was
    taken has to be confirmed again if somebody was added, because a default is no evidence. Authorises nobody:
    that is its caller's part.
    """
    # In one order, so that two who do it at once wait for each other.
    days = is_one_of(session, col(CourseRecord.id), record_ids)
    there: list[Any] = list(
        session.scalars(select(col(CourseRecord.id)).where(days).order_by(col(CourseRecord.id)).with_for_update())
    )
    of_these = is_one_of(session, col(StudyRecord.course_record_id), there)
    counted = select(col(StudyRecord.course_record_id), func.count()).where(of_these)
    kept = {key: count for key, count in session.execute(counted.group_by(col(StudyRecord.course_record_id)))}  # noqa: C416
    created = Counter(session.scalars(_insert_missing(session, there)))
    made = {record: Made(created[record], kept.get(record, 0)) for record in there}
    session.execute(
        update(CourseRecord)
        .where(is_one_of(session, col(CourseRecord.id), [each for each in there if sum(made[each])]))
        .where(col(CourseRecord.initialised_at).is_(None))
        .values(initialised_at=now, version=col(CourseRecord.version) + 1),
        execution_options=_UNSEEN,
    )
    session.execute(
        update(CourseRecord)
        .where(is_one_of(session, col(CourseRecord.id), [each for each in there if created[each]]))
        .where(col(CourseRecord.taken_at).is_not(None))
        .values(taken_at=None, taken_by_id=None, reminded_at=None, version=col(CourseRecord.version) + 1),
        execution_options=_UNSEEN,
    )
    return made


def _insert_missing(session: Session, record_ids: Sequence[int]) -> Any:
    """One INSERT ... SELECT for all of them; returns the course record of each row it made."""
    apologised = (
        (col(Apology.student_id) == col(Enrolment.student_id))
        & (col(Apology.class_group_id) == col(Enrolment.class_group_id))
        & (col(Apology.day) == col(CourseRecord.held_on))
        & (col(Apology.state) == ApologyState.ACCEPTED)
    )
    default = case(
        (col(Apology.id).is_not(None), literal(Attendance.EXCUSED, _ROWS.c.attendance.type)),
        else_=literal(Attendance.PRESENT, _ROWS.c.attendance.type),
    )
    missing = (
        select(
            col(CourseRecord.id),
            col(Enrolment.student_id),
            default,
            literal(ScoreState.NOT_DUE, _ROWS.c.score_state.type),
            literal(1),
        )
        .join(Enrolment, col(Enrolment.class_group_id) == col(CourseRecord.class_group_id))
        .outerjoin(Apology, apologised)
        .where(is_one_of(session, col(CourseRecord.id), record_ids), in_class_on(col(CourseRecord.held_on)))
    )
    make = postgresql.insert if is_postgres(session) else sqlite.insert
    return (
        make(_ROWS)
        .from_select(["course_record_id", "student_id", "attendance", "score_state", "version"], missing)
        .on_conflict_do_nothing(index_elements=["course_record_id", "student_id"])
        .returning(_ROWS.c.course_record_id)
    )
