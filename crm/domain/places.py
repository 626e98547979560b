"""Places in a class: whether there is room, and from which day somebody has one. `left_on` is the first day without."""

from collections.abc import Iterable, Sequence
from datetime import date
from typing import NamedTuple


class Place(NamedTuple):
    """From the day joined to the day before `left_on`."""

    joined_on: date
    left_on: date | None

    def holds_on(self, day: date) -> bool:
        """Whether it counts on that day."""
        return self.joined_on <= day and (self.left_on is None or self.left_on > day)


def most_at_once(places: Iterable[Place], since: date) -> int:
    """The most places that count on one day, on `since` or any day after it."""
    later = [place for place in places if place.left_on is None or place.left_on > max(since, place.joined_on)]
    days = {max(since, place.joined_on) for place in later}
    return max((sum(place.holds_on(day) for place in later) for day in days), default=0)


def joins_on(asked: date | None, today: date, starts_on: date) -> date:
    """The day from which a place counts: the one asked for, else today; never before the class begins."""
    return max(asked or today, starts_on)


def free_from(own: Sequence[Place], wanted: date) -> date | None:
    """The first day from `wanted` on that none of one's own places in the class takes; None where one has no end."""
    day = wanted
    for place in sorted(own, key=lambda one: one.joined_on):
        if place.left_on is None:
            return None
        if place.left_on > day:
            day = place.left_on
    return day
