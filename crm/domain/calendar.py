"""The school's calendar: which day a moment falls on, and when a day or a time of day comes, in UTC."""

from datetime import UTC, date, datetime, time, timedelta, tzinfo


def day_of(moment: datetime, zone: tzinfo) -> date:
    """The school's day of a moment, which is aware."""
    return moment.astimezone(zone).date()


def first_of_month(day: date, away: int = 0) -> date:
    """The first day of the day's month, or of the one so many months later (earlier: below 0)."""
    month = day.year * 12 + day.month - 1 + away
    return date(month // 12, month % 12 + 1, 1)


def moment_of(day: date, at: time, zone: tzinfo) -> datetime:
    """When that time of that day comes, in UTC: where the clocks jump over it the moment they jump, else the first."""
    return datetime.combine(day, at, tzinfo=zone).astimezone(UTC)


def beginning_of(day: date, zone: tzinfo) -> datetime:
    """When the day begins, in UTC."""
    return moment_of(day, time(), zone)


def end_of(day: date, zone: tzinfo) -> datetime:
    """When the day ends and the next one begins, in UTC."""
    return beginning_of(day + timedelta(days=1), zone)
