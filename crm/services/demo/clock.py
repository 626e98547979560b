"""Time as the demo school lives it: working hours on the school's clock, and the scheduled expiry."""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from random import Random
from zoneinfo import ZoneInfo

from crm.domain.calendar import beginning_of, day_of, moment_of
from crm.domain.deadlines import Deadlines, Lengths, deadlines
from crm.domain.expiry import scheduled, upcoming
from crm.settings.sections import Rules

OPENS, CLOSES = 9 * 60, 20 * 60


@dataclass(frozen=True, slots=True)
class Clock:
    """The moment of the filling, the school's zone and the lengths of the rules. All moments are UTC."""

    now: datetime
    zone: ZoneInfo
    rules: Rules

    @property
    def deal(self) -> timedelta:
        """How long an episode may last without a deal."""
        return timedelta(days=self.rules.deal_days)

    def day(self, moment: datetime) -> date:
        """The school's day of a moment."""
        return day_of(moment, self.zone)

    def working(self, rng: Random, day: date) -> datetime:
        """A moment in the working hours of a school day."""
        minutes, seconds = rng.randint(OPENS, CLOSES - 1), rng.randint(0, 59)
        return moment_of(day, time(minutes // 60, minutes % 60, seconds), self.zone)

    def working_before(self, rng: Random, earliest: datetime) -> datetime:
        """A working moment between `earliest` and now, later ones no likelier than others."""
        days = (self.day(self.now) - self.day(earliest)).days
        for _try in range(20):
            moment = self.working(rng, self.day(earliest) + timedelta(days=rng.randint(0, max(days, 0))))
            if earliest <= moment <= self.now:
                return moment
        return earliest + (self.now - earliest) * rng.random()

    def run_for(self, due: datetime) -> datetime:
        """The scheduled expiry that takes a deadline: the first one at or after it."""
        return upcoming(due, self.zone, self.rules.expire_at)

    def last_run(self) -> datetime:
        """The last scheduled expiry at or before now."""
        return scheduled(self.now, self.zone, self.rules.expire_at)

    def due(self, opened: datetime, heard: datetime) -> Deadlines:
        """The deadlines of an episode with its last contact."""
        return deadlines(opened, heard, Lengths.of(self.rules))

    def extended(self, rng: Random) -> datetime:
        """The end of a manager's extension: the end of one of the next days, as far as the rules allow."""
        day = self.day(self.now) + timedelta(days=min(rng.randint(2, 6), self.rules.extension_days_max))
        return beginning_of(day, self.zone)
