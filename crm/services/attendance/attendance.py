"""Attendance: what is noted of a student on a day, by the list or by names, and confirming that a day was taken."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import select, update
from sqlmodel import Session, col
from sqlmodel import select as select_rows
from sqlmodel.sql.expression import SelectOfScalar

from crm.domain.classes import ClassGroup
from crm.domain.customers import Customer
from crm.domain.marks import Mark, read_mark
from crm.domain.students import Enrolment, Student
from crm.domain.teaching import Attendance, CourseRecord, StudyRecord
from crm.errors import Invalid, NotFound, deny
from crm.i18n import Says, says
from crm.rbac import Actor
from crm.services.access import audit
from crm.services.classes import class_names
from crm.services.classes.class_scopes import CLASSES, COURSE_RECORDS, STUDY_RECORDS
from crm.services.classes.course_days import NO_SUCH
from crm.services.seen_rows import lock_row, require_seen
from crm.services.students import student_names
from crm.services.typed_cells import NOT_TYPED
from crm.store.many_rows import is_one_of

VIEW, TAKE, REOPEN = "attendance.view", "attendance.take", "attendance.reopen"
MANY = 500
_UNSEEN = {"synchronize_session": False}
_NO_SUCH_RECORD = says("There is no such record, or it is not yours.")

# Who is seen


def visible_to(_session: Session, actor: Actor) -> SelectOfScalar[StudyRecord]:
    """The study records of the classes that the actor teaches (with a farther reach: of the department's, of all)."""
    actor.require(VIEW)
    return select_rows(StudyRecord).where(STUDY_RECORDS.where(actor, VIEW))


def on_day(session: Session, actor: Actor, record_id: int) -> SelectOfScalar[StudyRecord]:
    """Those of one day."""
    return visible_to(session, actor).where(col(StudyRecord.course_record_id) == record_id)


def classes_of_rows(session: Session, rows: Sequence[Any], _now: datetime) -> dict[int, Says]:
    """The class of each study record, by the record's id."""
    asked = select(col(CourseRecord.id), col(CourseRecord.class_group_id)).where(
        is_one_of(session, col(CourseRecord.id), sorted({row.course_record_id for row in rows}))
    )
    groups = {day: group for day, group in session.execute(asked)}  # noqa: C416
    names = class_names.named(session, groups.values())
    return {row.id: names[groups[row.course_record_id]] for row in rows}


HELD_ON: Any = (
    select(col(CourseRecord.held_on))
    .where(col(CourseRecord.id) == col(StudyRecord.course_record_id))
    .correlate(StudyRecord)
    .scalar_subquery()
)
"""The date of a study record's day, to sort by: records are made in any order."""


def dates_of_rows(session: Session, rows: Sequence[Any], _now: datetime) -> dict[int, date]:
    """The date of each study record's day, by the record's id."""
    asked = select(col(CourseRecord.id), col(CourseRecord.held_on)).where(
        is_one_of(session, col(CourseRecord.id), sorted({row.course_record_id for row in rows}))
    )
    dates = {day: held_on for day, held_on in session.execute(asked)}  # noqa: C416
    return {row.id: dates[row.course_record_id] for row in rows}


def classes_seen(session: Session, actor: Actor) -> Mapping[int, Says]:
    """The classes whose attendance the actor may see."""
    return class_names.choices(session, actor, VIEW)


def students_seen(session: Session, actor: Actor) -> Mapping[int, str]:
    """The students of those classes, by name: one more than a box of choices lists, which tells that there are more."""
    actor.require(VIEW)
    mine = select(col(ClassGroup.id)).where(CLASSES.where(actor, VIEW))
    asked = (
        select(col(Student.id), col(Customer.name), col(Customer.id))
        .join(Customer, col(Customer.id) == col(Student.customer_id))
        .where(col(Student.id).in_(select(col(Enrolment.student_id)).where(col(Enrolment.class_group_id).in_(mine))))
        .order_by(col(Customer.name), col(Student.id))
        .limit(MANY + 1)
    )
    rows = session.execute(asked).all()
    return student_names.told_apart({row[0]: row[1] for row in rows}, {row[0]: row[2] for row in rows})


# What is noted


def save(
    session: Session, actor: Actor, record_id: int, version: int, changes: Mapping[str, Any], now: datetime
) -> int:
    """Save attendance or minutes of one study record against the version seen; returns the new version.

    Minutes typed for who was noted as present make it late; any other mark than late takes the minutes away.
    Raises `Conflict` with the values now there, `Invalid` by field, `NotFound`, `NotAllowed`.
    """
    actor.require(TAKE)
    row = lock_row(session, StudyRecord, record_id, STUDY_RECORDS.where(actor, TAKE), TAKE)
    other = changes.keys() - {"attendance", "late_minutes"}
    if other:
        raise Invalid.of(dict.fromkeys(sorted(other), NOT_TYPED))
    require_seen(row, version, changes)
    attendance = changes.get("attendance", row.attendance)
    minutes = changes.get("late_minutes", row.late_minutes if attendance == Attendance.LATE else None)
    if minutes and "attendance" not in changes and attendance is Attendance.PRESENT:
        attendance = Attendance.LATE
    mark = read_mark(attendance, minutes)
    _set(session, actor, {record_id: mark}, now)
    session.expire(row)
    return version + 1


def mark_many(
    session: Session, actor: Actor, ids: Sequence[int], now: datetime, attendance: Any, minutes: Any = None
) -> Mapping[int, Says | None]:
    """Note the same of many. Per id: None, or why not. Raises `Invalid` for what is no mark."""
    actor.require(TAKE)
    try:
        mark = read_mark(attendance, minutes)
    except Invalid as wrong:
        named = {"late_minutes": "minutes"}
        raise Invalid.of({named.get(name, name): why for name, why in wrong.fields.items()}) from None
    asked = select(col(StudyRecord.id)).where(
        is_one_of(session, col(StudyRecord.id), ids), STUDY_RECORDS.where(actor, TAKE)
    )
    mine = set(session.scalars(asked.order_by(col(StudyRecord.id)).with_for_update(of=StudyRecord)))
    for each in set(ids) - mine:
        deny(TAKE, each)
    _set(session, actor, {each: mark for each in mine if each is not None}, now)
    return {each: None if each in mine else _NO_SUCH_RECORD for each in dict.fromkeys(ids)}


def _set(session: Session, actor: Actor, marks: Mapping[int, Mark], now: datetime) -> None:
    """Note these of study records that are the actor's, with one statement for each mark there is."""
    for mark in sorted(set(marks.values()), key=str):
        some = sorted(each for each, one in marks.items() if one == mark)
        session.execute(
            update(StudyRecord)
            .where(is_one_of(session, col(StudyRecord.id), some))
            .values(attendance=mark.attendance, late_minutes=mark.minutes, version=col(StudyRecord.version) + 1),
            execution_options=_UNSEEN,
        )
    kept = ((each, None, {"fields": ["attendance"]}) for each in sorted(marks))
    audit.record_many(session, actor, TAKE, "study_record", kept, now)


# By names


@dataclass(frozen=True, slots=True)
class Applied:
    """What was noted by names, so that it can be taken back: each record's mark before, and its version after.

    `changed` are the names of whom somebody else changed since they were seen: those stayed as they are.
    """

    record_id: int
    before: Mapping[int, tuple[int, Mark]]
    changed: tuple[str, ...] = ()


def apply(
    session: Session, actor: Actor, record_id: int, marks: Mapping[int, Mark], seen: Mapping[int, int], now: datetime
) -> Applied:
    """Note exceptions on a day, student -> mark, each against the version `seen` of that student's record.

    Students who have no record on that day are none of its business. Raises `NotFound`, `NotAllowed`.
    """
    rows = _rows_of(session, actor, record_id)
    wanted = {row.id: (row, marks[row.student_id]) for row in rows.values() if row.student_id in marks}
    moved = {key for key, (row, _mark) in wanted.items() if row.version != seen.get(row.student_id)}
    differ = {
        key: (row, mark)
        for key, (row, mark) in wanted.items()
        if key not in moved and Mark(row.attendance, row.late_minutes) != mark
    }
    before = {key: (row.version + 1, Mark(row.attendance, row.late_minutes)) for key, (row, _m) in differ.items()}
    _set(session, actor, {key: read_mark(*mark) for key, (_row, mark) in differ.items()}, now)
    return Applied(record_id, before, _names(session, [wanted[key][0].student_id for key in moved]))


def undo(session: Session, actor: Actor, applied: Applied, now: datetime) -> Applied:
    """Take back what was noted by names. What somebody changed since stays; who that is, is in the answer."""
    rows = _rows_of(session, actor, applied.record_id)
    back: dict[int, Mark] = {}
    changed: list[int] = []
    for key, (version, mark) in applied.before.items():
        row = rows.get(key)
        if row is not None and row.version == version:
            back[key] = mark
        elif row is not None:
            changed.append(row.student_id)
    before = {key: (rows[key].version + 1, Mark(rows[key].attendance, rows[key].late_minutes)) for key in back}
    _set(session, actor, back, now)
    return Applied(applied.record_id, before, _names(session, changed))


def _rows_of(session: Session, actor: Actor, record_id: int) -> dict[int, Any]:
    actor.require(TAKE)
    if not COURSE_RECORDS.allows(session, actor, TAKE, record_id):
        raise NotFound(NO_SUCH, TAKE, record_id)
    asked = (
        select(
            col(StudyRecord.id),
            col(StudyRecord.student_id),
            col(StudyRecord.version),
            col(StudyRecord.attendance),
            col(StudyRecord.late_minutes),
        )
        .where(col(StudyRecord.course_record_id) == record_id)
        .order_by(col(StudyRecord.id))
        .with_for_update()
    )
    return {row.id: row for row in session.execute(asked)}


def _names(session: Session, students: Sequence[int]) -> tuple[str, ...]:
    return tuple(sorted(student_names.named(session, students).values())) if students else ()
