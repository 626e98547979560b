"""Who may open which class's scores, and which study records count, said once for sheet, gradebook and exports."""

from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, or_, select
from sqlmodel import Session, col

from crm.domain.classes import ClassGroup
from crm.domain.customers import Customer
from crm.domain.students import Student
from crm.domain.teaching import CourseRecord, StudyRecord
from crm.errors import NotFound
from crm.i18n import says
from crm.rbac import Actor
from crm.services.classes.class_scopes import CLASSES, COURSE_RECORDS, IN_CLASS, NO_SUCH_CLASS

VIEW, SCORE = "gradebook.view", "gradebook.score"

NO_SUCH_DAY = says("There is no such day, or it is not of a class of yours.")
NO_SUCH_ROW = says("There is no such student on this day, or the class is not yours.")

COUNTS: ColumnElement[bool] = or_(IN_CLASS, col(StudyRecord.makes_up_id).is_not(None))
"""Study records, beside their course record, of whoever was in the class on that day or made up for another there."""

IN_ORDER = (col(Customer.name), col(Student.id))
"""Students in the one order that every sheet of a class has."""


class Day(NamedTuple):
    """A day of a class that has study records, as it is chosen from."""

    id: int
    number: int
    held_on: Any
    title: str
    homework: str | None
    due_on: Any


def require_class(session: Session, actor: Actor, permission: str, class_id: int) -> None:
    """Raises `NotFound` unless the actor may do `permission` on that class, and `NotAllowed` on none."""
    actor.require(permission)
    if not CLASSES.allows(session, actor, permission, class_id):
        raise NotFound(NO_SUCH_CLASS, permission, class_id)


def class_of_day(session: Session, actor: Actor, permission: str, course_record_id: int) -> int:
    """The class whose day that is. Raises as `require_class`."""
    actor.require(permission)
    asked = select(col(CourseRecord.class_group_id)).where(
        col(CourseRecord.id) == course_record_id, COURSE_RECORDS.where(actor, permission)
    )
    found = session.scalar(asked)
    if found is None:
        raise NotFound(NO_SUCH_DAY, permission, course_record_id)
    return found


def days(session: Session, actor: Actor, permission: str, class_id: int) -> list[Day]:
    """The days of a class whose study records were made, the latest first. Raises as `require_class`."""
    require_class(session, actor, permission, class_id)
    asked = (
        select(
            col(CourseRecord.id),
            col(CourseRecord.day_number),
            col(CourseRecord.held_on),
            col(CourseRecord.title),
            col(CourseRecord.homework_title),
            col(CourseRecord.homework_due_on),
        )
        .where(col(CourseRecord.class_group_id) == class_id, col(CourseRecord.initialised_at).is_not(None))
        .order_by(col(CourseRecord.held_on).desc(), col(CourseRecord.day_number).desc())
    )
    return [Day(*row) for row in session.execute(asked)]


def running_first(session: Session, ids: list[int]) -> list[int]:
    """The classes in an order to choose from: those under way before the others, else as they came."""
    asked = select(col(ClassGroup.id), col(ClassGroup.state)).where(col(ClassGroup.id).in_(ids))
    states = {key: state.value for key, state in session.execute(asked)}
    return sorted(ids, key=lambda key: states.get(key) != "running")
