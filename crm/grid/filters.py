"""Filters: each declares its choices, reads its part of the URL, and becomes a condition.

Filters combine with AND, the choices within one with OR. A value that cannot be read is an
`Unparsable`, shown to the person; it never becomes "no filter".
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import KW_ONLY, dataclass
from datetime import date, datetime, time, timedelta
from typing import Any, cast
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, Select, false, or_, select
from sqlmodel import Session

from crm.errors import ThanosError
from crm.grid.fields import LARGEST, Model, Path, attribute, label_of, path, whole_number
from crm.grid.values import plain_text
from crm.i18n import Says, says
from crm.rbac import Actor

Condition = ColumnElement[bool]
Choices = Mapping[Any, Says | str]
NONE = "none"
MANY_CHOICES = 500


class Unparsable(ThanosError):
    """A value in the URL that its filter cannot read."""


@dataclass(frozen=True)
class Filter:
    """What every filter has: a `name`, which is its key in the URL, and a `label`."""

    name: str
    _: KW_ONLY
    label: Says | None = None
    field: str = ""

    @property
    def source(self) -> str:
        """The dotted path of the field that is filtered; the name unless declared."""
        return self.field or self.name

    def read(self, raw: Sequence[str], model: Model) -> Any:
        """The value written in the URL. Raises `Unparsable`."""
        raise NotImplementedError

    def write(self, value: Any) -> list[str]:
        """The value as the URL holds it: what `read` reads."""
        raise NotImplementedError

    def where(self, value: Any, model: Model, zone: ZoneInfo) -> Condition:
        """The condition. Days are days in `zone`."""
        raise NotImplementedError


@dataclass(frozen=True)
class AnyOf(Filter):
    """Rows whose field has any of the ticked choices. Choices come from the model's enum or its yes/no field.

    `choices`: (session, actor) -> value -> label, for a field that is neither.
    A field that may be empty offers "(none)" too.
    """

    _: KW_ONLY
    choices: Callable[[Session, Actor], Choices] | None = None

    def read(self, raw: Sequence[str], model: Model) -> tuple[Any, ...]:
        fact = path(model, self.source).last
        known: dict[str, Any] = {str(choice.value): choice for choice in fact.choices}
        if fact.kind == "yes_no":
            known = {"yes": True, "no": False}
        if not fact.required:
            known[NONE] = None
        values = []
        for text in raw:
            if text in known:
                values.append(known[text])
            elif self.choices is not None and fact.kind in ("text", "long") and text == plain_text(text):
                values.append(text)
            elif self.choices is not None and fact.kind in ("number", "relation"):
                values.append(_whole(text))
            else:
                raise Unparsable(says("{value} is not a choice of this filter.", value=text))
        return tuple(dict.fromkeys(values))

    def write(self, value: Any) -> list[str]:
        return [_written(item) for item in value]

    def where(self, value: Any, model: Model, _zone: ZoneInfo) -> Condition:
        return through(path(model, self.source), lambda column: any_of(column, value))

    def offered(self, session: Session, actor: Actor, model: Model) -> Choices:
        """The choices as value -> label, in the order to show."""
        if self.choices is not None:
            return self.choices(session, actor)
        fact = path(model, self.source).last
        made: dict[Any, Says | str] = {choice: label_of(choice) for choice in fact.choices}
        if fact.kind == "yes_no":
            made = {True: says("Yes"), False: says("No")}
        if not fact.required and fact.kind != "yes_no":
            made[None] = says("(none)")
        return made


@dataclass(frozen=True)
class Related(Filter):
    """Rows that refer to any of the ticked rows of another table.

    `field` is the foreign key, or several joined by dots: `consultant_id.department_code`; the default is
    `<name>_id`. The URL holds the key that the last one refers to, so `department=1002` is a code where the
    foreign key is one. `shows` is the field that names a choice. `rows`, (session, actor) -> Select, narrows them.
    """

    _: KW_ONLY
    shows: str = "name"
    rows: Callable[[Session, Actor], Select[Any]] | None = None

    @property
    def source(self) -> str:
        return self.field or f"{self.name}_id"

    def read(self, raw: Sequence[str], model: Model) -> tuple[Any, ...]:
        here = path(model, self.source)
        target, key = cast(tuple[Model, str], here.last.target)
        kind = path(target, key).last.kind
        values = [None if text == NONE else plain_text(text) if kind == "text" else _whole(text) for text in raw]
        return tuple(dict.fromkeys(values))

    def write(self, value: Any) -> list[str]:
        return [_written(item) for item in value]

    def where(self, value: Any, model: Model, _zone: ZoneInfo) -> Condition:
        return through(path(model, self.source), lambda column: any_of(column, value))

    def offered(self, session: Session, actor: Actor, model: Model) -> Choices:
        """The rows that may be ticked, as key -> label, by label."""
        here = path(model, self.source)
        made: dict[Any, Says | str] = dict(related_labels(session, actor, here, self.shows, self.rows))
        if not here.last.required:
            made[None] = says("(none)")
        return made


@dataclass(frozen=True)
class DateRange(Filter):
    """Rows whose date, or moment in the school's time zone, lies from one day to another, both included."""

    def read(self, raw: Sequence[str], _model: Model) -> tuple[date | None, date | None]:
        text = raw[-1] if raw else ""
        first, dots, last = text.partition("..")
        try:
            start = _day(first) if first else None
            end = _day(last) if last else None
        except ValueError:
            start = end = None
        if not dots or (start is None and end is None):
            raise Unparsable(says("{value} is not a range of dates like 2026-01-01..2026-01-31.", value=text))
        if start and end and end < start:
            raise Unparsable(says("{value} ends before it begins.", value=text))
        return start, end

    def write(self, value: Any) -> list[str]:
        start, end = value
        return [f"{start or ''}..{end or ''}"]

    def where(self, value: Any, model: Model, zone: ZoneInfo) -> Condition:
        start, end = value
        here = path(model, self.source)

        def within(column: Any) -> Condition:
            low: Any = start
            high: Any = end and end + timedelta(days=1)
            if here.last.kind == "moment":
                low = start and datetime.combine(start, time(), zone)
                high = high and datetime.combine(high, time(), zone)
            found = column.is_not(None) if low is None else column >= low
            return found if high is None else cast(Condition, found & (column < high))

        return through(here, within)


@dataclass(frozen=True)
class NumberRange(Filter):
    """Rows whose number lies from one to another, both included."""

    def read(self, raw: Sequence[str], model: Model) -> tuple[float | None, float | None]:
        text = raw[-1] if raw else ""
        first, dots, last = text.partition("..")
        number = _decimal if path(model, self.source).last.kind == "decimal" else whole_number
        try:
            start = number(first) if first else None
            end = number(last) if last else None
        except ValueError:
            start = end = None
        if not dots or (start is None and end is None):
            raise Unparsable(says("{value} is not a range of numbers like 10..20.", value=text))
        return start, end

    def write(self, value: Any) -> list[str]:
        return ["..".join("" if end is None else repr(end) for end in value)]

    def where(self, value: Any, model: Model, _zone: ZoneInfo) -> Condition:
        start, end = value

        def within(column: Any) -> Condition:
            found = column.is_not(None) if start is None else column >= start
            return found if end is None else cast(Condition, found & (column <= end))

        return through(path(model, self.source), within)


def through(here: Path, condition: Callable[[Any], Condition]) -> Condition:
    """The condition on a field reached through foreign keys, as nested `IN (SELECT ...)`."""
    found = condition(attribute(here.owner, here.last.name))
    for index in range(len(here.hops) - 1, -1, -1):
        step, target, key = here.hops[index]
        before = here.hops[index - 1][1] if index else here.model
        found = attribute(before, step).in_(select(attribute(target, key)).where(found))
    return found


def any_of(column: Any, values: Sequence[Any]) -> Condition:
    """The column has one of the values, "empty" being one of them. No value at all: no row."""
    plain = [value for value in values if value is not None]
    parts: list[Condition] = []
    if plain:
        parts.append(column == plain[0] if len(plain) == 1 else column.in_(plain))
    if None in values:
        parts.append(column.is_(None))
    return or_(*parts) if parts else false()


def related_labels(
    session: Session,
    actor: Actor,
    here: Path,
    shows: str,
    rows: Callable[[Session, Actor], Select[Any]] | None,
    keys: Sequence[Any] | None = None,
) -> dict[Any, str]:
    """Key -> label of the rows that the path's foreign key may refer to, by label; with `keys`, of these only."""
    target, key = cast(tuple[Model, str], here.last.target)
    every: Select[Any] = rows(session, actor) if rows is not None else select(target)
    column, label = attribute(target, key), attribute(target, shows)
    wanted: Select[Any] = every.with_only_columns(column, label).order_by(None).order_by(label, column)
    wanted = wanted.where(column.in_(keys)) if keys is not None else wanted.limit(MANY_CHOICES)
    return told_apart({found: str(text) for found, text in session.execute(wanted)})


def told_apart(labels: Mapping[Any, str]) -> dict[Any, str]:
    """The same with its key behind a label that two have: a widget tells its choices by what they are called."""
    times = Counter(labels.values())
    return {key: label if times[label] == 1 else f"{label} · {key}" for key, label in labels.items()}


def _whole(text: str) -> int:
    try:
        return whole_number(text)
    except ValueError:
        raise Unparsable(says("{value} is not a choice of this filter.", value=text)) from None


def _day(text: str) -> date:
    """A day that leaves room for a day and a time zone on either side. Raises `ValueError`."""
    day = date.fromisoformat(text)
    if not 1 < day.year < 9999:
        raise ValueError(text)
    return day


def _decimal(text: str) -> float:
    """A number that the database can compare with. Raises `ValueError`."""
    number = float(text)
    if not -LARGEST <= number <= LARGEST:
        raise ValueError(text)
    return number


def _written(value: Any) -> str:
    if value is None:
        return NONE
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(getattr(value, "value", value))
