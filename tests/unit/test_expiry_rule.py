"""Rule 4: what the 02:00 run does with one customer, and when 02:00 is."""

import random
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from crm.domain.deadlines import Deadlines, Lengths, deadlines
from crm.domain.episodes import Outcome
from crm.domain.expiry import Held, Lapses, NotDue, PassedOver, scheduled, upcoming, verdict
from crm.i18n import says

RUN = datetime(2025, 3, 2, 18, 0, tzinfo=UTC)
"""Monday 02:00 in Shanghai."""
SECOND = timedelta(seconds=1)
DAY = timedelta(days=1)
ZONES = [
    ZoneInfo(name)
    for name in (
        "Asia/Shanghai",
        "UTC",
        "America/New_York",
        "Europe/Berlin",
        "Australia/Lord_Howe",
        "Pacific/Apia",
        "America/St_Johns",
    )
]


def held(follow_up=RUN + DAY, deal=RUN + DAY, **values):
    return Held(Deadlines(follow_up, deal), **values)


@pytest.mark.parametrize("due", [{"follow_up": RUN}, {"deal": RUN}])
def test_a_deadline_at_the_very_second_has_passed(due):
    assert isinstance(verdict(held(**due), RUN), Lapses)


@pytest.mark.parametrize("due", [{"follow_up": RUN + SECOND}, {"deal": RUN + SECOND}])
def test_a_second_later_it_has_not(due):
    assert verdict(held(**due), RUN) == NotDue()


@pytest.mark.parametrize(
    ("follow_up", "deal", "outcome"),
    [
        (RUN - SECOND, RUN, Outcome.NO_FOLLOW_UP),
        (RUN, RUN - SECOND, Outcome.NO_DEAL),
        (RUN, RUN, Outcome.NO_DEAL),
        (RUN, RUN + DAY, Outcome.NO_FOLLOW_UP),
        (RUN + DAY, RUN, Outcome.NO_DEAL),
    ],
    ids=["follow-up first", "deal first", "tie", "follow-up alone", "deal alone"],
)
def test_the_earlier_deadline_names_the_outcome_and_a_tie_is_no_deal(follow_up, deal, outcome):
    assert verdict(held(follow_up, deal), RUN) == Lapses(outcome)


def test_a_pending_payment_keeps_the_customer_and_says_so():
    paid = held(follow_up=RUN - DAY, payment_since=RUN)

    assert verdict(paid, RUN) == PassedOver(says("A payment awaits confirmation."))


def test_a_payment_recorded_after_the_scheduled_moment_comes_too_late():
    paid = held(follow_up=RUN - DAY, payment_since=RUN + SECOND)

    assert verdict(paid, RUN) == Lapses(Outcome.NO_FOLLOW_UP)


def test_an_extension_keeps_the_customer_until_it_ends():
    until = RUN + SECOND

    kept = verdict(held(follow_up=RUN - DAY, extended_until=until), RUN)
    gone = verdict(held(follow_up=RUN - DAY, extended_until=RUN), RUN)

    assert kept == PassedOver(says("A manager extended the time until {until}.", until=until))
    assert gone == Lapses(Outcome.NO_FOLLOW_UP)


def test_an_extension_is_not_mentioned_where_nothing_is_due():
    assert verdict(held(extended_until=RUN + DAY, payment_since=RUN), RUN) == NotDue()


def test_a_customer_never_lapses_before_the_first_run_after_the_earlier_deadline():
    chance = random.Random(5)
    zone = ZoneInfo("Asia/Shanghai")

    for _ in range(500):
        start = RUN + timedelta(seconds=chance.randrange(10**7))
        due = deadlines(start, None, Lengths(chance.randint(1, 20), chance.randint(1, 20)))
        run = upcoming(min(due), zone)

        assert isinstance(verdict(Held(due), run), Lapses)
        assert verdict(Held(due), run - DAY) == NotDue()
        assert run - min(due) < DAY


@pytest.mark.parametrize("zone", ZONES, ids=str)
def test_there_is_one_scheduled_moment_a_day_in_every_zone(zone):
    chance = random.Random(1)
    first = datetime(2011, 1, 1, tzinfo=UTC)

    for _ in range(1_000):
        now = first + timedelta(seconds=chance.randrange(16 * 365 * 86_400))
        last, following = scheduled(now, zone), upcoming(now + timedelta(microseconds=1), zone)

        assert last <= now < following
        assert scheduled(last, zone) == last == scheduled(following - timedelta(microseconds=1), zone)
        assert upcoming(last, zone) == last
        assert timedelta(hours=22) < following - last <= timedelta(hours=26)


@pytest.mark.parametrize(
    ("now", "run"),
    [
        ("2025-03-03T02:00:00+08:00", "2025-03-02T18:00:00+00:00"),
        ("2025-03-03T01:59:59+08:00", "2025-03-01T18:00:00+00:00"),
        ("2025-03-03T23:59:59+08:00", "2025-03-02T18:00:00+00:00"),
    ],
    ids=["at 02:00", "a second before", "late"],
)
def test_the_run_stands_for_the_last_two_o_clock(now, run):
    assert scheduled(datetime.fromisoformat(now), ZoneInfo("Asia/Shanghai")).isoformat() == run


def test_where_the_clocks_jump_over_two_o_clock_it_is_the_moment_they_jump():
    new_york = ZoneInfo("America/New_York")

    run = scheduled(datetime(2025, 3, 9, 12, 0, tzinfo=new_york), new_york)

    assert run == datetime(2025, 3, 9, 7, 0, tzinfo=UTC)


def test_where_two_o_clock_comes_twice_it_is_the_first():
    berlin = ZoneInfo("Europe/Berlin")

    run = scheduled(datetime(2025, 10, 26, 12, 0, tzinfo=berlin), berlin)

    assert run == datetime(2025, 10, 26, 0, 0, tzinfo=UTC)


def test_the_time_of_day_is_a_setting():
    shanghai = ZoneInfo("Asia/Shanghai")

    assert scheduled(RUN, shanghai, time(23, 30)) == datetime(2025, 3, 2, 15, 30, tzinfo=UTC)
