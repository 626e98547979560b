"""Campuses and courses: what is taught, and where. Seen by whoever may see the page, changed for the whole school."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import true
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session
from sqlmodel import select as select_rows
from sqlmodel.sql.expression import SelectOfScalar

from crm.domain import normalise
from crm.domain.money import MOST_CENTS
from crm.domain.normalise import Wrong
from crm.domain.school import Course, School
from crm.errors import Invalid, NotAllowed
from crm.i18n import says
from crm.rbac import Actor, Reach
from crm.services.access import audit
from crm.services.seen_rows import lock_row, require_seen
from crm.services.typed_cells import read_cells

VIEW, EDIT = "courses.view", "courses.edit"
Row = School | Course


def schools(_session: Session, actor: Actor) -> SelectOfScalar[School]:
    """All campuses."""
    actor.require(VIEW)
    return select_rows(School)


def courses(_session: Session, actor: Actor) -> SelectOfScalar[Course]:
    """All courses."""
    actor.require(VIEW)
    return select_rows(Course)


def add_school(session: Session, actor: Actor, values: Mapping[str, Any], now: datetime) -> int:
    """Add a campus; returns its id. Raises `Invalid` by field, `NotAllowed`."""
    return _add(session, actor, School, {"name": None, "city": None, **values}, now)


def add_course(session: Session, actor: Actor, values: Mapping[str, Any], now: datetime) -> int:
    """Add a course; returns its id. Raises `Invalid` by field, `NotAllowed`."""
    return _add(session, actor, Course, {"name": None, "price_cents": None, **values}, now)


def save_school(
    session: Session, actor: Actor, school_id: int, version: int, changes: Mapping[str, Any], now: datetime
) -> int:
    """Save changed fields of a campus against the version seen; returns the new version.

    Raises `Conflict` with the values now there, `Invalid` by field, `NotFound`, `NotAllowed`.
    """
    return _save(session, actor, School, school_id, version, changes, now)


def save_course(
    session: Session, actor: Actor, course_id: int, version: int, changes: Mapping[str, Any], now: datetime
) -> int:
    """Save changed fields of a course as `save_school` does. What classes cost already stays as it was agreed."""
    return _save(session, actor, Course, course_id, version, changes, now)


def cents(value: Any) -> int:
    """A price in cents, nothing being none. Raises `Wrong`."""
    if value is None:
        return 0
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= MOST_CENTS:
        raise Wrong(says("Enter an amount in yuan with at most two decimals, such as 1280.50."))
    return value


def yes_no(value: Any) -> bool:
    """Yes or no. Raises `Wrong`."""
    if not isinstance(value, bool):
        raise Wrong(says("Answer yes or no."))
    return value


def _name(value: Any) -> str:
    found = normalise.name(value, longest=100)
    if not found:
        raise Wrong(says("Enter a name."))
    return found


_CHECKS: Mapping[type[Row], Mapping[str, Any]] = {
    School: {"name": _name, "city": lambda value: normalise.line(value, 100) or ""},
    Course: {"name": _name, "price_cents": cents, "active": yes_no},
}


def _require_all(actor: Actor) -> None:
    actor.require(EDIT)
    if actor.reach(EDIT) is not Reach.ALL:
        raise NotAllowed(says("Only whoever looks after the whole school changes this."), EDIT)


def _checked(model: type[Row], values: Mapping[str, Any]) -> dict[str, Any]:
    cells, wrong = read_cells(_CHECKS[model], values)
    if wrong:
        raise Invalid.of(wrong)
    return cells


def _add(session: Session, actor: Actor, model: type[Row], values: Mapping[str, Any], now: datetime) -> int:
    _require_all(actor)
    row = model(**_checked(model, values))
    _write(session, row)
    assert row.id is not None
    audit.record(session, actor, EDIT, model.__tablename__, row.id, None, {"name": row.name}, now)
    return row.id


def _save(
    session: Session,
    actor: Actor,
    model: type[Row],
    row_id: int,
    version: int,
    changes: Mapping[str, Any],
    now: datetime,
) -> int:
    _require_all(actor)
    row = lock_row(session, model, row_id, true(), EDIT)
    require_seen(row, version, changes)
    cells = _checked(model, changes)
    before = {key: getattr(row, key) for key in cells}
    for key, value in cells.items():
        setattr(row, key, value)
    row.version = version + 1
    _write(session, row)
    audit.record(session, actor, EDIT, row.__tablename__, row_id, before, cells, now)
    return version + 1


def _write(session: Session, row: Any) -> None:
    try:
        with session.begin_nested():
            session.add(row)
            session.flush()
    except IntegrityError as error:
        raise Invalid.of({"name": says("There is one of this name already.")}) from error
