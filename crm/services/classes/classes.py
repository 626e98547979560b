"""Class groups: who sees them, adding one, and changing it."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy import Select, delete, func, insert, select
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, col
from sqlmodel import select as select_rows
from sqlmodel.sql.expression import SelectOfScalar

from crm.domain import normalise
from crm.domain.balances import Balance
from crm.domain.calendar import day_of
from crm.domain.classes import ClassGroup, ClassLecturer, ClassState
from crm.domain.normalise import Wrong
from crm.domain.places import Place, most_at_once
from crm.domain.school import Course, School
from crm.domain.staff import Employee
from crm.domain.students import Enrolment
from crm.errors import Invalid, NotAllowed, NotFound
from crm.i18n import Says, listed, says
from crm.rbac import Actor, Reach
from crm.services.access import audit
from crm.services.classes.class_names import choices
from crm.services.classes.class_scopes import CLASSES, in_class_on
from crm.services.classes.courses import cents
from crm.services.seen_rows import NO_RECORD, lock_row, require_seen
from crm.services.students import money_of
from crm.services.typed_cells import a_day, read_cells
from crm.settings import settings

VIEW, EDIT, MONEY = "classes.view", "classes.edit", "classes.money"
LECTURERS = "lecturer_ids"
_NOTES = ("note",)

# Who is seen


def visible_to(_session: Session, actor: Actor) -> SelectOfScalar[ClassGroup]:
    """The classes in the actor's reach: own ones are those one teaches."""
    actor.require(VIEW)
    return select_rows(ClassGroup).where(CLASSES.where(actor, VIEW))


def in_it_today(session: Session, rows: Sequence[ClassGroup], now: datetime) -> dict[int, int]:
    """How many students are in each of these classes today, on the school's calendar."""
    ids = [row.id for row in rows]
    asked = (
        select(col(Enrolment.class_group_id), func.count())
        .where(col(Enrolment.class_group_id).in_(ids), in_class_on(day_of(now, settings().zone)))
        .group_by(col(Enrolment.class_group_id))
    )
    found: dict[int, int] = dict(map(tuple, session.execute(asked)))
    return {row.id: found.get(row.id, 0) for row in rows if row.id is not None}


def lecturers_of(session: Session, rows: Sequence[ClassGroup], _now: datetime) -> dict[int, str]:
    """The names of each class's lecturers."""
    asked = (
        select(col(ClassLecturer.class_group_id), col(Employee.name))
        .join(Employee, col(Employee.id) == col(ClassLecturer.employee_id))
        .where(col(ClassLecturer.class_group_id).in_([row.id for row in rows]))
        .order_by(col(Employee.name))
    )
    found: dict[int, list[str]] = defaultdict(list)
    for key, name in session.execute(asked):
        found[key].append(name)
    return {key: listed(names) for key, names in found.items()}


def money(session: Session, actor: Actor, class_id: int) -> Balance:
    """What was paid for a class and is still owed. Raises `NotFound`, `NotAllowed`."""
    actor.require(MONEY)
    if not CLASSES.allows(session, actor, MONEY, class_id):
        raise NotFound(NO_RECORD, MONEY, class_id)
    return money_of.classes(session, [class_id]).get(class_id, Balance())


# What can be chosen


def possible_lecturers(_session: Session, _actor: Actor) -> Select[Any]:
    """Staff who can lecture: they work here, in a department that the settings name, or in any."""
    return _staff(settings().lecturer_departments)


def possible_teachers(_session: Session, _actor: Actor) -> Select[Any]:
    """Staff who can be class teachers, chosen as the lecturers are."""
    return _staff(settings().class_teacher_departments)


def active_courses(_session: Session, _actor: Actor) -> Select[Any]:
    """Courses that are taught now."""
    return select(Course).where(col(Course.active))


def choices_to_pay_for(session: Session, actor: Actor) -> Mapping[int, Says]:
    """Every class by name: what a payment may be for. Whether it still takes somebody is checked with the payment."""
    return choices(session, actor, VIEW) if actor.may(VIEW) else {}


def choices_to_join(session: Session, actor: Actor) -> Mapping[int, Says]:
    """The classes that somebody can still join, by name."""
    ended = set(session.scalars(select(col(ClassGroup.id)).where(col(ClassGroup.state) == ClassState.FINISHED)))
    return {key: name for key, name in choices_to_pay_for(session, actor).items() if key not in ended}


def _staff(departments: Sequence[int]) -> Select[Any]:
    found = select(Employee).where(col(Employee.active))
    return found.where(col(Employee.department_code).in_(departments)) if departments else found


# What is changed


def add(session: Session, actor: Actor, values: Mapping[str, Any], now: datetime) -> int:
    """Add a class, its lecturers under `lecturer_ids`; returns the id. For who looks after all.

    Without a price it costs what the course does. Raises `Invalid` by field, `NotAllowed`.
    """
    actor.require(EDIT)
    if actor.reach(EDIT) is not Reach.ALL:
        raise NotAllowed(says("Only whoever looks after the whole school adds classes."), EDIT)
    whole = {**dict.fromkeys(("school_id", "course_id", "semester", "starts_on")), **values}
    cells, lecturers = _checked(session, whole, None)
    if whole.get("price_cents") is None:
        course = session.get(Course, cells["course_id"])
        cells["price_cents"] = course.price_cents if course is not None else 0
    row = ClassGroup(**cells)
    _write(session, row)
    assert row.id is not None
    _set_lecturers(session, row.id, lecturers or ())
    # Who teaches a class has it, its students and its days as own ones.
    given = {**audit.named_only(cells, _NOTES), LECTURERS: list(lecturers or ())}
    audit.record(session, actor, EDIT, "class_group", row.id, None, given, now)
    return row.id


def save(session: Session, actor: Actor, class_id: int, version: int, changes: Mapping[str, Any], now: datetime) -> int:
    """Save changed fields of a class against the version seen; returns the new version.

    Raises `Conflict` with the values now there, `Invalid` by field, `NotFound`, `NotAllowed`.
    """
    actor.require(EDIT)
    row = lock_row(session, ClassGroup, class_id, CLASSES.where(actor, EDIT), EDIT)
    require_seen(row, version, changes)
    cells, lecturers = _checked(session, changes, row)
    if "capacity" in cells:
        _room(session, class_id, cells["capacity"], day_of(now, settings().zone))
    before = {key: getattr(row, key) for key in cells}
    for key, value in cells.items():
        setattr(row, key, value)
    row.version = version + 1
    _write(session, row)
    after = dict(cells)
    if lecturers is not None:
        before[LECTURERS], after[LECTURERS] = _lecturer_ids(session, class_id), list(lecturers)
        _set_lecturers(session, class_id, lecturers)
    was, becomes = (audit.named_only(one, _NOTES) for one in (before, after))
    audit.record(session, actor, EDIT, "class_group", class_id, was, becomes, now)
    return version + 1


def _checked(
    session: Session, values: Mapping[str, Any], before: ClassGroup | None
) -> tuple[dict[str, Any], tuple[int, ...] | None]:
    """The values ready for the columns, and the lecturers where they change. Raises `Invalid` by field."""
    cells, wrong = read_cells(_CHECKS, {key: value for key, value in values.items() if key != LECTURERS})
    if "school_id" in cells and session.get(School, cells["school_id"]) is None:
        wrong["school_id"] = says("Choose a campus.")
    if "course_id" in cells and session.get(Course, cells["course_id"]) is None:
        wrong["course_id"] = says("Choose a course.")
    starts, ends = (cells.get(key, getattr(before, key, None)) for key in ("starts_on", "ends_on"))
    if starts is not None and ends is not None and ends < starts:
        wrong["ends_on"] = says("A class cannot end before it begins.")
    wrong |= _teachers(session, cells, values.get(LECTURERS), before)
    if wrong:
        raise Invalid.of(wrong)
    lecturers = values.get(LECTURERS)
    return cells, None if lecturers is None else tuple(dict.fromkeys(lecturers))


def _teachers(session: Session, cells: Mapping[str, Any], lecturers: Any, before: ClassGroup | None) -> dict[str, Says]:
    """Who cannot be chosen. Whoever teaches the class already stays."""
    rules = settings()
    wrong: dict[str, Says] = {}
    teacher = cells.get("teacher_id")
    new_teacher = teacher is not None and (before is None or teacher != before.teacher_id)
    if new_teacher and not _all_of(session, [teacher], rules.class_teacher_departments):
        wrong["teacher_id"] = says("Choose somebody who works in a department of class teachers.")
    if lecturers is not None:
        there = _lecturer_ids(session, before.id) if before is not None else []
        new = [each for each in lecturers if each not in there]
        if not _all_of(session, new, rules.lecturer_departments):
            wrong[LECTURERS] = says("Choose lecturers who work in a department of lecturers.")
    return wrong


def _all_of(session: Session, ids: Sequence[Any], departments: Sequence[int]) -> bool:
    wanted = set(ids)
    if not all(isinstance(each, int) for each in wanted):
        return False
    asked = _staff(departments).with_only_columns(col(Employee.id)).where(col(Employee.id).in_(wanted))
    return set(session.scalars(asked)) == wanted


def _room(session: Session, class_id: int, capacity: int, today: date) -> None:
    """Raises `Invalid` where more are in the class, or will be, than it would hold."""
    asked = select(col(Enrolment.joined_on), col(Enrolment.left_on)).where(col(Enrolment.class_group_id) == class_id)
    most = most_at_once((Place(*row) for row in session.execute(asked)), today)
    if capacity < most:
        raise Invalid.of({"capacity": says("{count} are in the class, or will be.", count=most)})


def _lecturer_ids(session: Session, class_id: int | None) -> list[int]:
    asked = select(col(ClassLecturer.employee_id)).where(col(ClassLecturer.class_group_id) == class_id)
    return sorted(session.scalars(asked))


def _set_lecturers(session: Session, class_id: int, ids: Sequence[int]) -> None:
    session.execute(delete(ClassLecturer).where(col(ClassLecturer.class_group_id) == class_id))
    if ids:
        session.execute(insert(ClassLecturer), [{"class_group_id": class_id, "employee_id": each} for each in ids])


def _write(session: Session, row: ClassGroup) -> None:
    try:
        with session.begin_nested():
            session.add(row)
            session.flush()
    except IntegrityError as error:
        raise Invalid.of({"semester": says("This campus has that run of the course already.")}) from error


def _whole(least: int, most: int) -> Any:
    def check(value: Any) -> int:
        if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
            raise Wrong(says("Enter a whole number from {least} to {most}.", least=least, most=most))
        return value

    return check


def _key(value: Any) -> int:
    return int(_whole(1, 2**31 - 1)(value))


def _day(value: Any) -> date:
    found = a_day(value)
    if found is None:
        raise Wrong(says("Enter a date like 2025-03-31."))
    return found


def _state(value: Any) -> ClassState:
    found = next((one for one in ClassState if one == value), None)
    if found is None:
        raise Wrong(says("Choose where the class stands."))
    return found


_CHECKS: Mapping[str, Any] = {
    "school_id": _key,
    "course_id": _key,
    "semester": _whole(1, 9999),
    "price_cents": cents,
    "capacity": _whole(1, 1000),
    "starts_on": _day,
    "ends_on": a_day,
    "teacher_id": lambda value: None if value is None else _key(value),
    "state": _state,
    "note": lambda value: normalise.lines(value, 500),
}
