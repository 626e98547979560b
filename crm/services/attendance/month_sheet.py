"""The attendance of a class in a month: students by days, each mark, and what the formula makes of them."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import select
from sqlmodel import Session, col

from crm.domain.attendance import Attended, Figure
from crm.domain.calendar import first_of_month
from crm.domain.teaching import CourseRecord, DayState, StudyRecord
from crm.errors import NotFound
from crm.i18n import Says
from crm.rbac import Actor
from crm.services.access import audit
from crm.services.attendance import attendance_figures
from crm.services.classes import class_names
from crm.services.classes.class_scopes import CLASSES, COURSE_RECORDS, IN_CLASS, NO_SUCH_CLASS
from crm.services.classes.course_days import state_of
from crm.services.students import student_names
from crm.xlsx.month_sheet import write

VIEW, EXPORT = "attendance.view", "attendance.export"


@dataclass(frozen=True, slots=True)
class Head:
    """One day of the month."""

    id: int
    held_on: date
    state: DayState


@dataclass(frozen=True, slots=True)
class Line:
    """One student: each day as the formula sees it (none: no record), the month's figure, and that of all days."""

    student_id: int
    name: str
    marks: Mapping[int, Attended]
    month: Figure
    all: Figure


@dataclass(frozen=True, slots=True)
class Sheet:
    """The month of a class."""

    label: Says
    days: tuple[Head, ...]
    lines: tuple[Line, ...]
    words: Says


def classes(session: Session, actor: Actor) -> dict[int, Says]:
    """The classes whose sheet the actor may see."""
    return dict(class_names.choices(session, actor, VIEW))


def sheet(session: Session, actor: Actor, class_group_id: int, month: date) -> Sheet:
    """The month that `month` lies in, of a class whose attendance the actor may see; of another one it is empty.

    Two days of different classes never mix; guests who make up a day stand in the sheet of their own class.
    """
    actor.require(VIEW)
    within = (
        (col(CourseRecord.class_group_id) == class_group_id)
        & (col(CourseRecord.held_on) >= first_of_month(month))
        & (col(CourseRecord.held_on) < first_of_month(month, 1))
        & COURSE_RECORDS.where(actor, VIEW)
    )
    days = session.execute(
        select(
            col(CourseRecord.id),
            col(CourseRecord.held_on),
            col(CourseRecord.initialised_at),
            col(CourseRecord.taken_at),
        )
        .where(within)
        .order_by(col(CourseRecord.held_on), col(CourseRecord.day_number))
    ).all()
    rows: Any = session.execute(
        select(
            col(StudyRecord.course_record_id),
            col(StudyRecord.student_id),
            col(StudyRecord.attendance),
            col(StudyRecord.late_minutes),
            col(CourseRecord.taken_at).is_not(None),
            IN_CLASS,
            attendance_figures.MADE_UP,
        )
        .join(CourseRecord, col(CourseRecord.id) == col(StudyRecord.course_record_id))
        .where(within, IN_CLASS | col(StudyRecord.makes_up_id).is_(None))
    )
    marks: dict[int, dict[int, Attended]] = {}
    for day, student, *attended in rows:
        marks.setdefault(student, {})[day] = Attended(*attended)
    names = student_names.named(session, marks)
    months = attendance_figures.figures(session, within)
    every = attendance_figures.of_class(session, actor, class_group_id)
    called = class_names.named(session, [class_group_id]) if days else {}
    return Sheet(
        called.get(class_group_id, Says("")),
        tuple(Head(day.id or 0, day.held_on, state_of(day)) for day in days),
        tuple(
            Line(
                student, names[student], marks[student], months.get((student, class_group_id), Figure()),
                every.get(student, Figure()),
            )
            for student in names
        ),
        attendance_figures.rule().words,
    )  # fmt: skip


def export(session: Session, actor: Actor, class_group_id: int, month: date, file: Path, now: datetime) -> None:
    """Writes the sheet as xlsx, which is recorded. Raises `NotAllowed`, and `NotFound` where the reach ends before."""
    actor.require(EXPORT)
    actor.require_to_be_oneself(EXPORT)
    if not CLASSES.allows(session, actor, EXPORT, class_group_id):
        raise NotFound(NO_SUCH_CLASS, EXPORT, class_group_id)
    made = sheet(session, actor, class_group_id, month)
    heads = [day.held_on for day in made.days]
    lines = [
        (line.name, [_text(line.marks.get(day.id)) for day in made.days], [line.month.says, line.all.says])
        for line in made.lines
    ]
    write(file, made.label, heads, lines, made.words)
    kept = {"month": f"{month:%Y-%m}", "rows": len(lines)}
    audit.record(session, actor, EXPORT, "class_group", class_group_id, None, kept, now)


def _text(day: Attended | None) -> Says | None:
    return day.says if day is not None else None
