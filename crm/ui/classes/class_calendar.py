"""A month of course records: seven columns on a screen, one day below the other on a phone."""

from collections import defaultdict
from datetime import date, timedelta
from html import escape

import streamlit as st

from crm.domain.calendar import first_of_month
from crm.domain.series import WEEKDAYS
from crm.domain.teaching import DayState
from crm.i18n import _, show
from crm.rbac import Actor, Reach
from crm.services.classes import class_calendar, course_records
from crm.services.classes.class_calendar import Entry
from crm.ui.address import choose_month
from crm.ui.session import reading_as_somebody, today

AROUND = 12
"""So many months before and after this one can be looked at."""
SHOWN = 12
"""So many classes a day are drawn; the list has the others."""
SIGNS = {DayState.NEW: "○", DayState.INITIALISED: "◐", DayState.TAKEN: "●"}
STYLE = """
<style>
.class-month { display: grid; grid-template-columns: repeat(7, minmax(0, 1fr)); gap: 4px; font-size: 0.8rem; }
.class-month > div { border: 1px solid rgba(128,128,128,0.3); border-radius: 6px; padding: 4px; min-height: 4.2rem; }
.class-month > .head { border: 0; min-height: 0; font-weight: 600; }
.class-month > .today { border: 2px solid rgba(90,75,180,0.8); }
.class-month .weekday { display: none; }
.class-month a { display: block; overflow-wrap: anywhere; text-decoration: none; margin-top: 2px; color: inherit; }
@media (max-width: 640px) {
  .class-month { grid-template-columns: 1fr; }
  .class-month > .head, .class-month > .empty { display: none; }
  .class-month > div { min-height: 0; }
  .class-month .weekday { display: inline; }
}
</style>
"""


def calendar(actor: Actor) -> None:
    """Draws the month that the address names, this one unless it names another."""
    school_day = today()
    with st.container(horizontal=True, vertical_alignment="bottom"):
        first = choose_month([first_of_month(school_day, away) for away in (0, *range(-AROUND, AROUND + 1))])
        own = True
        if actor.reach(course_records.VIEW) is not Reach.OWN:
            with reading_as_somebody() as session:
                teaches = class_calendar.teaches(session, actor)
            own = teaches and st.toggle(_("Own classes only"), value=True, key="calendar:own")
    with reading_as_somebody() as session:
        entries = class_calendar.month(session, actor, first, own=own)
    if not entries:
        st.info(_("No class has a day in this month."))
        return
    st.html(STYLE + _month(first, school_day, entries, takes=actor.may("attendance.view")))
    st.caption(" · ".join(f"{sign} {state.label}" for state, sign in SIGNS.items()))


def _month(first: date, school_day: date, entries: list[Entry], *, takes: bool) -> str:
    cells = [f"<div class='head'>{escape(str(name))}</div>" for name in WEEKDAYS]
    cells += ["<div class='empty'></div>"] * first.weekday()
    day = first
    of_days: dict[date, list[Entry]] = defaultdict(list)
    for one in entries:
        of_days[one.held_on].append(one)
    while day.month == first.month:
        there = of_days[day]
        kind = " ".join([*(["today"] if day == school_day else []), *([] if there else ["empty"])])
        weekday = escape(str(WEEKDAYS[day.weekday()]))
        lines = "".join(_entry(one, takes=takes) for one in there[:SHOWN]) + _others(day, len(there) - SHOWN)
        cells.append(f"<div class='{kind}'><b>{day.day}</b> <span class='weekday'>{weekday}</span>{lines}</div>")
        day += timedelta(days=1)
    return f"<div class='class-month'>{''.join(cells)}</div>"


def _others(day: date, count: int) -> str:
    """The way to the days of classes that one square has no room for."""
    if count <= 0:
        return ""
    text = escape(_("and {count} more", count=count))
    return f"<a href='/course-records?held_on={day}..{day}' target='_self'><b>{text}</b></a>"


def _entry(one: Entry, *, takes: bool) -> str:
    text = f"{SIGNS[one.state]} {escape(str(one.label))}"
    text += f" · {escape(one.title)}" if one.title else ""
    said = escape(f"{show(one.held_on)}, {one.state.label}")
    if takes:
        return f"<a href='/attendance?day={one.id}' target='_self' title='{said}'>{text}</a>"
    return f"<span title='{said}'>{text}</span>"
