"""A class's scores on the screen: students by days, how they are spread, and the classes beside each other."""

from functools import cache
from pathlib import Path
from typing import Any

import altair as alt
import pandas as pd
import pyarrow as pa
import streamlit as st

from crm.domain.scores import LETTERS, Score, average, median, typed
from crm.grid.editor import ROW
from crm.i18n import Language, _, language, listed, literal, read_in, show
from crm.rbac import Actor
from crm.services.scores import class_gradebook
from crm.services.scores.class_gradebook import Book, Compared
from crm.services.scores.gradebook_scopes import Day
from crm.services.scores.score_sheets import EXPORT, write_list
from crm.ui.scores.score_sheets import file_out
from crm.ui.session import now, reading_as_somebody


def class_gradebook_of(actor: Actor, class_id: int) -> None:
    """The gradebook of a class, with the figures of students and days, and how the scores are spread."""
    with reading_as_somebody() as session:
        book = class_gradebook.book(session, actor, class_id, now())
    if not book.pupils:
        st.info(_("No day of this class is initialised yet."), icon=":material/event:")
        return
    overall = book.figures()
    matrix(book, overall)
    st.subheader(_("How the scores are spread"), anchor=False)
    counts = class_gradebook.letters(list(book.cells.values()))
    frame = pd.DataFrame({"letter": list(counts), "count": list(counts.values())})
    total, middle = overall
    if total is not None and middle is not None:
        st.caption(_("Average {average}, median {median}.", average=round(total, 1), median=round(middle, 1)))
    st.vega_lite_chart(
        frame,
        spread_spec(language()),
        height=240,
        alt=_("Scores by letter") + ": " + listed(f"{letter} {show(count)}" for letter, count in counts.items()),
        key="gradebook:spread",
    )


def matrix(book: Book, overall: tuple[float | None, float | None]) -> None:
    """Students by days. The first two rows are the averages and the medians of the days, `overall` of all of them."""
    pupils = [book.of_pupil(pupil) for pupil in book.pupils]
    columns: dict[str, Any] = {
        "name": pa.array([_("Average"), _("Median"), *book.names()], pa.string()),
        # The row of averages shows no median, and the other way round.
        "average": pa.array([overall[0], None, *map(average, pupils)], pa.float64()),
        "median": pa.array([None, overall[1], *map(median, pupils)], pa.float64()),
    }
    # What a cell shows is looked up once for each that differs: there are thousands, and few that do.
    shown: dict[Score | None, str] = {cell: typed(cell) for cell in set(book.cells.values())}
    shown[None] = ""
    for day, numbers in zip(book.days, zip(*pupils, strict=True), strict=True):
        cells = [shown[book.cells.get((pupil.id, day.id))] for pupil in book.pupils]
        columns[str(day.id)] = pa.array([_figure(average(numbers)), _figure(median(numbers)), *cells], pa.string())
    frame = pa.table(columns)
    column = st.column_config
    config: dict[str, Any] = {
        "name": column.TextColumn(_("Student"), pinned=True, width=140),
        "average": column.NumberColumn(_("Average"), pinned=True, format="%.1f", width=80),
        "median": column.NumberColumn(_("Median"), pinned=True, format="%.1f", width=80),
    }
    for day in book.days:
        title = literal(day.title) or None
        config[str(day.id)] = column.TextColumn(_head(day), width=78, alignment="right", help=title)
    st.dataframe(
        frame,
        hide_index=True,
        height=min(ROW * (frame.num_rows + 1) + 4, 640),
        row_height=ROW,
        column_config=config,
        placeholder="",
        alt=_("Scores of the class by day"),
        key=f"gradebook:matrix:{book.class_id}",
    )


def _figure(figure: float | None) -> str:
    return "" if figure is None else f"{figure:.1f}"


def _head(day: Day) -> str:
    return f"{day.number} · {day.held_on:%m-%d}"


def compared(actor: Actor) -> None:
    """The classes beside each other."""
    with reading_as_somebody() as session:
        found = class_gradebook.compare(session, actor, now())
    if not found:
        st.info(_("Nothing is scored yet."), icon=":material/grading:")
        return
    long = pd.DataFrame(
        [
            (str(one.name), letter, count, place)
            for one in found
            for place, (letter, count) in enumerate(one.letters.items())
            if count
        ],
        columns=["class", "letter", "count", "place"],
    )
    if len(long):
        st.vega_lite_chart(
            long,
            compare_spec(language()),
            height=70 + 34 * len(found),
            alt=_("Scores by letter, class by class; the table below has the figures"),
            key="gradebook:compare",
        )
    column = st.column_config
    st.dataframe(
        pd.DataFrame(
            {
                "class": [str(one.name) for one in found],
                "average": pd.Series([one.average for one in found], dtype="Float64"),
                "median": pd.Series([one.median for one in found], dtype="Float64"),
                **{name: [getattr(one, name) for one in found] for name in ("graded", "missing", "copied", "failed")},
            }
        ),
        hide_index=True,
        placeholder="",
        alt=_("The classes beside each other"),
        column_config={
            "class": column.TextColumn(_("Class"), pinned=True, width=260),
            "average": column.NumberColumn(_("Average"), format="%.1f", width=90),
            "median": column.NumberColumn(_("Median"), format="%.1f", width=90),
            "graded": column.NumberColumn(_("Graded"), width=90),
            "missing": column.NumberColumn(_("Missing"), width=90),
            "copied": column.NumberColumn(_("Copied"), width=90),
            "failed": column.NumberColumn(_("Did not pass"), width=110),
        },
        key="gradebook:classes",
    )
    if actor.may(EXPORT):
        heads = [_("Class"), _("Average"), _("Median"), _("Graded"), _("Missing"), _("Copied"), _("Did not pass")]

        def write(file: Path) -> int:
            with reading_as_somebody() as session:
                mine = class_gradebook.compare(session, actor, now(), EXPORT)
            return write_list(file, [*heads, *LETTERS], [_line(one) for one in mine])

        file_out(actor, "compare", _("Export"), _("Compare classes"), "compare", write)


def _line(one: Compared) -> list[str | float | None]:
    figures = [None if figure is None else round(figure, 1) for figure in (one.average, one.median)]
    return [str(one.name), *figures, one.graded, one.missing, one.copied, one.failed, *one.letters.values()]


@cache
def spread_spec(lang: Language) -> dict[str, Any]:
    """How many have each letter, without the numbers: the same chart for everybody who reads that language."""
    with read_in(lang):
        chart = (
            alt.Chart(alt.NamedData(name="letters"))
            .mark_bar(cornerRadiusEnd=3)
            .encode(
                x=alt.X("letter:N", sort=list(LETTERS), title=None, axis=alt.Axis(labelAngle=0)),
                y=alt.Y("count:Q", title=None, axis=alt.Axis(tickMinStep=1, format="d")),
                tooltip=[
                    alt.Tooltip("letter:N", title=_("Letter")),
                    alt.Tooltip("count:Q", title=_("Number of scores")),
                ],
            )
        )
        return without_data(chart)


@cache
def compare_spec(lang: Language) -> dict[str, Any]:
    """Each class as one bar of its letters, the best first."""
    with read_in(lang):
        chart = (
            alt.Chart(alt.NamedData(name="classes"))
            .mark_bar()
            .encode(
                x=alt.X("count:Q", stack="normalize", title=None, axis=alt.Axis(format="%")),
                y=alt.Y("class:N", title=None, axis=alt.Axis(labelLimit=220)),
                order=alt.Order("place:Q"),
                color=alt.Color(
                    "letter:N",
                    sort=list(LETTERS),
                    title=None,
                    scale=alt.Scale(domain=list(LETTERS), scheme="purpleblue", reverse=True),
                    legend=alt.Legend(orient="bottom"),
                ),
                tooltip=[
                    alt.Tooltip("class:N", title=_("Class")),
                    alt.Tooltip("letter:N", title=_("Letter")),
                    alt.Tooltip("count:Q", title=_("Number of scores")),
                ],
            )
        )
        return without_data(chart)


def without_data(chart: Any) -> dict[str, Any]:
    """The chart as Vega-Lite reads it, for data that come beside it."""
    spec: dict[str, Any] = chart.to_dict()
    spec.pop("data", None)
    spec.pop("datasets", None)
    return spec
