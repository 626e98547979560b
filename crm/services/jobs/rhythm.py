"""When a job is due: pure values, asked with `now` and the school's zone."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta, tzinfo

from crm.domain.expiry import scheduled, upcoming
from crm.errors import Misconfigured
from crm.i18n import Says, says, says_n

MISSED_AT_MOST = 62
"""How many missed days are caught up one by one. What is older is covered by the oldest of these."""

_INSTANT = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Daily:
    """Due once each calendar day of the school. Every missed day is caught up, in order.

    `at` may be a function, for a time of day that is a setting.
    """

    at: time | Callable[[], time]

    def latest(self, now: datetime, zone: tzinfo) -> datetime:
        """The last due date at or before `now`, in UTC."""
        return scheduled(now, zone, self._time())

    def next(self, now: datetime, zone: tzinfo) -> datetime:
        """The first due date after `now`, in UTC."""
        return upcoming(now + _INSTANT, zone, self._time())

    def recent(self, now: datetime, zone: tzinfo) -> tuple[datetime, ...]:
        """The due dates that may still be caught up at `now`, oldest first."""
        dates = [self.latest(now, zone)]
        while len(dates) < MISSED_AT_MOST:
            dates.append(self.latest(dates[-1] - _INSTANT, zone))
        return tuple(reversed(dates))

    @property
    def says(self) -> Says:
        """For the screen."""
        return says("Daily at {time}", time=f"{self._time():%H:%M}")

    def _time(self) -> time:
        return self.at() if callable(self.at) else self.at


@dataclass(frozen=True, slots=True)
class Every:
    """Due at every full multiple of `seconds` since 1970. A missed one is not caught up: the next does its work."""

    seconds: int

    def latest(self, now: datetime, _zone: tzinfo) -> datetime:
        """The last due date at or before `now`, in UTC."""
        return datetime.fromtimestamp(int(now.timestamp()) // self.seconds * self.seconds, UTC)

    def next(self, now: datetime, zone: tzinfo) -> datetime:
        """The first due date after `now`, in UTC."""
        return self.latest(now, zone) + timedelta(seconds=self.seconds)

    def recent(self, now: datetime, zone: tzinfo) -> tuple[datetime, ...]:
        """The due dates that may still be caught up at `now`: only the latest."""
        return (self.latest(now, zone),)

    @property
    def says(self) -> Says:
        """For the screen."""
        if self.seconds % 60:
            return says_n("Every second", "Every {count} seconds", count=self.seconds)
        return says_n("Every minute", "Every {count} minutes", count=self.seconds // 60)


Rhythm = Daily | Every


def daily(at: str | Callable[[], time]) -> Daily:
    """Once a day at "HH:MM" on the school's clock, or at a time that a setting names. Raises `Misconfigured`."""
    if callable(at):
        return Daily(at)
    try:
        return Daily(datetime.strptime(at, "%H:%M").time())
    except ValueError:
        raise Misconfigured(says("daily({at}) is not a time of day. Write it like '02:00'.", at=repr(at))) from None


def every(*, minutes: int = 0, seconds: int = 0) -> Every:
    """Again and again after so many minutes and seconds. Raises `Misconfigured`."""
    length = minutes * 60 + seconds
    if not 1 <= length <= 86_400:
        raise Misconfigured(says("every({length} s) is out of range. Use 1 second to 1 day.", length=length))
    return Every(length)
