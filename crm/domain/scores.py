"""Scores: how they are typed, which letter a number has, and figures over them. A state is never a number."""

import re
import statistics
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import NamedTuple

from crm.domain.teaching import ScoreState
from crm.i18n import Says, says

LETTERS: Mapping[str, int] = {
    "A+": 100,
    "A": 90,
    "B+": 85,
    "B": 80,
    "B-": 70,
    "C+": 60,
    "C": 50,
    "C-": 40,
    "D": 0,
}
"""What a letter is worth, the best first. A number has the letter of the greatest that it reaches."""

ENOUGH = 5
"""A class median is shown from so many graded on: of fewer, it would tell the others' scores."""

THREE = 3
"""Averages that may fall are of so many graded scores in a row."""


class Score(NamedTuple):
    """How a homework stands; the number only when graded."""

    state: ScoreState
    number: int | None = None


NONE = Score(ScoreState.NOT_DUE)
"""Not scored."""

_WORDS: Mapping[str, ScoreState] = {
    **dict.fromkeys(("missing", "miss", "m", "none", "未交", "没交", "缺交", "缺"), ScoreState.MISSING),
    **dict.fromkeys(("copied", "copy", "cp", "抄袭", "雷同", "抄"), ScoreState.COPIED),
    **dict.fromkeys(("failed", "fail", "f", "did not pass", "不合格", "不及格", "未通过", "没通过"), ScoreState.FAILED),
}
_MINUS = dict.fromkeys(map(ord, "‐‑‒–—−﹣－"), "-")
_NUMBER = re.compile(r"\d+(\.0+)?")

UNREAD = says("Type a letter from A+ to D, a whole number from 0 to 100, or copied, failed or missing.")


def read_score(typed: object) -> Score | Says:
    """What a teacher typed, or a cell of a sheet: the score, or why it is none. Empty is not scored.

    Letters in any case and width, whole numbers from 0 to 100, the states by word or short form in both languages.
    No number stands for a state: -1, -100 and -1000 are refused like any other that is out of range.
    """
    if isinstance(typed, bool):
        return UNREAD
    if isinstance(typed, int | float):
        return _number(float(typed))
    text = " ".join(unicodedata.normalize("NFKC", "" if typed is None else str(typed)).translate(_MINUS).split())
    if not text:
        return NONE
    letter = text.upper().replace(" ", "")
    if letter in LETTERS:
        return Score(ScoreState.GRADED, LETTERS[letter])
    if text.casefold() in _WORDS:
        return Score(_WORDS[text.casefold()])
    if _NUMBER.fullmatch(text) and text.isascii():
        return _number(float(text))
    return UNREAD


def _number(number: float) -> Score | Says:
    if not (number.is_integer() and 0 <= number <= 100):
        return UNREAD
    return Score(ScoreState.GRADED, int(number))


def typed(score: Score) -> str:
    """The score as a teacher would type it; `read_score` reads the same from it, in whichever language."""
    if score.number is not None:
        return str(score.number)
    return "" if score.state in (ScoreState.NOT_DUE, ScoreState.GRADED) else str(score.state.label)


def letter_of(number: float) -> str:
    """The letter of a number from 0 to 100: that of the greatest value it reaches. Raises `ValueError` outside."""
    if not 0 <= number <= 100:
        raise ValueError(f"a score is from 0 to 100, not {number!r}")
    return next(letter for letter, worth in LETTERS.items() if number >= worth)


def in_effect(state: ScoreState, *, handed_in: bool, due_on: date | None, today: date) -> ScoreState:
    """How a homework stands today: `missing` once its due date is over, nothing was handed in and nobody scored it.

    The one rule for that. `missing` is not stored for it, so it needs no job and is never late; what a teacher
    entered stands. Without a due date nothing is missing by itself.
    """
    overdue = due_on is not None and due_on < today
    return ScoreState.MISSING if state is ScoreState.NOT_DUE and overdue and not handed_in else state


def average(numbers: Iterable[int | None]) -> float | None:
    """The average of those that are graded; None where nothing is."""
    graded = [number for number in numbers if number is not None]
    # Not `statistics.fmean`: whole numbers add up exactly, and a gradebook has thousands.
    return sum(graded) / len(graded) if graded else None


def median(numbers: Iterable[int | None]) -> float | None:
    """The median of those that are graded; None where nothing is."""
    graded = sorted(number for number in numbers if number is not None)
    half = len(graded) // 2
    if not graded:
        return None
    return float(graded[half]) if len(graded) % 2 else (graded[half - 1] + graded[half]) / 2


class Fall(NamedTuple):
    """The average of the last three graded scores, and that of the three before them."""

    now: float
    before: float


def falling(in_day_order: Sequence[int | None], least: float) -> Fall | None:
    """The falling average of three: the last three graded scores are on average `least` or more below the three
    before them. None where they are not, or where fewer than six are graded.
    """
    graded = [number for number in in_day_order if number is not None]
    if len(graded) < 2 * THREE:
        return None
    now, before = statistics.fmean(graded[-THREE:]), statistics.fmean(graded[-2 * THREE : -THREE])
    return Fall(now, before) if before - now >= least else None
