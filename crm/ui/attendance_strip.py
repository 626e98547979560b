"""A student's attendance as a strip: a square a day, read out with its day and its mark."""

from collections.abc import Sequence
from html import escape

import streamlit as st

from crm.domain.teaching import Attendance
from crm.i18n import _, show
from crm.services.my_grades import Marked

SIGNS = {
    Attendance.PRESENT: "✓",
    Attendance.EXCUSED: "E",
    Attendance.LATE: "L",
    Attendance.ABSENT: "✗",
    Attendance.LEFT_EARLY: "◐",
}
COLOURS = {
    Attendance.PRESENT: "#2e9e6b",
    Attendance.EXCUSED: "#8f8a9e",
    Attendance.LATE: "#b7791f",
    Attendance.ABSENT: "#d1495b",
    Attendance.LEFT_EARLY: "#b7791f",
}
STYLE = """
<style>
.attendance-strip { list-style: none; display: flex; flex-wrap: wrap; gap: 4px; margin: 0; padding: 0; }
.attendance-strip li { position: relative; width: 26px; height: 26px; margin: 0; border-radius: 5px; border: 2px solid;
  display: flex; align-items: center; justify-content: center; font-size: 0.8rem; font-weight: 600; }
.attendance-strip li.open { opacity: 0.45; border-style: dotted; }
.attendance-strip .said { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
</style>
"""


def attendance_strip(days: Sequence[Marked]) -> None:
    """Draws the days from the first to the last, with what the signs mean below. Nothing where there is no day."""
    if not days:
        return
    st.subheader(_("Attendance"), anchor=False)
    squares = "".join(_square(day) for day in days)
    label = escape(_("Your attendance day by day"))
    st.html(f"{STYLE}<ol class='attendance-strip' aria-label='{label}'>{squares}</ol>")
    used = dict.fromkeys(day.mark.attendance for day in days)
    legend = " · ".join(f"{sign} {mark.label}" for mark, sign in SIGNS.items() if mark in used)
    pale = _("Pale: not confirmed, so it does not count.")
    st.caption(legend if all(day.taken for day in days) else f"{legend} · {pale}")


def _square(day: Marked) -> str:
    mark = day.mark
    made_up = _("made up") if day.made_up else ""
    said = escape(" ".join(part for part in (show(day.held_on), str(mark.says), made_up) if part))
    colour = COLOURS[Attendance.PRESENT if day.made_up else mark.attendance]
    open_ = "" if day.taken else " class='open'"
    return (
        f"<li{open_} style='color:{colour};border-color:{colour}' title='{said}'>"
        f"<span aria-hidden='true'>{SIGNS[mark.attendance]}</span><span class='said'>{said}</span></li>"
    )
