"""Filters by a range, of days or of numbers, which may also ask whether there is a value at all."""

import re
from abc import abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import KW_ONLY, dataclass, field, replace
from datetime import date, datetime, time, timedelta
from typing import Any, cast
from zoneinfo import ZoneInfo

from crm.grid.conditions import Condition, Presence, present, through
from crm.grid.fields import LARGEST, Kind, Model, path, whole_number
from crm.grid.filters import Filter, Unparsable
from crm.i18n import says

TODAY = "today"


class Today(date):
    """The day on which it was asked. It is written as the word, so that a link or a view means the day it is opened."""


@dataclass(frozen=True)
class Range(Filter):
    """From one end to another, both included; either may be open. Its value is the two ends, or a `Presence`."""

    def read(self, raw: Sequence[str], model: Model) -> Any:
        text = raw[-1] if raw else ""
        for one in self.presence(model):
            if text == one.value:
                return one
        return self.ends(text, model)

    @abstractmethod
    def ends(self, text: str, model: Model) -> tuple[Any, Any]:
        """The two ends as the URL writes them. Raises `Unparsable`."""


@dataclass(frozen=True)
class DateRange(Range):
    """Rows whose date, or moment in the school's time zone, lies from one day to another, both included.

    In the address `today` stands for the day it is there; which one, the table knows at its moment (`day`).
    """

    _: KW_ONLY
    day: date | None = field(default=None, compare=False, repr=False)

    def on(self, day: date) -> "DateRange":
        return replace(self, day=day)

    def ends(self, text: str, _model: Model) -> tuple[date | None, date | None]:
        start, end = _split(text, self._end) or (None, None)
        if start is None and end is None:
            raise Unparsable(says("{value} is not a range of dates like 2026-01-01..2026-01-31.", value=text))
        if start and end and end < start:
            raise Unparsable(says("{value} ends before it begins.", value=text))
        return start, end

    def write(self, value: Any) -> list[str]:
        if isinstance(value, Presence):
            return [value.value]
        return ["..".join(TODAY if isinstance(end, Today) else str(end or "") for end in value)]

    def _end(self, text: str) -> date:
        if text == TODAY and self.day is not None:
            return Today(self.day.year, self.day.month, self.day.day)
        return _day(text)

    def where(self, value: Any, model: Model, zone: ZoneInfo) -> Condition:
        here = path(model, self.source)
        if isinstance(value, Presence):
            return present(here, value)
        start, end = value

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
class NumberRange(Range):
    """Rows whose number lies from one to another, both included.

    `kind` is that of the column of the same field, unless declared: money is asked for in units and held in cents.
    """

    _: KW_ONLY
    kind: Kind | None = None

    def as_shown(self, kind: Kind | None) -> "NumberRange":
        return replace(self, kind=self.kind or kind)

    def in_parts(self, model: Model) -> bool:
        """Whether it may have decimals."""
        return (self.kind or path(model, self.source).last.kind) in ("decimal", "money")

    def ends(self, text: str, model: Model) -> tuple[float | None, float | None]:
        number = _amount if self.kind == "money" else _decimal if self.in_parts(model) else whole_number
        start, end = _split(text, number) or (None, None)
        if start is None and end is None:
            raise Unparsable(says("{value} is not a range of numbers like 10..20.", value=text))
        if start is not None and end is not None and end < start:
            raise Unparsable(says("{value} ends before it begins.", value=text))
        return start, end

    def write(self, value: Any) -> list[str]:
        if isinstance(value, Presence):
            return [value.value]
        return ["..".join("" if end is None else repr(int(end) if end == int(end) else end) for end in value)]

    def where(self, value: Any, model: Model, _zone: ZoneInfo) -> Condition:
        here = path(model, self.source)
        if isinstance(value, Presence):
            return present(here, value)
        start, end = (None if one is None else round(one * 100) if self.kind == "money" else one for one in value)

        def within(column: Any) -> Condition:
            found = column.is_not(None) if start is None else column >= start
            return found if end is None else cast(Condition, found & (column <= end))

        return through(here, within)


def _split(text: str, read: Callable[[str], Any]) -> tuple[Any, Any] | None:
    """What stands on either side of the dots, read; None where that cannot be."""
    first, dots, last = text.partition("..")
    try:
        return (read(first) if first else None, read(last) if last else None) if dots else None
    except ValueError:
        return None


def _day(text: str) -> date:
    """A day that leaves room for a day and a time zone on either side. Raises `ValueError`."""
    day = date.fromisoformat(text)
    if not 1 < day.year < 9999:
        raise ValueError(text)
    return day


def _amount(text: str) -> float:
    """An amount in units, of as many cents as the database can compare with. Raises `ValueError`."""
    if not re.fullmatch(r"-?[0-9]{1,10}(\.[0-9]{1,2})?", text) or abs(float(text)) * 100 > LARGEST:
        raise ValueError(text)
    return float(text)


def _decimal(text: str) -> float:
    """A number that the database can compare with. Raises `ValueError`."""
    number = float(text)
    if not -LARGEST <= number <= LARGEST:
        raise ValueError(text)
    return number
