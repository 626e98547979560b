"""What a person types about a course record, checked."""

from collections.abc import Mapping
from datetime import date
from typing import Any

from sqlalchemy import select, union
from sqlmodel import Session, col

from crm.domain.classes import ClassGroup, ClassLecturer
from crm.domain.normalise import Wrong, half_width, visible
from crm.domain.teaching import CourseRecord
from crm.errors import Invalid
from crm.i18n import Says, says
from crm.services.typed_cells import NOT_TYPED, a_day

TEXTS = {"title": 100, "content": 2000, "homework_title": 100, "homework_brief": 4000, "exam_points": 1000}
"""The texts of a course record, and how long each may be."""
DAYS = ("held_on", "homework_due_on")


def teachers(session: Session, class_group_id: int) -> list[int]:
    """Who may hold a day of the class: its lecturers, then its class teacher."""
    lecturers = session.scalars(
        select(col(ClassLecturer.employee_id))
        .where(col(ClassLecturer.class_group_id) == class_group_id)
        .order_by(col(ClassLecturer.employee_id))
    )
    teacher = session.scalar(select(col(ClassGroup.teacher_id)).where(col(ClassGroup.id) == class_group_id))
    return list(dict.fromkeys([*lecturers, *([teacher] if teacher is not None else [])]))


def teach(classes: Any) -> Any:
    """The ids of those who teach one of `classes`, a select of ids of classes."""
    return union(
        select(col(ClassLecturer.employee_id)).where(col(ClassLecturer.class_group_id).in_(classes)),
        select(col(ClassGroup.teacher_id)).where(col(ClassGroup.id).in_(classes)),
    )


def checked(
    session: Session, class_group_id: int, values: Mapping[str, Any], record: CourseRecord | None
) -> dict[str, Any]:
    """The values ready for the columns; `record` is the one that is changed. Raises `Invalid` by field."""
    cells: dict[str, Any] = {}
    wrong: dict[str, Says] = {}
    for key, value in values.items():
        if key in TEXTS:
            text = visible(half_width(str(value or "")) if key == "title" else str(value or ""))
            if len(text) > TEXTS[key]:
                wrong[key] = says("At most {count} characters fit here.", count=TEXTS[key])
            cells[key] = text if text or key == "title" else None
        elif key in DAYS:
            try:
                cells[key] = a_day(value)
            except Wrong as error:
                cells[key], wrong[key] = None, error.says
        elif key == "lecturer_id":
            cells[key] = value
            if value is not None and value not in teachers(session, class_group_id):
                wrong[key] = says("Choose a lecturer or the class teacher of this class.")
        else:
            wrong[key] = NOT_TYPED
    if "held_on" in cells and cells["held_on"] is None:
        wrong.setdefault("held_on", says("Enter the day."))
    elif "held_on" in cells and "held_on" not in wrong:
        wrong |= _free(session, class_group_id, cells["held_on"], record)
    wrong |= _homework(cells, record)
    if wrong:
        raise Invalid.of(wrong)
    return cells


def _free(session: Session, class_group_id: int, day: date, record: CourseRecord | None) -> dict[str, Says]:
    if record is not None and record.held_on == day:
        return {}
    if record is not None and record.initialised_at is not None:
        return {"held_on": says("This day was initialised, so its date stays. Delete it and add another.")}
    there = select(col(CourseRecord.day_number)).where(
        col(CourseRecord.class_group_id) == class_group_id, col(CourseRecord.held_on) == day
    )
    number = session.scalar(there)
    if number is not None:
        return {"held_on": says("This class has day {number} on {day} already.", number=number, day=day)}
    return {}


def _homework(cells: Mapping[str, Any], record: CourseRecord | None) -> dict[str, Says]:
    asked = ("homework_title", "homework_brief", "homework_due_on")
    held = {key: cells.get(key, getattr(record, key, None)) for key in (*asked, "held_on")}
    untitled = held["homework_title"] is None and (held["homework_brief"] or held["homework_due_on"])
    if untitled and cells.keys() & set(asked):
        return {"homework_title": says("Give the homework a title, or leave its brief and due date empty.")}
    if held["homework_due_on"] and held["held_on"] and held["homework_due_on"] < held["held_on"]:
        return {"homework_due_on": says("Homework is due on the day itself at the earliest.")}
    return {}
