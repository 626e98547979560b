"""When jobs are due, and what a wrong list of jobs is told."""

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crm.errors import Misconfigured, NotFound
from crm.i18n import Says, says
from crm.services.jobs.rhythm import MISSED_AT_MOST, daily, every
from jobs.job import Job, StopNow, Turn, check, named
from jobs.plan import JOBS

SHANGHAI, BERLIN = ZoneInfo("Asia/Shanghai"), ZoneInfo("Europe/Berlin")
MOMENTS = st.datetimes(datetime(2020, 1, 1), datetime(2030, 1, 1), timezones=st.just(UTC))


def nothing(_turn: Turn) -> Says | None:
    return None


def a_job(name: str) -> Job:
    return Job(name, every(minutes=1), nothing, says(""))


def test_a_daily_job_is_due_on_the_schools_clock() -> None:
    now = datetime(2025, 3, 3, 4, 0, tzinfo=UTC)

    two = daily("02:00")

    assert two.latest(now, SHANGHAI) == datetime(2025, 3, 2, 18, 0, tzinfo=UTC)
    assert two.next(now, SHANGHAI) == datetime(2025, 3, 3, 18, 0, tzinfo=UTC)


def test_at_the_due_second_itself_it_is_due_and_the_next_one_is_tomorrow() -> None:
    two, due = daily("02:00"), datetime(2025, 3, 2, 18, 0, tzinfo=UTC)

    assert two.latest(due, SHANGHAI) == due
    assert two.latest(due - timedelta(microseconds=1), SHANGHAI) == due - timedelta(days=1)
    assert two.next(due, SHANGHAI) == due + timedelta(days=1)


@given(MOMENTS, st.sampled_from([SHANGHAI, BERLIN]))
def test_each_day_has_one_due_date_also_where_the_clocks_change(now: datetime, zone: ZoneInfo) -> None:
    dates = daily("02:30").recent(now, zone)

    days = [date.astimezone(zone).date() for date in dates]
    assert len(dates) == MISSED_AT_MOST
    assert days == [days[-1] - timedelta(days=back) for back in reversed(range(MISSED_AT_MOST))]
    assert dates[-1] <= now < daily("02:30").next(now, zone)


def test_a_daily_time_that_is_a_setting_is_read_when_it_is_asked() -> None:
    at = time(2, 0)
    job = daily(lambda: at)
    before = str(job.says)

    at = time(5, 15)

    assert (before, str(job.says)) == ("Daily at 02:00", "Daily at 05:15")


@given(MOMENTS, st.integers(1, 3600))
def test_the_slots_of_an_interval_are_the_same_for_every_process(now: datetime, seconds: int) -> None:
    rhythm = every(seconds=seconds)

    latest, following = rhythm.latest(now, SHANGHAI), rhythm.next(now, SHANGHAI)

    assert latest <= now < following
    assert following - latest == timedelta(seconds=seconds)
    assert rhythm.latest(following - timedelta(microseconds=1), BERLIN) == latest


def test_an_interval_never_catches_up_more_than_the_latest() -> None:
    now = datetime(2025, 3, 3, 4, 0, 5, tzinfo=UTC)

    assert every(seconds=10).recent(now, SHANGHAI) == (datetime(2025, 3, 3, 4, 0, tzinfo=UTC),)


@pytest.mark.parametrize("wrong", ["2 o'clock", "25:00", "02:00:00", ""])
def test_a_wrong_time_of_day_is_named_with_the_remedy(wrong: str) -> None:
    with pytest.raises(Misconfigured) as caught:
        daily(wrong)

    assert str(caught.value) == f"daily({wrong!r}) is not a time of day. Write it like '02:00'."


@pytest.mark.parametrize("seconds", [0, -5, 86_401])
def test_an_interval_is_a_second_to_a_day(seconds: int) -> None:
    with pytest.raises(Misconfigured) as caught:
        every(seconds=seconds)

    assert str(caught.value) == f"every({show(seconds)} s) is out of range. Use 1 second to 1 day."


def show(number: int) -> str:
    return f"{number:,}"


def test_our_own_list_is_right() -> None:
    check(JOBS)

    assert [job.name for job in JOBS] == [
        "expire-customers",
        "assign-waiting",
        "send-notifications",
        "remind-attendance",
        "clean-up",
    ]


def test_two_jobs_of_one_name_are_refused() -> None:
    with pytest.raises(Misconfigured) as caught:
        check([a_job("tidy"), a_job("tidy")])

    assert str(caught.value) == "JOBS[1] is a second job named 'tidy'. Rename one."


@pytest.mark.parametrize("name", ["Tidy", "tidy up", "-tidy", "tidy--up", "", "x" * 65])
def test_a_name_that_nobody_can_type_is_refused(name: str) -> None:
    with pytest.raises(Misconfigured, match=r"^JOBS\[0\] is named "):
        check([a_job(name)])


def test_a_misspelt_job_is_told_the_nearest() -> None:
    with pytest.raises(NotFound) as caught:
        named(JOBS, "expire-custmers")

    assert str(caught.value) == "There is no job 'expire-custmers'. Did you mean 'expire-customers'?"


def test_a_name_like_no_other_is_told_all() -> None:
    with pytest.raises(NotFound) as caught:
        named([a_job("tidy"), a_job("sweep")], "zzz")

    assert str(caught.value) == "There is no job 'zzz'. There are: tidy, sweep."


def test_a_body_goes_on_until_the_process_is_asked_to_end() -> None:
    asked = False
    turn = Turn(datetime(2025, 3, 3, tzinfo=UTC), lambda: datetime.now(UTC), lambda: asked)
    turn.go_on()

    asked = True

    with pytest.raises(StopNow):
        turn.go_on()
