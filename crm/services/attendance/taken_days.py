"""Confirming that a day was taken, and taking that back."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import select, update
from sqlmodel import Session, col

from crm.domain.calendar import day_of
from crm.domain.teaching import CourseRecord, StudyRecord
from crm.i18n import Says, listed, says, says_n
from crm.rbac import Actor
from crm.services.access import audit
from crm.services.attendance.attendance import REOPEN, TAKE
from crm.services.attendance.class_day import lacking_records
from crm.services.classes.course_days import NO_SUCH, reached
from crm.services.students import student_names
from crm.settings import settings
from crm.store.many_rows import is_one_of

_UNSEEN = {"synchronize_session": False}


def confirm_many(
    session: Session, actor: Actor, ids: Sequence[int], now: datetime, *, seen: Collection[int] | None = None
) -> Mapping[int, Says | None]:
    """Confirm that these days were taken: from here on they count. Per id: None, or why not.

    A day that is still to come, was not initialised, or lacks somebody's record is refused; and where the students
    are given who were `seen`, a day on which somebody else has a record: nobody looked whether they are there.
    """
    actor.require(TAKE)
    found = reached(session, actor, TAKE, ids)
    lacking = Counter(
        row[0] for row in session.execute(lacking_records(is_one_of(session, col(CourseRecord.id), list(found))))
    )
    today = day_of(now, settings().zone)
    unseen = _unseen(session, list(found), seen) if seen is not None else {}

    def why_not(row: Any) -> Says | None:
        if row is None:
            return NO_SUCH
        if row.taken_at is not None:
            return says("This day was confirmed already.")
        if row.held_on > today:
            return says("This day is still to come.")
        if row.initialised_at is None:
            return says("This day was not initialised yet.")
        if lacking[row.id]:
            return says_n(
                "{count} student of this class has no record on the day yet. Initialise it again first.",
                "{count} students of this class have no record on the day yet. Initialise it again first.",
                count=lacking[row.id],
            )
        if row.id in unseen:
            return says("Since you looked, somebody joined: {names}. Look once more.", names=listed(unseen[row.id]))
        return None

    told = {each: why_not(found.get(each)) for each in dict.fromkeys(ids)}
    done = [each for each, why in told.items() if why is None]
    _stamp(session, done, taken_at=now, taken_by_id=actor.account_id)
    audit.record_many(session, actor, TAKE, "course_record", ((each, None, {"taken": True}) for each in done), now)
    return told


def _unseen(session: Session, ids: Sequence[int], seen: Collection[int]) -> dict[int, list[str]]:
    """Day -> the names of those on it who are not among the students seen."""
    asked = select(col(StudyRecord.course_record_id), col(StudyRecord.student_id)).where(
        is_one_of(session, col(StudyRecord.course_record_id), ids)
    )
    others = [row for row in session.execute(asked) if row.student_id not in seen]
    names = student_names.named(session, (row.student_id for row in others))
    found: dict[int, list[str]] = {}
    for row in others:
        found.setdefault(row.course_record_id, []).append(names[row.student_id])
    return {day: sorted(who) for day, who in found.items()}


def reopen_many(session: Session, actor: Actor, ids: Sequence[int], now: datetime) -> Mapping[int, Says | None]:
    """Take the confirmation of these days back: they do not count, and are reminded of anew. Per id: None, or why."""
    actor.require(REOPEN)
    found = reached(session, actor, REOPEN, ids)
    told: dict[int, Says | None] = {}
    for each in dict.fromkeys(ids):
        row = found.get(each)
        told[each] = NO_SUCH if row is None else None if row.taken_at else says("This day was not confirmed.")
    done = [each for each, why in told.items() if why is None]
    _stamp(session, done, taken_at=None, taken_by_id=None, reminded_at=None)
    audit.record_many(session, actor, REOPEN, "course_record", ((each, None, {"taken": False}) for each in done), now)
    return told


def _stamp(session: Session, ids: Sequence[int], **values: Any) -> None:
    session.execute(
        update(CourseRecord)
        .where(is_one_of(session, col(CourseRecord.id), ids))
        .values(**values, version=col(CourseRecord.version) + 1),
        execution_options=_UNSEEN,
    )
