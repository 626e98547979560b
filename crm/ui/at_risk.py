"""The list of students at risk on the screen."""

from collections.abc import Iterable
from pathlib import Path

import pandas as pd
import streamlit as st

from crm.domain.attendance import percent
from crm.i18n import _
from crm.rbac import Actor
from crm.services import at_risk as services
from crm.services.at_risk import AtRisk
from crm.services.score_sheets import EXPORT
from crm.ui.score_sheets import file_out
from crm.ui.session import now, reading_as_somebody


def at_risk(actor: Actor, class_id: int) -> None:
    """Who is at risk in the class, or in all that the actor may open, and why."""
    everywhere = st.toggle(_("All my classes under way"), key="at-risk:all")
    one = None if everywhere else class_id
    with reading_as_somebody() as session:
        found = services.at_risk(session, actor, now(), one)
    limits = services.limits()
    st.caption(
        _(
            "At risk: absent {absent} days in a row, or {required} % attendance out of reach, or the last three scores"
            " on average {points} points below the three before, or {missing} homeworks missing.",
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
    column = st.column_config
    st.dataframe(
        pd.DataFrame(_rows(found), columns=list(heads)),
        hide_index=True,
        placeholder="",
        row_height=52,
        alt=_("Students at risk, with the reasons"),
        key="at-risk:list",
        column_config={
            "name": column.TextColumn(heads["name"], pinned=True, width=130),
            "class": column.TextColumn(heads["class"], width=200),
            "why": column.TextColumn(heads["why"], width=460),
            "average": column.NumberColumn(heads["average"], format="%.1f", width=90),
            "attendance": column.NumberColumn(heads["attendance"], width=110),
            "missing": column.NumberColumn(heads["missing"], width=90),
        },
    )
    if actor.may(EXPORT):

        def write(file: Path) -> int:
            with reading_as_somebody() as session:
                mine = services.at_risk(session, actor, now(), one, EXPORT)
            return services.write(file, list(heads.values()), _rows(mine))

        what = "at-risk" if one is None else f"at-risk, class={one}"
        file_out(actor, "at-risk", _("Export"), _("Students at risk"), what, write)


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
