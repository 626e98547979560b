"""The line of a student's scores. Its shape is made once for each language; what it shows goes beside it as a frame."""

from functools import cache
from typing import Any

import altair as alt
import pyarrow as pa
import streamlit as st

from crm.domain.scores import letter_of
from crm.domain.teaching import ScoreState
from crm.i18n import Language, _, language, read_in
from crm.services.scores.own_days import Columns, Days
from crm.ui.scores.class_gradebook import without_data

MARKED = (ScoreState.MISSING, ScoreState.COPIED, ScoreState.FAILED)
"""States that have a mark under the line. They have no number, so they stand at no height of it."""
SHAPES = ("cross", "triangle-up", "diamond")
COLOURS = ("#d1495b", "#e0a526", "#8f8a9e")
HEIGHT = 300
_NOT_DUE = ScoreState.NOT_DUE
_NUMBERS = [f"{number} ({letter_of(number)})" for number in range(101)]


def grades_chart(all_days: Days) -> None:
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


def drawn(days: Days) -> Days:
    """The days that the chart has a place for: those with homework or a score, up to the last that has something."""
    each = days.columns
    asked = days.only(
        homework is not None or state is not _NOT_DUE for homework, state in zip(each.homework, each.state, strict=True)
    )
    last = len(asked)
    while last and asked.columns.state[last - 1] is _NOT_DUE and asked.columns.median[last - 1] is None:
        last -= 1
    return asked[:last]


def described(days: Days) -> str:
    """What the chart shows, in a sentence for whoever cannot see it; the table below it has every number."""
    numbers = [number for number in days.columns.number if number is not None]
    if not numbers:
        return _("A chart of scores by day. Nothing is graded yet.")
    held_on = [day for day, number in zip(days.columns.held_on, days.columns.number, strict=True) if number is not None]
    return _(
        "A chart of scores by day: {count} graded from {first} to {last}, the lowest {least}, the highest {most}."
        " The table below has the same numbers.",
        count=len(numbers),
        first=held_on[0],
        last=held_on[-1],
        least=min(numbers),
        most=max(numbers),
    )


def chart_frame(days: Days) -> pa.Table:
    """One row a day, in the order of the days. A number only where a day is graded; a state is a text and no height."""
    each = days.columns
    marks = {state: str(state.label) for state in MARKED}
    return pa.table(
        {
            "day": pa.array(each.held_on, pa.date32()).cast(pa.timestamp("ms")),
            "title": pa.array(each.title, pa.string()),
            "score": pa.array(each.number, pa.float64()),
            "median": pa.array(each.median, pa.float64()),
            "mark": pa.array([marks.get(state) for state in each.state], pa.string()),
            "read": pa.array(standings(each), pa.string()),
        }
    )


def standings(days: Columns) -> list[str]:
    """How the homework of each day stands, in a few words of this run's reader: the score with its letter, the state,
    or what is to be done.
    """
    states = {state: str(state.label) for state in ScoreState}
    to_do = {True: _("Handed in"), False: _("To be handed in")}
    return [
        _NUMBERS[number]
        if number is not None
        else states[state]
        if state is not _NOT_DUE
        else ""
        if homework is None
        else to_do[handed_in]
        for number, state, homework, handed_in in zip(
            days.number, days.state, days.homework, days.handed_in, strict=True
        )
    ]


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
