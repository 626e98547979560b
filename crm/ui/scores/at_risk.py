"""The list of students at risk on the screen."""

from collections.abc import Iterable
from pathlib import Path
from urllib.parse import quote

import pandas as pd
import streamlit as st

from crm.domain.attendance import percent
from crm.grid.editor import LINKED
from crm.i18n import _, literal, marked
from crm.rbac import Actor
from crm.services.attendance import attendance, attendance_figures
from crm.services.scores import at_risk as services
from crm.services.scores.at_risk import AtRisk
from crm.services.scores.score_sheets import EXPORT, write_list
from crm.ui.attendance.attendance_marks import rows_of
from crm.ui.parts import opened
from crm.ui.scores.score_sheets import file_out
from crm.ui.session import now, reading_as_somebody


def at_risk(actor: Actor, class_id: int) -> None:
    """Who is at risk in the class, or in all that the actor may open, and why."""
    everywhere = st.toggle(_("All my classes not finished"), key="at-risk:all")
    one = None if everywhere else class_id
    with reading_as_somebody() as session:
        found = services.at_risk(session, actor, now(), one)
        opens = attendance.classes_seen(session, actor) if actor.may(attendance.VIEW) else {}
    limits = services.limits()
    st.caption(
        _(
            "At risk: absent {absent} days in a row, or {required} % attendance out of reach unless absences are made"
            " up, or the last three scores on average {points} points below the three before, or {missing} homeworks"
            " missing.",
            absent=limits.absences_in_a_row,
            required=limits.required,
            points=limits.falling_points,
            missing=limits.missing_homework,
        )
    )
    if not found:
        st.success(_("Nobody is at risk."), icon=":material/check_circle:")
        return
    heads = {
        "name": _("Student"),
        "class": _("Class"),
        "why": _("Why"),
        "average": _("Average"),
        "attendance": _("Attendance, %"),
        "missing": _("Missing"),
    }
    frame = pd.DataFrame(_rows(found), columns=list(heads))
    if opens:
        frame["days"] = [_days(each) if each.class_id in opens else None for each in found]
    column = st.column_config
    st.dataframe(
        frame,
        hide_index=True,
        placeholder="",
        alt=_("Students at risk, with the reasons"),
        key="at-risk:list",
        # Of one class its name says nothing, and without it all the figures are in sight.
        column_order=("name", "why", "average", "attendance", "days", "missing", *(("class",) if one is None else ())),
        column_config={
            "name": column.TextColumn(heads["name"], pinned=True, width=105),
            "class": column.TextColumn(heads["class"], width=200),
            "why": column.TextColumn(heads["why"], width=380),
            "average": column.NumberColumn(heads["average"], format="%.1f", width=75),
            "attendance": column.NumberColumn(heads["attendance"], width=105),
            "days": column.LinkColumn(_("Days attended"), display_text=LINKED, width=105),
            "missing": column.NumberColumn(heads["missing"], width=70),
        },
    )
    _in_full(found)
    st.caption(_("Attendance: {words}", words=attendance_figures.rule().words))
    if actor.may(EXPORT):

        def write(file: Path) -> int:
            with reading_as_somebody() as session:
                mine = services.at_risk(session, actor, now(), one, EXPORT)
            return write_list(file, list(heads.values()), _rows(mine))

        what = "at-risk" if one is None else f"at-risk, class={one}"
        file_out(actor, "at-risk", _("Export"), _("Students at risk"), what, write)


def _days(one: AtRisk) -> str:
    """The address of the records that the figure is made of, and behind it what is shown of it."""
    text = _("{attended} of {days}", attended=one.attended.attended, days=one.attended.days)
    return f"{rows_of(one.student_id, one.class_id)}#{quote(text)}"


def _in_full(found: Iterable[AtRisk]) -> None:
    """Every reason, each on a line: a cell of the list shows as much of them as fits, and no cell breaks its lines
    dependably where names are Chinese and reasons English."""
    shown = opened(_("The reasons in full"), "at-risk:in-full")
    if not shown.open:
        return
    with shown:
        for one in found:
            reasons = "".join(f"\n- {marked(why)}" for why in one.reasons)
            st.markdown(f"**{literal(one.name)}** · {marked(one.class_name)}\n{reasons}")


def _rows(found: Iterable[AtRisk]) -> list[tuple[str, str, str, float | None, int | None, int]]:
    return [
        (
            one.name,
            str(one.class_name),
            " ".join(str(why) for why in one.reasons),
            None if one.average is None else round(one.average, 1),
            percent(one.attended),
            one.missing,
        )
        for one in found
    ]
