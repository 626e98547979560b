"""Time as the demo school lives it: working hours on the school's clock, and the scheduled expiry."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from random import Random
from zoneinfo import ZoneInfo

from crm.settings import Rules

OPENS, CLOSES = 9 * 60, 20 * 60


@dataclass(frozen=True, slots=True)
class Clock:
    """The moment of the filling, the school's zone and the lengths of the rules. All moments are UTC."""

    now: datetime
    zone: ZoneInfo
    rules: Rules

    @property
    def follow_up(self) -> timedelta:
        """How long a contact lasts."""
        return timedelta(days=self.rules.follow_up_days)

    @property
    def deal(self) -> timedelta:
        """How long an episode may last without a deal."""
        return timedelta(days=self.rules.deal_days)

    def day(self, moment: datetime) -> date:
        """The school's day of a moment."""
        return moment.astimezone(self.zone).date()

    def working(self, rng: Random, day: date) -> datetime:
        """A moment in the working hours of a school day."""
        minutes, seconds = rng.randint(OPENS, CLOSES - 1), rng.randint(0, 59)
        return datetime.combine(day, time(minutes // 60, minutes % 60, seconds), self.zone).astimezone(UTC)

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
        run = self._run_on(self.day(due))
        return run if run >= due else self._run_on(self.day(due) + timedelta(days=1))

    def last_run(self) -> datetime:
        """The last scheduled expiry at or before now."""
        run = self._run_on(self.day(self.now))
        return run if run <= self.now else self._run_on(self.day(self.now) - timedelta(days=1))

    def _run_on(self, day: date) -> datetime:
        return datetime.combine(day, self.rules.expire_at, self.zone).astimezone(UTC)
