"""One day of a class as every service needs it: where it stands, what it is called, and whether it is the actor's."""

from collections.abc import Iterable, Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy import select
from sqlmodel import Session, col

from crm.domain.teaching import CourseRecord, DayState
from crm.errors import deny
from crm.i18n import Says, listed, says
from crm.rbac import Actor
from crm.services.classes import class_names
from crm.services.classes.class_scopes import COURSE_RECORDS
from crm.store.many_rows import is_one_of

NO_SUCH = says("There is no such course record, or it is not yours.")
"""Said alike of those that do not exist and those that are none of the asker's business."""


def state_of(record: Any, _now: datetime | None = None) -> DayState:
    """Where the day stands."""
    if record.taken_at is not None:
        return DayState.TAKEN
    return DayState.NEW if record.initialised_at is None else DayState.INITIALISED


def called(session: Session, ids: Sequence[int]) -> dict[int, Says]:
    """What people call these days: the class, the number and the date. For those whom a service lets see them."""
    asked = select(
        col(CourseRecord.id), col(CourseRecord.class_group_id), col(CourseRecord.day_number), col(CourseRecord.held_on)
    ).where(is_one_of(session, col(CourseRecord.id), ids))
    return class_names.of_days(session, session.execute(asked).all())


def numbers_on(session: Session, rows: Sequence[Any], _now: datetime) -> dict[int, str]:
    """The number of the class's day on each row's date, by the row's id, for rows that name a day and no course record.

    None where the class has no such day yet; several where it has several on that date.
    """
    asked = (
        select(col(CourseRecord.class_group_id), col(CourseRecord.held_on), col(CourseRecord.day_number))
        .where(
            col(CourseRecord.class_group_id).in_({row.class_group_id for row in rows}),
            col(CourseRecord.held_on).in_({row.day for row in rows}),
        )
        .order_by(col(CourseRecord.day_number))
    )
    found: dict[tuple[int, date], list[int]] = {}
    for group, day, number in session.execute(asked):
        found.setdefault((group, day), []).append(number)
    return {row.id: listed(found.get((row.class_group_id, row.day), ())) for row in rows}


def reached(session: Session, actor: Actor, permission: str, ids: Iterable[int]) -> dict[int, Any]:
    """Those of the days on which the actor may do that, by id, locked in one order; the others were denied."""
    once = list(dict.fromkeys(ids))
    asked = (
        select(
            col(CourseRecord.id),
            col(CourseRecord.class_group_id),
            col(CourseRecord.held_on),
            col(CourseRecord.initialised_at),
            col(CourseRecord.taken_at),
        )
        .where(is_one_of(session, col(CourseRecord.id), once), COURSE_RECORDS.where(actor, permission))
        .order_by(col(CourseRecord.id))
        .with_for_update()
    )
    found = {row.id: row for row in session.execute(asked) if row.id is not None}
    for each in once:
        if each not in found:
            deny(permission, each)
    return found
