"""Names as a teacher types them, and the days of a series."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crm.domain.marks import Mark, read_mark
from crm.domain.name_matching import Meant, meant
from crm.domain.normalise import Wrong
from crm.domain.series import days_of, read_holidays
from crm.domain.teaching import Attendance
from crm.errors import Invalid

CLASS = {1: "张伟", 2: "张伟强", 3: "Li Na", 4: "Wang Wei", 5: "李娜", 6: "李静", 7: "李静"}


def found(text: str) -> list[tuple[str, tuple[int, ...]]]:
    return [(one.typed, one.students) for one in meant(text, CLASS)]


@pytest.mark.parametrize("separator", ["\n", ",", "，", "、", "；", ";", " ", " , ", "\t", "\r\n\r\n"])
def test_names_are_separated_by_anything_usual(separator):
    assert found(f"李娜{separator}张伟强") == [("李娜", (5,)), ("张伟强", (2,))]


def test_a_name_in_full_means_its_bearer_although_another_name_contains_it():
    assert found("张伟") == [("张伟", (1,))]


def test_a_part_of_a_name_is_enough_and_may_mean_several():
    assert found("强 张") == [("强", (2,)), ("张", (1, 2))]


def test_two_of_the_same_name_are_for_choice():
    assert found("李静") == [("李静", (6, 7))]


def test_two_of_the_same_name_are_meant_by_the_name_alone_and_one_of_them_with_the_number():
    twice = {1: "李静 · 12", 2: "李静 · 345", 3: "李静怡"}

    assert [one.students for one in meant("李静", twice)] == [(1, 2)]
    assert [one.students for one in meant("李静 · 345，李静怡", twice)] == [(2,), (3,)]


def test_a_space_inside_a_name_separates_nothing():
    assert found("li na Wang Wei") == [("li na", (3,)), ("Wang Wei", (4,))]


def test_whoever_is_not_there_is_said_to_be_nobody():
    assert found("王五, 李娜") == [("王五", ()), ("李娜", (5,))]


def test_a_name_typed_twice_means_one_student():
    assert found("李娜, @李娜。") == [("李娜", (5,))]


@given(st.text(max_size=60))
def test_whatever_is_typed_no_student_is_meant_twice_for_certain(text):
    certain = [one.students[0] for one in meant(text, CLASS) if len(one.students) == 1]

    assert len(certain) == len(set(certain))
    assert all(isinstance(one, Meant) and set(one.students) <= CLASS.keys() for one in meant(text, CLASS))


def test_a_misspelt_mark_is_refused():
    for forged in ("presnt", "", None, "LATE ", 1):
        with pytest.raises(Invalid) as refused:
            read_mark(forged)
        assert "attendance" in refused.value.fields


def test_minutes_are_for_who_was_late():
    assert read_mark("late", "12") == Mark(Attendance.LATE, 12)
    for mark, minutes in (("absent", 5), ("late", 0), ("late", 1.5), ("late", True), ("late", 5000)):
        with pytest.raises(Invalid) as refused:
            read_mark(mark, minutes)
        assert "late_minutes" in refused.value.fields


def test_holidays_are_read_as_people_write_them():
    week = (date(2026, 10, 1), date(2026, 10, 7))
    for text in (
        "2026-10-01..2026-10-07",
        "2026/10/1 - 2026/10/7",
        "2026年10月1日至2026年10月7日",
        "2026-10-01 ~ 2026-10-07",
    ):
        assert read_holidays(text) == [week]
    assert read_holidays("2026-12-25；2026-10-01…2026-10-07\n") == [(date(2026, 12, 25),) * 2, week]


@pytest.mark.parametrize("text", ["tomorrow", "2026-13-01", "2026-10-07..2026-10-01", "2026-10"])
def test_holidays_that_cannot_be_read_are_named(text):
    with pytest.raises(Wrong) as wrong:
        read_holidays(text)
    assert text in str(wrong.value)


def test_a_series_has_the_days_of_the_week_without_the_holidays():
    days = days_of(date(2026, 11, 23), date(2026, 12, 6), {0, 2}, [(date(2026, 11, 30), date(2026, 12, 1))])

    assert days == [date(2026, 11, 23), date(2026, 11, 25), date(2026, 12, 2)]
