"""The days of the demo school's classes: over past months to the next weeks, with attendance. The same for one seed."""

from datetime import date, time, timedelta
from random import Random
from typing import Any

from sqlalchemy import bindparam, insert, select, update
from sqlmodel import Session, SQLModel

from crm.domain.calendar import moment_of
from crm.domain.series import days_of
from crm.domain.teaching import ApologyState, Attendance
from crm.services.classes.study_records import initialise
from crm.services.demo import words
from crm.services.demo.clock import Clock

_TABLES = SQLModel.metadata.tables
WEEKDAYS = ((0, 3), (1, 4), (2, 5))
AHEAD, INITIALISED_AHEAD = timedelta(days=28), timedelta(days=5)
NOT_CONFIRMED = 0.3
"""Of the days of the last three days so many wait for their confirmation."""
MARKS = (Attendance.LATE, Attendance.ABSENT, Attendance.EXCUSED, Attendance.LEFT_EARLY)
PARTS = (5, 3, 3, 1)


def fill(session: Session, seed: int, clock: Clock) -> None:
    """Adds the days of every class with somebody in it, and what was noted on them. Without classes: nothing."""
    rng = Random(f"{seed}:teaching")
    today = clock.day(clock.now)
    groups = _classes(session)
    _add_days(session, rng, groups, today)
    records = _TABLES["course_record"]
    asked = select(records.c.id, records.c.held_on, records.c.lecturer_id).order_by(records.c.id)
    days = session.execute(asked.where(records.c.held_on <= today + INITIALISED_AHEAD)).all()
    if not days:
        return
    initialise(session, [day.id for day in days], clock.now - timedelta(days=1))
    _note(session, rng, today)
    staff = _TABLES["employee"]
    accounts = dict(session.execute(select(staff.c.id, staff.c.account_id)).all())
    taken = [
        {
            "key": day.id,
            "new_at": moment_of(day.held_on, time(17, rng.randint(0, 59)), clock.zone),
            "new_by": accounts.get(day.lecturer_id),
        }
        for day in days
        if day.held_on < today and (today - day.held_on > timedelta(days=3) or rng.random() > NOT_CONFIRMED)
    ]
    session.connection().execute(
        update(records)
        .where(records.c.id == bindparam("key"), records.c.initialised_at.is_not(None))
        .values(taken_at=bindparam("new_at"), taken_by_id=bindparam("new_by"), initialised_at=bindparam("new_at")),
        taken,
    )
    _apologise(session, rng, clock, today)


def _classes(session: Session) -> list[Any]:
    groups, lecturers, places = _TABLES["class_group"], _TABLES["class_lecturer"], _TABLES["enrolment"]
    asked = (
        select(groups.c.id, groups.c.starts_on, groups.c.ends_on, lecturers.c.employee_id)
        .join(lecturers, lecturers.c.class_group_id == groups.c.id)
        .where(groups.c.id.in_(select(places.c.class_group_id)))
        .order_by(groups.c.id, lecturers.c.employee_id)
    )
    first = {row.id: row for row in reversed(session.execute(asked).all())}
    return [first[key] for key in sorted(first)]


def _add_days(session: Session, rng: Random, groups: list[Any], today: date) -> None:
    rows = []
    for group in groups:
        last = min(group.ends_on or today + AHEAD, today + AHEAD)
        days = days_of(group.starts_on, last, WEEKDAYS[group.id % len(WEEKDAYS)])
        rows += [
            {
                "class_group_id": group.id,
                "day_number": number,
                "held_on": day,
                "lecturer_id": group.employee_id,
                "title": rng.choice(words.LESSONS),
                "version": 1,
            }
            for number, day in enumerate(days, start=1)
        ]
    if rows:
        session.connection().execute(insert(_TABLES["course_record"]), rows)


def _note(session: Session, rng: Random, today: date) -> None:
    """Exceptions of the past: everybody has their own way of coming."""
    rows, records = _TABLES["study_record"], _TABLES["course_record"]
    asked = (
        select(rows.c.id, rows.c.student_id)
        .join(records, records.c.id == rows.c.course_record_id)
        .where(records.c.held_on < today)
        .order_by(rows.c.id)
    )
    often: dict[int, float] = {}
    noted = []
    for key, student in session.execute(asked):
        if rng.random() < often.setdefault(student, min(0.5, rng.expovariate(14))):
            mark = rng.choices(MARKS, PARTS)[0]
            minutes = rng.choice((5, 10, 15, 20, 30, 45)) if mark is Attendance.LATE else None
            noted.append({"key": key, "new_mark": mark, "new_minutes": minutes})
    if noted:
        session.connection().execute(
            update(rows)
            .where(rows.c.id == bindparam("key"))
            .values(attendance=bindparam("new_mark"), late_minutes=bindparam("new_minutes")),
            noted,
        )


def _apologise(session: Session, rng: Random, clock: Clock, today: date) -> None:
    """A few students ask to be excused from days to come."""
    records, places = _TABLES["course_record"], _TABLES["enrolment"]
    asked = (
        select(places.c.student_id, records.c.class_group_id, records.c.held_on)
        .join(places, places.c.class_group_id == records.c.class_group_id)
        .where(
            records.c.held_on > today,
            records.c.held_on <= today + timedelta(days=10),
            places.c.joined_on <= records.c.held_on,
            places.c.left_on.is_(None),
        )
        .order_by(records.c.id, places.c.student_id)
    )
    rows = [
        {
            "student_id": student,
            "class_group_id": group,
            "day": day,
            "reason": rng.choice(words.APOLOGIES),
            "state": ApologyState.ASKED,
            "asked_at": clock.now - timedelta(hours=rng.randint(1, 40)),
            "version": 1,
        }
        for student, group, day in session.execute(asked)
        if rng.random() < 0.02
    ]
    if rows:
        session.connection().execute(insert(_TABLES["apology"]), rows)
