"""My grades: the student's own days of a class as figures, a line and a table."""

from typing import Any

import pandas as pd
import pyarrow as pa
import streamlit as st

from crm.domain.attendance import Attended, counted, figure, percent
from crm.domain.scores import average, median
from crm.domain.teaching import ScoreState
from crm.grid.editor import ROW
from crm.i18n import _, literal, marked, show
from crm.rbac import Actor
from crm.services.attendance import attendance_figures
from crm.services.scores import class_days, my_grades
from crm.services.scores.class_days import ClassDays
from crm.services.scores.own_days import Days
from crm.ui.address import choose, chosen
from crm.ui.attendance.apologies import apologies, read_apologies
from crm.ui.attendance.attendance_strip import attendance_strip
from crm.ui.parts import opened
from crm.ui.scores.grades_chart import drawn, grades_chart, standings
from crm.ui.scores.homework import due_next, read_due, scored
from crm.ui.session import now, reading_as_somebody

KEPT = 60
"""Seconds for which the days of a class are kept. The same for everybody in it, they tell nothing of anybody."""


def grades(actor: Actor) -> None:
    """The page of a student. Nothing that the address says decides whose scores are shown."""
    # All of it is read before anything is drawn: each session that is opened costs as much as several small queries.
    with reading_as_somebody() as session:
        classes = my_grades.classes(session, actor)
        class_id = chosen("class", list(classes))
        if class_id is not None:
            read = my_grades.of_class(session, actor, class_id, now(), kept_days)
            due = read_due(session, actor, classes, read)
            excuses = read_apologies(session, actor)
    if class_id is None:
        st.info(_("You have no place in a class yet. Your scores will be here."), icon=":material/school:")
        return
    if len(classes) > 1:
        choose("class", _("Class"), list(classes), lambda key: str(classes[key]))
    else:
        st.caption(marked(classes[class_id]))
    days = read.days
    if days:
        _figures(days)
        grades_chart(days)
        _as_table(days)
    else:
        st.info(_("Your class has no day with you yet."), icon=":material/event:")
    due_next(actor, classes, due)
    if days:
        scored(actor, read)
        attendance_strip(days)
        st.subheader(_("All days"), anchor=False)
        _table(days)
    apologies(actor, excuses)


@st.cache_resource(ttl=KEPT, max_entries=500, show_spinner=False)
def kept_days(_session: Any, class_id: int) -> ClassDays:
    """Those of a class, read once a minute for all of its students: they are most of what years of days cost."""
    return class_days.days_of(_session, class_id)


def _figures(days: Days) -> None:
    numbers = [number for number in days.columns.number if number is not None]
    rule = attendance_figures.rule()
    attended = figure(days.columns.attended, rule)
    share = percent(attended)
    figures = (
        (_("Average"), _one_decimal(average(numbers))),
        (_("Median"), _one_decimal(median(numbers))),
        (_("Graded"), show(len(numbers))),
        (_("Missing"), show(days.columns.state.count(ScoreState.MISSING))),
        (_("Attendance"), "–" if share is None else f"{show(share)} %"),
    )
    with st.container(horizontal=True, gap="small"):
        for label, value in figures:
            st.metric(label, value, border=True, width="stretch")
    st.caption(
        _(
            "Attendance {figure}: {words} The table of all days says of each how it counts.",
            figure=attended.says,
            words=rule.words,
        )
    )


def _one_decimal(figure: float | None) -> str:
    return "–" if figure is None else show(round(figure, 1))


def _as_table(days: Days) -> None:
    """What the chart shows, as a table that every screen reader reads; made only for whoever opens it."""
    shown = opened(_("The chart as a table"), "grades:as-table")
    if not shown.open:
        return
    there = drawn(days)
    words = standings(there.columns)
    rows = [
        (show(day.held_on), literal(day.title), word, _one_decimal(day.median))
        for day, word in zip(there, words, strict=True)
    ]
    with shown:
        st.table(pd.DataFrame(rows, columns=[_("Day"), _("Title"), _("Score"), _("Class median")]), hide_index=True)


def _table(days: Days) -> None:
    """The latest day first, as people look for it, and the score beside it, where a phone shows it."""
    latest = days[::-1].columns
    rule = attendance_figures.rule()
    marks = set(latest.attended)
    mark: dict[Attended, str] = {one: str(one.says) for one in marks}
    counts: dict[Attended, str] = {one: str(counted(one, rule)) for one in marks}
    frame = pa.table(
        {
            "day": pa.array(latest.held_on, pa.date32()),
            "score": pa.array(standings(latest), pa.string()),
            "attendance": pa.array([mark[one] for one in latest.attended], pa.string()),
            "counts": pa.array([counts[one] for one in latest.attended], pa.string()),
            "title": pa.array(latest.title, pa.string()),
            "homework": pa.array(latest.homework, pa.string()),
            "median": pa.array(latest.median, pa.float64()),
            "remark": pa.array(latest.remark, pa.string()),
            "number": pa.array(latest.day_number, pa.int32()),
        }
    )
    column = st.column_config
    st.dataframe(
        frame,
        hide_index=True,
        key="grades:table",
        placeholder="",
        alt=_("Your scores and attendance by day, the latest first"),
        height=min(ROW * (frame.num_rows + 1) + 4, 480),
        row_height=ROW,
        column_config={
            "day": column.DateColumn(_("Day"), format="YYYY-MM-DD", width=110),
            "number": column.NumberColumn(_("No."), width=60),
            "title": column.TextColumn(_("Title"), width=180),
            "homework": column.TextColumn(_("Homework"), width=180),
            "score": column.TextColumn(_("Score"), width=110),
            "median": column.NumberColumn(_("Class median"), format="%.1f", width=110),
            "remark": column.TextColumn(_("Remark"), width=260),
            "attendance": column.TextColumn(_("Attendance"), width=110),
            "counts": column.TextColumn(_("Counts"), width=140),
        },
    )
