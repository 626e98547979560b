"""The days whose attendance somebody takes, and one of them as it stands."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, func, select
from sqlmodel import Session, col
from sqlmodel import select as select_rows

from crm.domain.accounts import Account
from crm.domain.calendar import day_of
from crm.domain.marks import Mark
from crm.domain.students import Enrolment
from crm.domain.teaching import CourseRecord, DayState, StudyRecord
from crm.errors import NotFound
from crm.i18n import Says, says
from crm.rbac import Actor
from crm.services.attendance.attendance import VIEW
from crm.services.classes import class_names
from crm.services.classes.class_scopes import COURSE_RECORDS, in_class_on
from crm.services.classes.course_days import NO_SUCH, state_of
from crm.services.students import student_names
from crm.settings import settings

LOOKS_BACK, LOOKS_AHEAD, MOST_DAYS = timedelta(days=60), timedelta(days=14), 100


def days_to_take(session: Session, actor: Actor, now: datetime, also: int | None = None) -> dict[int, Says]:
    """Days of the actor's classes by id: today's first, then those gone by and not taken, then the others.

    Days that are near; `also` is a day that is among them however far it is, at the end, where it is the actor's.
    One more than `MOST_DAYS` of the others at most, which tells that there are more.
    """
    actor.require(VIEW)
    today = day_of(now, settings().zone)
    mine = select_rows(CourseRecord).where(COURSE_RECORDS.where(actor, VIEW))
    asked = (
        mine.where(col(CourseRecord.held_on).between(today - LOOKS_BACK, today + LOOKS_AHEAD))
        .order_by(
            (col(CourseRecord.held_on) == today).desc(),
            ((col(CourseRecord.held_on) < today) & col(CourseRecord.taken_at).is_(None)).desc(),
            col(CourseRecord.held_on).desc(),
            col(CourseRecord.id),
        )
        .limit(MOST_DAYS + 1)
    )
    rows = list(session.exec(asked))
    if also is not None and all(row.id != also for row in rows):
        rows += session.exec(mine.where(col(CourseRecord.id) == also))
    names = class_names.named(session, (row.class_group_id for row in rows))
    return {row.id: _day_label(row, names[row.class_group_id], today) for row in rows if row.id is not None}


def _day_label(row: CourseRecord, name: Says, today: date) -> Says:
    day = says("Today") if row.held_on == today else says("{day}", day=row.held_on)
    return says("{day} · {name} · {state}", day=day, name=name, state=state_of(row).label)


@dataclass(frozen=True, slots=True)
class Noted:
    """One student on the day: the study record, its version, and what is noted."""

    id: int
    student_id: int
    name: str
    version: int
    mark: Mark


@dataclass(frozen=True, slots=True)
class Day:
    """A day of a class as it stands: its students by name, and how many who are in the class have no record yet."""

    id: int
    label: Says
    title: str
    held_on: date
    state: DayState
    students: tuple[Noted, ...]
    lacking: int
    class_id: int
    taken_by: str = ""
    taken_at: datetime | None = None


def day(session: Session, actor: Actor, record_id: int) -> Day:
    """One day of the actor's classes. Raises `NotFound`, whether it is not there or not theirs."""
    actor.require(VIEW)
    row = session.exec(
        select_rows(CourseRecord).where(col(CourseRecord.id) == record_id, COURSE_RECORDS.where(actor, VIEW))
    ).one_or_none()
    if row is None:
        raise NotFound(NO_SUCH, VIEW, record_id)
    records = session.exec(select_rows(StudyRecord).where(col(StudyRecord.course_record_id) == record_id)).all()
    names = student_names.named(session, (each.student_id for each in records))
    of = {each.student_id: each for each in records}
    students = tuple(
        Noted(of[key].id or 0, key, name, of[key].version, Mark(of[key].attendance, of[key].late_minutes))
        for key, name in names.items()
    )
    missing = lacking_records(col(CourseRecord.id) == record_id).subquery()
    lacking = session.scalar(select(func.count()).select_from(missing)) or 0
    taken_by = session.get(Account, row.taken_by_id) if row.taken_by_id is not None else None
    return Day(
        record_id,
        class_names.named(session, [row.class_group_id])[row.class_group_id],
        row.title,
        row.held_on,
        state_of(row),
        students,
        lacking,
        row.class_group_id,
        (taken_by.display_name or taken_by.name) if taken_by is not None else "",
        row.taken_at,
    )


def lacking_records(records: ColumnElement[bool]) -> Any:
    """(course record, student) of those who are in the class on the day and have no study record."""
    return (
        select(col(CourseRecord.id), col(Enrolment.student_id))
        .join(Enrolment, col(Enrolment.class_group_id) == col(CourseRecord.class_group_id))
        .outerjoin(
            StudyRecord,
            (col(StudyRecord.course_record_id) == col(CourseRecord.id))
            & (col(StudyRecord.student_id) == col(Enrolment.student_id)),
        )
        .where(records, in_class_on(col(CourseRecord.held_on)), col(StudyRecord.id).is_(None))
    )
