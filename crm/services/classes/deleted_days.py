"""Deleted days of classes: for 30 days they can be brought back."""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import delete, insert, select
from sqlmodel import Session, col
from sqlmodel import select as select_rows
from sqlmodel.sql.expression import SelectOfScalar

from crm.domain import recovery
from crm.domain.classes import ClassGroup
from crm.domain.recovery import RECOVERABLE
from crm.domain.teaching import CourseRecord, DeletedDay
from crm.errors import Told, deny
from crm.i18n import Says, says
from crm.rbac import Actor
from crm.services.access import audit
from crm.services.classes import class_names, study_records
from crm.services.classes.class_scopes import by_class
from crm.services.classes.course_days import NO_SUCH
from crm.services.classes.course_records import DELETE
from crm.store.many_rows import is_one_of

DELETED_DAYS = by_class(col(DeletedDay.id), col(DeletedDay.class_group_id))
"""Deleted days, by whose class they are of."""
_UNSEEN = {"synchronize_session": False}


def recoverable(_session: Session, actor: Actor, now: datetime) -> SelectOfScalar[DeletedDay]:
    """The days that were deleted and that the actor can still bring back: `days_to_restore` tells how long."""
    actor = actor.looking()
    actor.require(DELETE)
    return select_rows(DeletedDay).where(
        DELETED_DAYS.where(actor, DELETE), col(DeletedDay.deleted_at) > now - RECOVERABLE
    )


def days_to_restore(row: Any, now: datetime) -> int:
    """As `crm.domain.recovery` counts them."""
    return recovery.days_to_restore(row.deleted_at, now)


def called(session: Session, ids: Sequence[int]) -> dict[int, Says]:
    """What people call these: the class, the number and the date. For those whom a service lets see them."""
    asked = select(
        col(DeletedDay.id), col(DeletedDay.class_group_id), col(DeletedDay.day_number), col(DeletedDay.held_on)
    ).where(is_one_of(session, col(DeletedDay.id), ids))
    return class_names.of_days(session, session.execute(asked).all())


def undo_many(session: Session, actor: Actor, record_ids: Sequence[int], now: datetime) -> Mapping[int, Any]:
    """Bring back the days whose course records had these numbers, each as `restore_many` accounts for it."""
    actor.require(DELETE)
    asked = (
        select(col(DeletedDay.record_id), col(DeletedDay.id))
        .where(is_one_of(session, col(DeletedDay.record_id), record_ids), DELETED_DAYS.where(actor, DELETE))
        # A number may have been given again, and that day deleted too: the last one is meant.
        .order_by(col(DeletedDay.id))
    )
    kept: dict[int, int] = dict(map(tuple, session.execute(asked)))
    for each in record_ids:
        if each not in kept:
            deny(DELETE, each)
    told = restore_many(session, actor, list(kept.values()), now)
    return {each: told[kept[each]] if each in kept else NO_SUCH for each in record_ids}


def restore_many(session: Session, actor: Actor, ids: Sequence[int], now: datetime) -> Mapping[int, Any]:
    """Bring deleted days back. Per id: None or what is told of it, or why not.

    A day whose date the class has given to another stays deleted; one whose number was given again gets the next.
    What was initialised is initialised again, for those who are in the class on that day.
    """
    actor.require(DELETE)
    found = _locked(session, actor, ids)
    there = _there(session, {row.class_group_id for row in found.values()})
    free = set(found_ids := [row.record_id for row in found.values()]) - set(
        session.scalars(select(col(CourseRecord.id)).where(is_one_of(session, col(CourseRecord.id), found_ids)))
    )
    told: dict[int, Any] = dict.fromkeys(ids, NO_SUCH)
    back: dict[int, int] = {}
    again: list[int] = []
    for each, row in found.items():
        days = there[row.class_group_id]
        told[each] = _why_gone(row, days, now)
        if told[each] is not None:
            continue
        number = row.day_number if row.day_number not in days.values() else max(days.values()) + 1
        days[row.held_on] = number
        if number != row.day_number:
            told[each] = Told(says("Its number was given again meanwhile, so it is day {number} now.", number=number))
        kept = CourseRecord.model_validate(json.loads(row.kept))
        values = kept.model_dump(exclude={"id", "initialised_at"}) | {"day_number": number, "version": kept.version + 1}
        if row.record_id in free:
            values["id"] = row.record_id
            free.discard(row.record_id)
        record: Any = session.scalar(insert(CourseRecord).values(**values).returning(col(CourseRecord.id)))
        back[each] = record
        again += [record] if kept.initialised_at is not None else []
    study_records.initialise(session, again, now)
    session.execute(
        delete(DeletedDay).where(is_one_of(session, col(DeletedDay.id), list(back))), execution_options=_UNSEEN
    )
    done = ((each, None, {"restored": True}) for each in back.values())
    audit.record_many(session, actor, DELETE, "course_record", done, now)
    return told


def forget_old(session: Session, now: datetime) -> int:
    """Forget the days that can be brought back no more. Returns how many."""
    gone = session.execute(
        delete(DeletedDay).where(col(DeletedDay.deleted_at) <= now - RECOVERABLE), execution_options=_UNSEEN
    )
    return gone.rowcount  # type: ignore[attr-defined, no-any-return]


def _locked(session: Session, actor: Actor, ids: Sequence[int]) -> dict[int, Any]:
    """Those that the actor may bring back, in the order of their days; nobody else adds to their classes now."""
    asked = (
        select_rows(DeletedDay)
        .where(is_one_of(session, col(DeletedDay.id), ids), DELETED_DAYS.where(actor, DELETE))
        .order_by(col(DeletedDay.class_group_id), col(DeletedDay.held_on), col(DeletedDay.id).desc())
        .with_for_update()
    )
    found: dict[int, Any] = {row.id or 0: row for row in session.scalars(asked)}
    for each in ids:
        if each not in found:
            deny(DELETE, each)
    classes = is_one_of(session, col(ClassGroup.id), sorted({row.class_group_id for row in found.values()}))
    session.execute(select(col(ClassGroup.id)).where(classes).order_by(col(ClassGroup.id)).with_for_update())
    return found


def _there(session: Session, classes: set[int]) -> dict[int, dict[Any, int]]:
    """The days that these classes have, each with its number."""
    asked = select(col(CourseRecord.class_group_id), col(CourseRecord.held_on), col(CourseRecord.day_number)).where(
        is_one_of(session, col(CourseRecord.class_group_id), sorted(classes))
    )
    there: dict[int, dict[Any, int]] = {each: {} for each in classes}
    for group, day, number in session.execute(asked):
        there[group][day] = number
    return there


def _why_gone(row: Any, days: Mapping[Any, int], now: datetime) -> Says | None:
    if row.deleted_at <= now - RECOVERABLE:
        return says("The 30 days in which this day could be brought back are over.")
    if row.held_on in days:
        number, day = days[row.held_on], row.held_on
        return says("This class has day {number} on {day} already.", number=number, day=day)
    return None
