"""What a class is called: course, run and campus."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, select
from sqlmodel import Session, col

from crm.domain.classes import ClassGroup
from crm.domain.school import Course, School
from crm.i18n import Says, says
from crm.rbac import Actor
from crm.services.classes.class_scopes import CLASSES

_NAMES: Any = (
    select(col(ClassGroup.id), col(Course.name), col(ClassGroup.semester), col(School.name))
    .join(Course, col(Course.id) == col(ClassGroup.course_id))
    .join(School, col(School.id) == col(ClassGroup.school_id))
    .order_by(col(Course.name), col(ClassGroup.semester).desc(), col(School.name))
)


def _named(session: Session, condition: ColumnElement[bool]) -> dict[int, Says]:
    return {
        key: says("{course} {semester} · {school}", course=course, semester=semester, school=school)
        for key, course, semester, school in session.execute(_NAMES.where(condition))
    }


def named(session: Session, ids: Iterable[int]) -> dict[int, Says]:
    """The names of these classes, by id."""
    wanted = sorted(set(ids))
    return _named(session, col(ClassGroup.id).in_(wanted)) if wanted else {}


def of_days(session: Session, days: Sequence[Any]) -> dict[int, Says]:
    """What people call these days of classes, by id: the class, the number and the date."""
    names = named(session, (row.class_group_id for row in days))
    return {
        row.id: says(
            "{name}, day {number}, {day}", name=names[row.class_group_id], number=row.day_number, day=row.held_on
        )
        for row in days
    }


def of_rows(session: Session, rows: Sequence[Any], _now: datetime) -> dict[int, Says]:
    """The name of each row's class, by the row's id: for a column of a table whose rows have a `class_group_id`."""
    names = named(session, [row.class_group_id for row in rows])
    return {row.id: names[row.class_group_id] for row in rows}


def choices(session: Session, actor: Actor, permission: str) -> Mapping[int, Says]:
    """The classes on which the actor may do `permission`, by course, the latest run first."""
    actor.require(permission)
    return _named(session, CLASSES.where(actor, permission))
