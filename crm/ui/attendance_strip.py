"""A student's attendance as a strip: a square a day, read out with its day and its mark."""

from collections.abc import Sequence
from html import escape

import streamlit as st

from crm.domain.teaching import Attendance
from crm.i18n import _, show
from crm.services.scores.my_grades import Graded
from crm.ui.attendance_marks import legend, pale, sign

COLOURS = {
    Attendance.PRESENT: "#2e9e6b",
    Attendance.EXCUSED: "#8f8a9e",
    Attendance.LATE: "#b7791f",
    Attendance.ABSENT: "#d1495b",
    Attendance.LEFT_EARLY: "#b7791f",
}
NOT_TAKEN = "#8f8a9e"
LATEST = 60
"""How many days are drawn; the table of all days has the others."""
STYLE = """
<style>
.attendance-strip { list-style: none; display: flex; flex-wrap: wrap; gap: 4px; margin: 0 !important;
  padding: 0 !important; }
.attendance-strip li { position: relative; width: 26px; height: 26px; margin: 0; border-radius: 5px; border: 2px solid;
  display: flex; align-items: center; justify-content: center; font-size: 0.8rem; font-weight: 600; }
.attendance-strip li.open { opacity: 0.45; border-style: dotted; }
.attendance-strip .said { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
</style>
"""


def attendance_strip(days: Sequence[Graded]) -> None:
    """Draws the latest days in their order, with what the signs mean below. Nothing where there is no day."""
    if not days:
        return
    latest = days[-LATEST:]
    st.subheader(_("Attendance"), anchor=False)
    squares = "".join(_square(day) for day in latest)
    label = escape(_("Your attendance day by day"))
    st.html(f"{STYLE}<ol class='attendance-strip' aria-label='{label}'>{squares}</ol>")
    st.caption(legend([day.attended for day in latest]))
    if len(days) > LATEST:
        st.caption(_("The latest {count} days. The table below has all of them.", count=LATEST))


def _square(day: Graded) -> str:
    one = day.attended
    said = escape(f"{show(day.held_on)} {one.says}")
    colour = NOT_TAKEN if one.default else COLOURS[Attendance.PRESENT if one.made_up else one.attendance]
    open_ = " class='open'" if pale(one) else ""
    return (
        f"<li{open_} style='color:{colour};border-color:{colour}' title='{said}'>"
        f"<span aria-hidden='true'>{sign(one)}</span><span class='said'>{said}</span></li>"
    )
