"""In the evening whoever teaches is told, once, of days that were held and not confirmed."""

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select, update
from sqlmodel import Session, col

from crm.domain.calendar import day_of
from crm.domain.classes import ClassGroup
from crm.domain.staff import Employee
from crm.domain.teaching import CourseRecord
from crm.i18n import says
from crm.rbac import Actor
from crm.services.attendance.attendance import TAKE
from crm.services.classes import class_names
from crm.services.classes.class_scopes import ANYBODY
from crm.services.classes.course_record_cells import teachers
from crm.services.notices.notices import Notice, tell_each
from crm.settings import settings

LOOKS_BACK = timedelta(days=6)
"""A day that was added so much later is told of too; what is older, nobody confirms any more."""


def remind(session: Session, actor: Actor, due_at: datetime, now: datetime) -> int:
    """Tell lecturer and class teacher of each day up to that evening that was not confirmed. Returns how many days.

    Claimed by a conditional update, so each day is told of once whoever runs this and however often. Days of classes
    with nobody in them are passed over.
    """
    actor.require(TAKE)
    evening = day_of(due_at, settings().zone)
    claimed = list(
        session.execute(
            update(CourseRecord)
            .where(
                col(CourseRecord.held_on).between(evening - LOOKS_BACK, evening),
                col(CourseRecord.taken_at).is_(None),
                col(CourseRecord.reminded_at).is_(None),
                ANYBODY,
            )
            .values(reminded_at=now)
            .returning(
                col(CourseRecord.id),
                col(CourseRecord.class_group_id),
                col(CourseRecord.held_on),
                col(CourseRecord.lecturer_id),
            ),
            execution_options={"synchronize_session": False},
        )
    )
    names = class_names.named(session, (row.class_group_id for row in claimed))
    title = says("An attendance is not confirmed yet")
    notices = [
        Notice(
            account,
            title,
            says(
                "{name}, {day}. Until it is confirmed, the day counts nowhere.",
                name=names[row.class_group_id],
                day=row.held_on,
            ),
            f"/attendance?day={row.id}",
        )
        for row in sorted(claimed, key=lambda row: (row.held_on, row.id))
        for account in _who(session, row)
    ]
    tell_each(session, notices, now)
    return len(claimed)


def _who(session: Session, row: Any) -> list[int]:
    """The sign-ins of the day's lecturer (without one: of the class's) and of the class teacher."""
    teacher = select(col(ClassGroup.teacher_id)).where(col(ClassGroup.id) == row.class_group_id)
    people = [row.lecturer_id] if row.lecturer_id is not None else teachers(session, row.class_group_id)
    asked = select(col(Employee.account_id)).where(
        col(Employee.id).in_(people) | col(Employee.id).in_(teacher), col(Employee.account_id).is_not(None)
    )
    return [account for account in session.scalars(asked.distinct()) if account is not None]
