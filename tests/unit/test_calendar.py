"""The school's calendar, where days begin and end at other moments than in UTC."""

from datetime import UTC, date, datetime, time
from zoneinfo import ZoneInfo

import pytest

from crm.domain.calendar import beginning_of, day_of, end_of, first_of_month, moment_of

SHANGHAI, BERLIN = ZoneInfo("Asia/Shanghai"), ZoneInfo("Europe/Berlin")


def test_a_moment_falls_on_the_schools_day() -> None:
    assert day_of(datetime(2025, 3, 3, 15, 59, tzinfo=UTC), SHANGHAI) == date(2025, 3, 3)
    assert day_of(datetime(2025, 3, 3, 16, 0, tzinfo=UTC), SHANGHAI) == date(2025, 3, 4)


@pytest.mark.parametrize(
    ("away", "first"), [(0, (2025, 1)), (1, (2025, 2)), (12, (2026, 1)), (-1, (2024, 12)), (-13, (2023, 12))]
)
def test_months_are_counted_across_years(away: int, first: tuple[int, int]) -> None:
    assert first_of_month(date(2025, 1, 31), away) == date(*first, 1)


def test_a_day_ends_where_the_next_begins() -> None:
    assert beginning_of(date(2025, 3, 4), SHANGHAI) == datetime(2025, 3, 3, 16, tzinfo=UTC)
    assert end_of(date(2025, 3, 4), SHANGHAI) == datetime(2025, 3, 4, 16, tzinfo=UTC)


@pytest.mark.parametrize(
    ("day", "hours"), [(date(2025, 3, 30), 23), (date(2025, 10, 26), 25)], ids=["clocks go forward", "clocks go back"]
)
def test_a_day_is_as_long_as_its_clocks_make_it(day: date, hours: int) -> None:
    assert (end_of(day, BERLIN) - beginning_of(day, BERLIN)).total_seconds() == hours * 3600


def test_a_time_that_is_jumped_over_is_the_jump_and_one_that_comes_twice_the_first() -> None:
    assert moment_of(date(2025, 3, 30), time(2), BERLIN) == datetime(2025, 3, 30, 1, tzinfo=UTC)
    assert moment_of(date(2025, 10, 26), time(2), BERLIN) == datetime(2025, 10, 26, 0, tzinfo=UTC)
