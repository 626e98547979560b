"""A student's attendance as a strip: a square a day, read out with its day and its mark."""

from html import escape

import streamlit as st

from crm.domain.attendance import Attended
from crm.domain.teaching import Attendance
from crm.i18n import _, show
from crm.services.scores.own_days import Days
from crm.ui.attendance.attendance_marks import legend, pale, sign

COLOURS = {
    Attendance.PRESENT: "#2e9e6b",
    Attendance.EXCUSED: "#8f8a9e",
    Attendance.LATE: "#b7791f",
    Attendance.ABSENT: "#d1495b",
    Attendance.LEFT_EARLY: "#b7791f",
}
NOT_TAKEN = "#8f8a9e"
DAY = "{day}"
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


def attendance_strip(days: Days) -> None:
    """Draws the latest days in their order, with what the signs mean below. Nothing where there is no day."""
    if not days:
        return
    latest = days[-LATEST:]
    st.subheader(_("Attendance"), anchor=False)
    # Hardly two marks of so many days differ: what is alike of their squares is made once.
    square = {one: _square(one) for one in set(latest.columns.attended)}
    squares = "".join(square[day.attended].replace(DAY, show(day.held_on)) for day in latest)
    label = escape(_("Your attendance day by day"))
    st.html(f"{STYLE}<ol class='attendance-strip' aria-label='{label}'>{squares}</ol>")
    st.caption(legend(latest.columns.attended))
    if len(days) > LATEST:
        st.caption(_("The latest {count} days. The table below has all of them.", count=LATEST))


def _square(one: Attended) -> str:
    """The square of a day with that mark, where `DAY` stands for its date."""
    said = f"{DAY} {escape(str(one.says))}"
    colour = NOT_TAKEN if one.default else COLOURS[Attendance.PRESENT if one.made_up else one.attendance]
    open_ = " class='open'" if pale(one) else ""
    return (
        f"<li{open_} style='color:{colour};border-color:{colour}' title='{said}'>"
        f"<span aria-hidden='true'>{sign(one)}</span><span class='said'>{said}</span></li>"
    )
