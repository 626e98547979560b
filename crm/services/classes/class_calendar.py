"""What happens on each day of a month: the days of the classes that the actor teaches, or of all that may be seen."""

from dataclasses import dataclass
from datetime import date

from sqlalchemy import select
from sqlmodel import Session, col

from crm.domain.calendar import first_of_month
from crm.domain.classes import ClassGroup
from crm.domain.teaching import CourseRecord, DayState
from crm.i18n import Says
from crm.rbac import Actor
from crm.services.classes import class_names
from crm.services.classes.class_scopes import CLASSES, COURSE_RECORDS
from crm.services.classes.course_days import state_of
from crm.services.classes.course_records import VIEW


@dataclass(frozen=True, slots=True)
class Entry:
    """One day of a class."""

    id: int
    held_on: date
    label: Says
    title: str
    state: DayState


def teaches(session: Session, actor: Actor) -> bool:
    """Whether the actor is a lecturer or the class teacher of any class."""
    mine = select(col(ClassGroup.id)).where(CLASSES.own(actor.owner_id)) if actor.owner_id is not None else None
    return mine is not None and session.scalar(mine.limit(1)) is not None


def month(session: Session, actor: Actor, first: date, *, own: bool) -> list[Entry]:
    """All days of the month that begins on `first`, by date."""
    actor.require(VIEW)
    # No more than is drawn: of a large school it is thousands.
    asked = select(
        col(CourseRecord.id),
        col(CourseRecord.held_on),
        col(CourseRecord.class_group_id),
        col(CourseRecord.title),
        col(CourseRecord.initialised_at),
        col(CourseRecord.taken_at),
    ).where(
        COURSE_RECORDS.where(actor, VIEW),
        col(CourseRecord.held_on) >= first,
        col(CourseRecord.held_on) < first_of_month(first, 1),
    )
    if own and actor.owner_id is not None:
        asked = asked.where(COURSE_RECORDS.own(actor.owner_id))
    rows = session.execute(asked.order_by(col(CourseRecord.held_on), col(CourseRecord.class_group_id))).all()
    names = class_names.named(session, (row.class_group_id for row in rows))
    return [Entry(row.id or 0, row.held_on, names[row.class_group_id], row.title, state_of(row)) for row in rows]
