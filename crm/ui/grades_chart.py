"""The line of a student's scores. Its shape is made once for each language; what it shows goes beside it as a frame."""

from collections.abc import Sequence
from functools import cache
from typing import Any

import altair as alt
import pyarrow as pa
import streamlit as st

from crm.domain.scores import letter_of
from crm.domain.teaching import ScoreState
from crm.i18n import Language, _, language, read_in
from crm.services.scores.my_grades import Graded
from crm.ui.class_gradebook import without_data

MARKED = (ScoreState.MISSING, ScoreState.COPIED, ScoreState.FAILED)
"""States that have a mark under the line. They have no number, so they stand at no height of it."""
SHAPES = ("cross", "triangle-up", "diamond")
COLOURS = ("#d1495b", "#e0a526", "#8f8a9e")
HEIGHT = 300


def grades_chart(all_days: Sequence[Graded]) -> None:
    """Draws the scores by day, with gaps where nothing is graded, marks for the rest and the class median."""
    days = drawn(all_days)
    st.vega_lite_chart(
        chart_frame(days),
        chart_spec(language()),
        width="stretch",
        height=HEIGHT,
        alt=described(days),
        key="grades:chart",
    )


def drawn(days: Sequence[Graded]) -> list[Graded]:
    """The days that the chart has a place for: those with homework or a score, up to the last that has something."""
    asked = [day for day in days if day.homework is not None or day.state is not ScoreState.NOT_DUE]
    while asked and asked[-1].state is ScoreState.NOT_DUE and asked[-1].median is None:
        asked.pop()
    return asked


def described(days: Sequence[Graded]) -> str:
    """What the chart shows, in a sentence for whoever cannot see it; the table below it has every number."""
    graded = [day for day in days if day.number is not None]
    if not graded:
        return _("A chart of scores by day. Nothing is graded yet.")
    return _(
        "A chart of scores by day: {count} graded from {first} to {last}, the lowest {least}, the highest {most}."
        " The table below has the same numbers.",
        count=len(graded),
        first=graded[0].held_on,
        last=graded[-1].held_on,
        least=min(day.number or 0 for day in graded),
        most=max(day.number or 0 for day in graded),
    )


def chart_frame(days: Sequence[Graded]) -> pa.Table:
    """One row a day, in the order of the days. A number only where a day is graded; a state is a text and no height."""
    marks = {state: str(state.label) for state in MARKED}
    words = Standing()
    return pa.table(
        {
            "day": pa.array([day.held_on for day in days], pa.date32()).cast(pa.timestamp("ms")),
            "title": pa.array([day.title for day in days], pa.string()),
            "score": pa.array([day.number for day in days], pa.float64()),
            "median": pa.array([day.median for day in days], pa.float64()),
            "mark": pa.array([marks.get(day.state) for day in days], pa.string()),
            "read": pa.array([words.of(day) for day in days], pa.string()),
        }
    )


_NUMBERS = [f"{number} ({letter_of(number)})" for number in range(101)]


class Standing:
    """How the homework of a day stands, in a few words of this run's reader."""

    def __init__(self) -> None:
        self._states = {state: str(state.label) for state in ScoreState}
        self._open, self._in = _("To be handed in"), _("Handed in")

    def of(self, day: Graded) -> str:
        """The score with its letter, the state, or what is to be done."""
        if day.number is not None:
            return _NUMBERS[day.number]
        if day.state is not ScoreState.NOT_DUE:
            return self._states[day.state]
        if day.homework is None:
            return ""
        return self._in if day.handed_in else self._open


@cache
def chart_spec(lang: Language) -> dict[str, Any]:
    """The chart without any data: everybody who reads that language is shown the same one."""
    with read_in(lang):
        return without_data(_chart())


def _chart() -> Any:
    base = alt.Chart(alt.NamedData(name="days"))
    day = alt.X("day:T", title=None, axis=alt.Axis(format="%m-%d", labelOverlap=True))
    score = alt.Y("score:Q", title=None, scale=alt.Scale(domain=[-12, 104], nice=False),
                  axis=alt.Axis(values=[0, 20, 40, 60, 80, 100]))  # fmt: skip
    tips = [
        alt.Tooltip("day:T", title=_("Day"), format="%Y-%m-%d"),
        alt.Tooltip("title:N", title=_("Title")),
        alt.Tooltip("read:N", title=_("Score")),
        alt.Tooltip("median:Q", title=_("Class median")),
    ]
    median = base.mark_line(strokeDash=[4, 4], opacity=0.55, color="#8f8a9e", strokeWidth=1.5).encode(
        x=day, y=alt.Y("median:Q", title=None)
    )
    line = base.mark_line(strokeWidth=2).encode(x=day, y=score)
    points = base.mark_point(filled=True, size=45, opacity=1).encode(x=day, y=score, tooltip=tips)
    marks = (
        base.mark_point(size=60, filled=True, opacity=1, yOffset=-10)
        .encode(
            x=day,
            y=alt.value("height"),
            shape=alt.Shape("mark:N", title=None, scale=alt.Scale(domain=_labels(), range=list(SHAPES))),
            color=alt.Color(
                "mark:N",
                title=None,
                scale=alt.Scale(domain=_labels(), range=list(COLOURS)),
                legend=alt.Legend(orient="bottom"),
            ),
            tooltip=tips,
        )
        .transform_filter("datum.mark != null")
    )
    return alt.layer(median, line, points, marks)


def _labels() -> list[str]:
    return [str(state.label) for state in MARKED]
