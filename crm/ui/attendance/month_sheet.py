"""The month sheet: a real table, so that a screen reader reads each mark with its student and its day."""

import shutil
import tempfile
from datetime import date
from html import escape
from pathlib import Path

import streamlit as st

from crm.domain.attendance import Attended
from crm.domain.calendar import first_of_month
from crm.domain.teaching import DayState
from crm.errors import ThanosError
from crm.i18n import _, marked, show
from crm.rbac import Actor
from crm.services.attendance import month_sheet
from crm.services.attendance.month_sheet import Line, Sheet
from crm.ui.address import choose, choose_month
from crm.ui.attendance.attendance_marks import legend, pale, rows_of, sign
from crm.ui.file_link import file_link
from crm.ui.session import now, reading_as_somebody, today, writing_as

BEFORE = 24
"""So many months before this one can be looked at, and the next one."""
STYLE = """
<style>
.month-sheet { overflow-x: auto; max-width: 100%; }
.month-sheet table { border-collapse: collapse; font-size: 0.875rem; }
.month-sheet th, .month-sheet td { padding: 0.2rem 0.4rem; border: 1px solid rgba(128,128,128,0.35); text-align: center;
  white-space: nowrap; }
.month-sheet th[scope=row] { text-align: left; position: sticky; left: 0;
  background: var(--st-background-color, Canvas); }
.month-sheet a { color: inherit !important; }
.month-sheet .open { opacity: 0.55; }
.month-sheet .said { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
</style>
"""


def sheet(actor: Actor) -> None:
    """Draws the choice of class and month, the sheet, and its way out as a file."""
    with reading_as_somebody() as session:
        classes = month_sheet.classes(session, actor)
    group = choose("class", _("Class"), list(classes), lambda key: str(classes[key]))
    if group is None:
        st.info(_("You have no class."))
        return
    month = choose_month([first_of_month(today(), away) for away in (*range(0, -BEFORE - 1, -1), 1)])
    with reading_as_somebody() as session:
        found = month_sheet.sheet(session, actor, group, month)
    if not found.lines:
        st.info(_("Nothing was initialised in this month."))
        return
    st.html(STYLE + _table(found, group))
    st.caption(legend([day for line in found.lines for day in line.marks.values()]))
    st.caption(marked(found.words))
    if actor.may(month_sheet.EXPORT):
        _export(actor, group, month)


def _table(found: Sheet, group: int) -> str:
    heads = "".join(
        f"<th scope='col'{_open(day.state)}><span title='{show(day.held_on)}'>{day.held_on.day}</span></th>"
        for day in found.days
    )
    lines = "".join(_line(found, line, group) for line in found.lines)
    student, month, so_far = escape(_("Student")), escape(_("Month")), escape(_("So far"))
    return (
        f"<div class='month-sheet' tabindex='0'><table><caption class='said'>{escape(str(found.label))}</caption>"
        f"<thead><tr><th scope='col'>{student}</th>{heads}<th scope='col'>{month}</th><th scope='col'>{so_far}</th>"
        f"</tr></thead><tbody>{lines}</tbody></table></div>"
    )


def _line(found: Sheet, line: Line, group: int) -> str:
    cells = "".join(_mark(line.marks.get(day.id)) for day in found.days)
    rows = escape(rows_of(line.student_id, group))
    first, last = found.days[0].held_on, found.days[-1].held_on
    return (
        f"<tr><th scope='row'>{escape(line.name)}</th>{cells}"
        f"<td><a href='{rows}&amp;r_held_on={first}..{last}'>{escape(str(line.month.says))}</a></td>"
        f"<td><a href='{rows}'>{escape(str(line.all.says))}</a></td></tr>"
    )


def _mark(day: Attended | None) -> str:
    if day is None:
        nothing = escape(_("no record"))
        return f"<td><span class='said'>{nothing}</span></td>"
    said = escape(_("{mark}, does not count", mark=day.says) if pale(day) else str(day.says))
    shown = f"{sign(day)}{day.late_minutes or ''}"
    kind = " class='open'" if pale(day) else ""
    return f"<td{kind}><span aria-hidden='true' title='{said}'>{shown}</span><span class='said'>{said}</span></td>"


def _open(state: DayState) -> str:
    return "" if state is DayState.TAKEN else " class='open'"


def _export(actor: Actor, group: int, month: date) -> None:
    if not st.button(_("Export"), key="month:export", icon=":material/download:"):
        return
    folder = Path(tempfile.mkdtemp(prefix="month-"))
    file, title = folder / "sheet.xlsx", _("Attendance")
    try:
        with writing_as(actor) as (session, me):
            month_sheet.export(session, me, group, month, file, now())
        file_link(actor, file, f"{title} {month:%Y-%m}.xlsx", (month_sheet.VIEW, month_sheet.EXPORT))
    except ThanosError as error:
        st.error(marked(error.says), icon=":material/error:")
    finally:
        shutil.rmtree(folder, ignore_errors=True)
