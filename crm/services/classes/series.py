"""A series of days for a class: which it would add, and adding them in one transaction."""

from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import insert, select
from sqlmodel import Session, SQLModel, col

from crm.domain.normalise import Wrong
from crm.domain.series import LONGEST, Span, days_of
from crm.domain.teaching import CourseRecord
from crm.errors import Invalid
from crm.i18n import Says, says
from crm.rbac import Actor
from crm.services.access import audit
from crm.services.classes.course_record_cells import checked
from crm.services.classes.course_records import ADD, class_to_add_to, last_number, own_dates, usual_lecturer
from crm.services.typed_cells import a_day


@dataclass(frozen=True, slots=True)
class Series:
    """Days to add to a class: on these days of the week (Monday is 0), both ends included, without the holidays."""

    class_group_id: int | None
    weekdays: frozenset[int]
    first: date | None
    last: date | None
    holidays: tuple[Span, ...] = ()
    lecturer_id: int | None = None


@dataclass(frozen=True, slots=True)
class Planned:
    """What a series adds, and what it passes over: days that the class has already, and days that are holidays.

    `before` and `after` are those added outside the class's own dates, `starts_on` to `ends_on`: classes run over.
    """

    new: tuple[date, ...]
    there: tuple[date, ...]
    off: tuple[date, ...]
    before: tuple[date, ...]
    after: tuple[date, ...]
    starts_on: date
    ends_on: date | None


def what_is_left(session: Session, actor: Actor, class_group_id: int, today: date) -> tuple[date, date | None]:
    """What is left of the class's own dates: from `today` or its beginning to its end; no end where it is over.

    Raises `Invalid` unless the actor may add to the class.
    """
    actor.require(ADD)
    starts_on, ends_on = own_dates(session, class_to_add_to(session, actor, class_group_id))
    return max(starts_on, today), ends_on if ends_on is not None and ends_on >= today else None


def plan(session: Session, actor: Actor, series: Series) -> Planned:
    """What the series would add now. Writes nothing. Raises as `add_series`."""
    actor.require(ADD)
    return _planned(session, class_to_add_to(session, actor, series.class_group_id), series)


def add_series(session: Session, actor: Actor, series: Series, now: datetime) -> Planned:
    """Add the days of a series, their numbers running on; where the class has a day already it is passed over.

    So doing it again adds nothing. Raises `Invalid` by field.
    """
    actor.require(ADD)
    group = class_to_add_to(session, actor, series.class_group_id)
    planned = _planned(session, group, series)
    if not planned.new:
        return planned
    lecturer = checked(session, group, {"lecturer_id": series.lecturer_id}, None)["lecturer_id"]
    number = last_number(session, group) + 1
    same = {
        "class_group_id": group,
        "lecturer_id": lecturer or usual_lecturer(session, actor, group),
        "title": "",
        "version": 1,
    }
    rows = [{**same, "held_on": day, "day_number": next_one} for next_one, day in enumerate(planned.new, start=number)]
    session.connection().execute(insert(SQLModel.metadata.tables["course_record"]), rows)
    after = {"days": len(planned.new), "first": planned.new[0], "last": planned.new[-1]}
    audit.record(session, actor, ADD, "class_group", group, None, after, now)
    return planned


def _planned(session: Session, group: int, series: Series) -> Planned:
    first, last = series.first, series.last
    wrong: dict[str, Says] = {}
    if not series.weekdays <= set(range(7)) or not series.weekdays:
        wrong["weekdays"] = says("Choose at least one day of the week.")
    if first is None or last is None:
        wrong["first"] = says("Enter the first and the last day.")
    elif last < first:
        wrong["last"] = says("The last day is before the first.")
    elif last - first > LONGEST:
        wrong["last"] = says("A series is two years long at most.")
    for field, day in (("first", first), ("last", last)):
        try:
            a_day(day)
        except Wrong as error:
            wrong[field] = error.says
    if wrong or first is None or last is None:
        raise Invalid.of(wrong)
    every = days_of(first, last, series.weekdays)
    held = days_of(first, last, series.weekdays, series.holidays)
    there = set(
        session.scalars(
            select(col(CourseRecord.held_on)).where(
                col(CourseRecord.class_group_id) == group, col(CourseRecord.held_on).between(first, last)
            )
        )
    )
    new = tuple(day for day in held if day not in there)
    starts_on, ends_on = own_dates(session, group)
    return Planned(
        new,
        there=tuple(day for day in held if day in there),
        off=tuple(day for day in every if day not in set(held)),
        before=tuple(day for day in new if day < starts_on),
        after=tuple(day for day in new if ends_on is not None and day > ends_on),
        starts_on=starts_on,
        ends_on=ends_on,
    )
