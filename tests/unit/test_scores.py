"""Scores: what a teacher may type, letters, and figures that no state ever enters."""

import statistics
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crm.domain.scores import (
    LETTERS,
    NONE,
    UNREAD,
    Fall,
    Score,
    average,
    falling,
    in_effect,
    letter_of,
    median,
    read_score,
    typed,
)
from crm.domain.teaching import ScoreState
from crm.i18n import LANGUAGES, read_in

GRADED = ScoreState.GRADED
DUE = date(2025, 3, 7)
NUMBERS = st.integers(0, 100)
MAYBE = st.lists(st.none() | NUMBERS)


@pytest.mark.parametrize(
    ("written", "number"),
    [
        ("A+", 100),
        ("a", 90),
        ("b +", 85),
        ("Ｂ", 80),
        ("ｂ－", 70),
        ("c＋", 60),
        ("C", 50),
        ("c−", 40),
        ("d", 0),
        ("0", 0),
        (" 87 ", 87),
        ("１００", 100),
        ("72.0", 72),
        (72.0, 72),
        (100, 100),
    ],
)
def test_letters_in_any_case_and_width_and_whole_numbers_are_graded(written, number):
    assert read_score(written) == Score(GRADED, number)


@pytest.mark.parametrize(
    ("written", "state"),
    [
        ("missing", ScoreState.MISSING),
        ("M", ScoreState.MISSING),
        ("未交", ScoreState.MISSING),
        ("Copied", ScoreState.COPIED),
        ("cp", ScoreState.COPIED),
        ("抄袭", ScoreState.COPIED),
        ("FAIL", ScoreState.FAILED),
        ("f", ScoreState.FAILED),
        ("不及格", ScoreState.FAILED),
    ],
)
def test_states_are_typed_by_word_or_short_form_in_either_language(written, state):
    assert read_score(written) == Score(state)


@pytest.mark.parametrize("nothing", [None, "", "  ", "\u3000"])
def test_an_empty_cell_is_not_scored(nothing):
    assert read_score(nothing) == NONE


@pytest.mark.parametrize("sentinel", [-1, -100, -1000])
def test_a_number_that_once_stood_for_a_state_is_refused(sentinel):
    for written in (sentinel, float(sentinel), str(sentinel), f"－{-sentinel}", f"−{-sentinel}"):
        assert read_score(written) == UNREAD


@pytest.mark.parametrize("wrong", ["101", "87.5", 87.5, 1e9, float("nan"), float("inf"), "A++", "E", "九十", "½", True])
def test_what_is_no_score_is_refused(wrong):
    assert read_score(wrong) == UNREAD


@given(st.text() | st.integers() | st.floats() | st.none() | st.booleans())
def test_whatever_is_typed_becomes_a_score_in_range_or_a_sentence(anything):
    read = read_score(anything)

    if isinstance(read, Score):
        assert (read.state is GRADED) == (read.number is not None)
        assert read.number is None or 0 <= read.number <= 100
    else:
        assert read == UNREAD


@given(
    st.sampled_from([NONE, *(Score(each) for each in ScoreState if each is not GRADED)])
    | st.builds(Score, st.just(GRADED), NUMBERS)
)
def test_a_score_is_read_again_from_how_it_is_written_in_either_language(score):
    for language in LANGUAGES:
        with read_in(language):
            assert read_score(typed(score)) == score


@given(NUMBERS)
def test_a_number_has_the_greatest_letter_that_it_reaches(number):
    letter = letter_of(number)

    assert LETTERS[letter] == max(worth for worth in LETTERS.values() if worth <= number)
    assert letter_of(LETTERS[letter]) == letter


@pytest.mark.parametrize("number", [-1, -100, -1000, 101])
def test_a_number_out_of_range_has_no_letter(number):
    with pytest.raises(ValueError, match="from 0 to 100"):
        letter_of(number)


@given(MAYBE)
def test_averages_and_medians_are_of_the_graded_only(numbers):
    graded = [number for number in numbers if number is not None]

    assert average(numbers) == (statistics.fmean(graded) if graded else None)
    assert median(numbers) == (statistics.median(graded) if graded else None)


def test_homework_is_missing_from_the_day_after_it_was_due():
    def stands(today, handed_in=False, state=ScoreState.NOT_DUE, due_on=DUE):
        return in_effect(state, handed_in=handed_in, due_on=due_on, today=today)

    after = DUE + timedelta(days=1)
    assert stands(DUE) is ScoreState.NOT_DUE
    assert stands(after) is ScoreState.MISSING
    assert stands(after, handed_in=True) is ScoreState.NOT_DUE
    assert stands(after, due_on=None) is ScoreState.NOT_DUE


@pytest.mark.parametrize("state", [each for each in ScoreState if each is not ScoreState.NOT_DUE])
def test_what_a_teacher_entered_stands_after_the_due_date(state):
    assert in_effect(state, handed_in=False, due_on=DUE, today=DUE + timedelta(days=9)) is state


def test_an_average_of_three_falls_by_so_many_points():
    assert falling([90, 90, None, 90, 80, 80, 80], least=10) == Fall(80, 90)
    assert falling([90, 90, 90, 81, 80, 80], least=10) is None
    assert falling([100, 100, 0, 0, 0], least=10) is None
    assert falling([80, 80, 80, 90, 90, 90], least=10) is None


@given(MAYBE)
def test_what_is_not_graded_neither_falls_nor_keeps_from_falling(numbers):
    assert falling(numbers, 1) == falling([number for number in numbers if number is not None], 1)
