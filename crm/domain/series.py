"""The days of a series: which days of the week from when to when, without the holidays given."""

import re
from collections.abc import Collection, Iterable
from datetime import date, timedelta

from crm.domain.normalise import Wrong, half_width
from crm.i18n import Says, says

WEEKDAYS: tuple[Says, ...] = (
    says("Monday"),
    says("Tuesday"),
    says("Wednesday"),
    says("Thursday"),
    says("Friday"),
    says("Saturday"),
    says("Sunday"),
)
"""The days of the week as `date.weekday` counts them."""

LONGEST = timedelta(days=732)
"""So long is a series at most: two years."""

Span = tuple[date, date]
_DAY = r"(\d{4})\s*[-/.年]\s*(\d{1,2})\s*[-/.月]\s*(\d{1,2})\s*日?"
_SPAN = re.compile(rf"{_DAY}(?:\s*(?:\.\.+|…|~|–|—|-|至|到|to)\s*{_DAY})?", re.IGNORECASE)


def read_holidays(text: str) -> list[Span]:
    """Days and ranges of days, both ends included, as people write them: `2026-10-01..2026-10-07, 2026-12-25`.

    Separated by commas, semicolons or lines. Raises `Wrong` that names what cannot be read.
    """
    spans: list[Span] = []
    for part in re.split(r"[\n,;、]", half_width(text)):
        if not part.strip():
            continue
        found = _SPAN.fullmatch(part.strip())
        try:
            if found is None:
                raise ValueError(part)
            numbers = [int(each) for each in found.groups() if each is not None]
            first = date(*numbers[:3])
            last = date(*numbers[3:]) if len(numbers) > 3 else first
        except ValueError:
            raise Wrong(
                says(
                    "{value} is no day and no range of days. Write 2026-10-01 or 2026-10-01..2026-10-07.",
                    value=part.strip()[:40],
                )
            ) from None
        if last < first:
            raise Wrong(says("{value} ends before it begins.", value=part.strip()[:40]))
        spans.append((first, last))
    return spans


def days_of(first: date, last: date, weekdays: Collection[int], holidays: Iterable[Span] = ()) -> list[date]:
    """The days from `first` to `last`, both included, on these days of the week (Monday is 0), without the holidays."""
    off = list(holidays)
    every = (first + timedelta(days=each) for each in range((last - first).days + 1))
    return [day for day in every if day.weekday() in weekdays and not any(start <= day <= end for start, end in off)]
