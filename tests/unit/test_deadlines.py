"""Rule 3: one clock, two deadlines."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from crm.domain.deadlines import Deadlines, Lengths, days_left, deadlines, expires_at
from crm.settings.sections import Rules

START = datetime(2025, 3, 3, 4, 0, tzinfo=UTC)
LENGTHS = Lengths(follow_up_days=3, deal_days=15)
SHANGHAI = ZoneInfo("Asia/Shanghai")


def test_an_episode_starts_with_three_and_fifteen_days():
    due = deadlines(START, None, LENGTHS)

    assert due == (START + timedelta(days=3), START + timedelta(days=15))


def test_a_follow_up_moves_the_first_deadline_only():
    heard = START + timedelta(days=2, seconds=1)

    due = deadlines(START, heard, LENGTHS)

    assert due == (heard + timedelta(days=3), START + timedelta(days=15))


def test_a_follow_up_before_the_episode_counts_for_nothing():
    due = deadlines(START, START - timedelta(days=9), LENGTHS)

    assert due == deadlines(START, None, LENGTHS)


def test_the_lengths_are_settings():
    lengths = Lengths.of(Rules(follow_up_days=1, deal_days=2))

    assert deadlines(START, None, lengths) == (START + timedelta(days=1), START + timedelta(days=2))


def test_a_day_has_24_hours_also_when_the_clocks_change():
    before = datetime(2025, 3, 8, 12, 0, tzinfo=ZoneInfo("America/New_York"))

    due = deadlines(before, None, Lengths(1, 1)).follow_up_due_at

    assert due.astimezone(UTC) - before.astimezone(UTC) == timedelta(hours=24)


@pytest.mark.parametrize(
    ("extended_days", "expected_days"), [(None, 3), (1, 3), (3, 3), (9, 9)], ids=["none", "earlier", "same", "later"]
)
def test_an_extension_counts_where_it_is_later_than_the_earlier_deadline(extended_days, expected_days):
    until = None if extended_days is None else START + timedelta(days=extended_days)

    assert expires_at(deadlines(START, None, LENGTHS), until) == START + timedelta(days=expected_days)


@pytest.mark.parametrize(
    ("due", "now", "left"),
    [
        (datetime(2025, 3, 3, 15, 59), datetime(2025, 3, 3, 4, 0), 0),
        (datetime(2025, 3, 3, 16, 0), datetime(2025, 3, 3, 4, 0), 1),
        (datetime(2025, 3, 6, 4, 0), datetime(2025, 3, 3, 4, 0), 3),
        (datetime(2025, 3, 2, 15, 59), datetime(2025, 3, 2, 16, 0), -1),
    ],
    ids=["before midnight in school", "midnight in school", "three days", "yesterday"],
)
def test_days_left_are_counted_on_the_schools_calendar(due, now, left):
    assert days_left(due.replace(tzinfo=UTC), now.replace(tzinfo=UTC), SHANGHAI) == left


def test_both_deadlines_go_into_the_columns_of_their_names():
    assert Deadlines(START, START)._asdict() == {"follow_up_due_at": START, "deal_due_at": START}
