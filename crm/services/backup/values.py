"""Values of a database as JSON, and back: the same for SQLite and PostgreSQL.

Kinds: `int`, `text`, `bool`, `date` (YYYY-MM-DD) and `moment` (YYYY-MM-DD HH:MM:SS.ffffff in UTC).
"""

from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any

from sqlalchemy import Boolean, Column, Date, DateTime, Integer, String, TypeDecorator

Convert = Callable[[Any], Any]
_KINDS = ((DateTime, "moment"), (Date, "date"), (Boolean, "bool"), (Integer, "int"), (String, "text"))
_LARGEST = 2**63


def kind(column: Column[Any]) -> str:
    """The kind of a column. Raises `TypeError` for a type that backups do not know yet."""
    plain = column.type.impl_instance if isinstance(column.type, TypeDecorator) else column.type
    for known, name in _KINDS:
        if isinstance(plain, known):
            return name
    raise TypeError(f"{column.table.name}.{column.name} is of type {column.type}, which backups do not know")


def to_json(kind: str, *, postgres: bool) -> Convert | None:
    """What turns a value as the driver gives it into JSON; None where it is JSON already."""
    if kind == "moment" and postgres:
        return lambda value: None if value is None else _written(value)
    if kind == "date" and postgres:
        return lambda value: None if value is None else value.isoformat()
    if kind == "bool" and not postgres:
        return lambda value: None if value is None else bool(value)
    return None


def from_json(kind: str, *, postgres: bool) -> Convert:
    """What turns JSON into a value for the driver. It raises `ValueError` on anything that is not of the kind."""
    return {
        "moment": _moment_for_postgres if postgres else _moment,
        "date": _date,
        "bool": _bool if postgres else _bool_for_sqlite,
        "int": _int,
        "text": _text,
    }[kind]


def _written(moment: datetime) -> str:
    return moment.astimezone(UTC).replace(tzinfo=None).isoformat(" ", "microseconds")


def _moment(value: Any) -> str | None:
    if value is None:
        return None
    if not isinstance(value, str):
        raise ValueError(value)
    return datetime.fromisoformat(value).replace(tzinfo=None).isoformat(" ", "microseconds")


def _moment_for_postgres(value: Any) -> str | None:
    written = _moment(value)
    return None if written is None else f"{written}+00"


def _date(value: Any) -> str | None:
    if value is None:
        return None
    if not isinstance(value, str):
        raise ValueError(value)
    return date.fromisoformat(value).isoformat()


def _bool(value: Any) -> bool | None:
    if value is not None and not isinstance(value, bool):
        raise ValueError(value)
    return value


def _bool_for_sqlite(value: Any) -> int | None:
    return None if _bool(value) is None else int(value)


def _int(value: Any) -> int | None:
    if value is not None and (type(value) is not int or abs(value) >= _LARGEST):
        raise ValueError(value)
    return value


def _text(value: Any) -> str | None:
    if value is not None and not isinstance(value, str):
        raise ValueError(value)
    return value
