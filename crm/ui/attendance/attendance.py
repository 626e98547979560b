"""Taking attendance: everybody is present, the teacher names the exceptions, and confirms the day."""

from collections.abc import Callable
from typing import Any

import streamlit as st

from crm.domain.marks import Mark, read_mark
from crm.domain.name_matching import Meant, meant
from crm.domain.teaching import Attendance, DayState
from crm.errors import ThanosError
from crm.grid.render import render_table
from crm.grid.visits import VISIT
from crm.i18n import Says, _, listed, literal, marked, says, says_n, show
from crm.rbac import Actor
from crm.services.attendance import attendance, class_day, taken_days
from crm.services.attendance.attendance import Applied
from crm.services.attendance.class_day import MOST_DAYS, Day
from crm.services.classes import course_records
from crm.tables.attendance import of_day
from crm.tables.course_records import DAY_TONES
from crm.ui.address import choose, number
from crm.ui.attendance.make_up import make_up
from crm.ui.classes.day_links import day_links
from crm.ui.session import now, reading_as_somebody, writing_as

DAY, APPLIED, SAID, TYPED = "day", "attendance:applied", "attendance:said", "attendance:typed"
STAYS = "attendance:stays"
EXCEPTIONS = (Attendance.LATE, Attendance.ABSENT, Attendance.EXCUSED, Attendance.LEFT_EARLY, Attendance.PRESENT)


def take(actor: Actor) -> None:
    """Draws the choice of a day and, for the one chosen, its exceptions, its list and its confirmation."""
    _say_again()
    asked = number(DAY)
    with reading_as_somebody() as session:
        days = class_day.days_to_take(session, actor, now(), asked)
    record_id = _choose(days, asked)
    if record_id is None:
        st.info(_("No day of your classes is near. Days are added on the page Course records."))
        return
    try:
        with reading_as_somebody() as session:
            day = class_day.day(session, actor, record_id)
    except ThanosError as error:
        st.error(marked(error.says), icon=":material/error:")
        return
    _head(actor, day)
    takes = actor.may(attendance.TAKE)
    if day.students and takes:
        _undo_line(actor, day)
        with st.container(border=True):
            _exceptions(actor, day)
    if takes:
        # Also where nobody is on the day yet: guests may be all who come.
        make_up(actor, day)
    if day.students:
        render_table(of_day(day.id), actor)
        _confirmation(actor, day)


def _choose(days: dict[int, Says], asked: int | None) -> int | None:
    """The day that is asked for, else the first; another one chosen goes into the address."""
    if not days and asked is None:
        return None
    more, first = len(days) > MOST_DAYS, list(days)[:MOST_DAYS]
    days = {key: label for key, label in days.items() if key in first or key == asked}
    # Without an address the day of this visit stays, also once it is confirmed and others are more urgent.
    visit, stays = st.session_state.get(VISIT), asked
    if asked is None and st.session_state.get(STAYS, (None, None))[0] == visit:
        stays = st.session_state[STAYS][1]
    options = sorted(days, key=lambda key: key != stays) if stays in days or asked is None else [asked, *days]
    called = {key: str(label) for key, label in days.items()}
    chosen = choose(DAY, _("Day of a class"), options, lambda key: called.get(key, f"#{key}"), left=_forget_applied)
    st.session_state[STAYS] = (visit, chosen)
    if more:
        text = _("The first {count} days are listed. The list of course records opens the others.", count=MOST_DAYS)
        st.caption(text)
    return chosen


def _forget_applied() -> None:
    st.session_state.pop(TYPED, None)
    st.session_state.pop(APPLIED, None)


def _head(actor: Actor, day: Day) -> None:
    with st.container(horizontal=True, vertical_alignment="center"):
        st.subheader(literal(str(day.label)), anchor=False, width="content")
        st.badge(str(day.state.label), color=DAY_TONES[day.state])
        st.caption(f"{show(day.held_on)} {literal(day.title)}", width="content")
    day_links(actor, day.class_id, day.id, "attendance", initialised=day.state is not DayState.NEW)
    if day.state is DayState.TAKEN and day.taken_at is not None:
        by, at = day.taken_by, day.taken_at
        st.caption(_("Confirmed by {name}, {at}.", name=by, at=at) if by else _("Confirmed {at}.", at=at))
    if day.lacking or day.state is DayState.NEW:
        with st.container(border=True, horizontal=True, vertical_alignment="center"):
            text = says_n(
                "{count} student of this class has no record on the day yet.",
                "{count} students of this class have no record on the day yet.",
                count=day.lacking,
            )
            st.markdown(f":material/group_add: {text}", width="stretch")
            if day.lacking and actor.may(course_records.INITIALISE):
                st.button(
                    _("Initialise"), key="attendance:initialise", type="primary", on_click=_initialise,
                    args=(actor, day.id),
                )  # fmt: skip


def _exceptions(actor: Actor, day: Day) -> None:
    """Names and what they were; then what would change, with a choice where a name is not clear."""
    st.markdown(_("**Exceptions** · Everybody else stays as they are."))
    with st.form("attendance:names", border=False):
        kind = st.pills(
            _("They were"), EXCEPTIONS, default=Attendance.LATE, format_func=lambda one: str(one.label),
            key="attendance:kind", required=True,
        )  # fmt: skip
        text = st.text_area(
            _("Names"), key=f"attendance:text:{day.id}", height=80, max_chars=4000,
            placeholder=_("Names or parts of them, with commas, spaces or lines between"),
        )  # fmt: skip
        minutes = st.number_input(
            _("Minutes late"), min_value=1, max_value=1440, value=None, step=5, key="attendance:minutes", width=200,
            help=_("Only of who is late. Empty: not noted."),
        )  # fmt: skip
        if st.form_submit_button(_("Preview"), icon=":material/visibility:"):
            st.session_state[TYPED] = (day.id, text, kind, minutes if kind is Attendance.LATE else None)
    typed = st.session_state.get(TYPED)
    if typed is not None and typed[0] == day.id:
        _preview(actor, day, *typed[1:])


def _preview(actor: Actor, day: Day, text: str, kind: Attendance, minutes: int | None) -> None:
    names = {one.student_id: one.name for one in day.students}
    before = {one.student_id: one for one in day.students}
    mark = read_mark(kind, minutes)
    marks: dict[int, Mark] = {}
    for one in meant(text, names):
        chosen = one.students[0] if len(one.students) == 1 else _who(one, names)
        if chosen is not None:
            marks[chosen] = mark
    changes = {key: one for key, one in marks.items() if before[key].mark != one}
    lines = [
        f"- {literal(names[key])}: {before[key].mark.says} → **{one.says}**"
        for key, one in sorted(changes.items(), key=lambda pair: names[pair[0]])
    ]
    st.markdown("\n".join(lines) if lines else _("Nothing would change."))
    with st.container(horizontal=True):
        st.button(
            str(says_n("Apply to {count} student", "Apply to {count} students", count=len(changes))),
            key="attendance:apply", type="primary", disabled=not changes, on_click=_apply,
            args=(actor, day.id, changes, {key: one.version for key, one in before.items()}),
        )  # fmt: skip
        st.button(_("Cancel"), key="attendance:drop", type="tertiary", on_click=_forget_typed)


def _who(one: Meant, names: dict[int, str]) -> int | None:
    """Somebody chooses who is meant: among several, or among all where nobody has such a name."""
    label = (
        _("{name} may be several. Who is meant?", name=one.typed)
        if one.students
        else _("Nobody here is called {name}. Who is meant?", name=one.typed)
    )
    options = sorted(one.students or names, key=lambda key: names[key])
    chosen: int | None = st.selectbox(
        literal(label),
        options,
        index=None,
        format_func=lambda key: names[key],
        placeholder=_("Nobody"),
        key=f"attendance:who:{one.typed}",
    )
    return chosen


def _undo_line(actor: Actor, day: Day) -> None:
    applied: Applied | None = st.session_state.get(APPLIED)
    if applied is None or applied.record_id != day.id or not applied.before:
        return
    with st.container(border=True, horizontal=True, vertical_alignment="center"):
        text = says_n("{count} exception noted.", "{count} exceptions noted.", count=len(applied.before))
        st.markdown(f":material/check: {text}", width="stretch")
        st.button(_("Undo"), key="attendance:undo", icon=":material/undo:", on_click=_undo, args=(actor, applied))


def _confirmation(actor: Actor, day: Day) -> None:
    if day.state is DayState.INITIALISED and actor.may(attendance.TAKE):
        st.button(
            _("Confirm the attendance"), key="attendance:confirm", type="primary", icon=":material/task_alt:",
            on_click=_confirm, args=(actor, day),
        )  # fmt: skip
        st.caption(_("Until it is confirmed, the day counts nowhere."))
    elif day.state is DayState.TAKEN and actor.may(attendance.REOPEN):
        st.button(
            _("Take the confirmation back"), key="attendance:reopen", type="tertiary", icon=":material/lock_open:",
            on_click=_reopen, args=(actor, day.id),
        )  # fmt: skip


# What buttons do


def _initialise(actor: Actor, record_id: int) -> None:
    _done(actor, lambda session, me: course_records.initialise_many(session, me, [record_id], now())[record_id])


def _apply(actor: Actor, record_id: int, marks: dict[int, Mark], seen: dict[int, int]) -> None:
    try:
        with writing_as(actor) as (session, me):
            applied = attendance.apply(session, me, record_id, marks, seen, now())
    except ThanosError as error:
        st.session_state[SAID] = (error.says, False)
        return
    st.session_state[APPLIED] = applied
    _tell_changed(applied)
    _forget_typed()
    # Emptied, not forgotten: a browser keeps what it was never told to empty.
    st.session_state[f"attendance:text:{record_id}"] = ""
    # And the minutes were theirs.
    st.session_state["attendance:minutes"] = None


def _undo(actor: Actor, applied: Applied) -> None:
    try:
        with writing_as(actor) as (session, me):
            back = attendance.undo(session, me, applied, now())
    except ThanosError as error:
        st.session_state[SAID] = (error.says, False)
        return
    st.session_state.pop(APPLIED, None)
    st.session_state[SAID] = (says("{count} taken back.", count=len(back.before)), True)
    _tell_changed(back)


def _confirm(actor: Actor, day: Day) -> None:
    seen = {one.student_id for one in day.students}
    _done(actor, lambda session, me: taken_days.confirm_many(session, me, [day.id], now(), seen=seen)[day.id])


def _reopen(actor: Actor, record_id: int) -> None:
    _done(actor, lambda session, me: taken_days.reopen_many(session, me, [record_id], now())[record_id])


def _done(actor: Actor, do: Callable[[Any, Actor], Any]) -> None:
    """Does it, and says why it was refused, or what was told of it."""
    try:
        with writing_as(actor) as (session, me):
            told = do(session, me)
    except ThanosError as error:
        st.session_state[SAID] = (error.says, False)
        return
    if told is not None:
        st.session_state[SAID] = (told, False) if isinstance(told, Says) else (told.says, True)


def _tell_changed(applied: Applied) -> None:
    if applied.changed:
        text = says(
            "Somebody changed these meanwhile, so they stayed as they are: {names}", names=listed(applied.changed)
        )
        st.session_state[SAID] = (text, False)


def _forget_typed() -> None:
    st.session_state.pop(TYPED, None)


def _say_again() -> None:
    said: tuple[Says, bool] | None = st.session_state.pop(SAID, None)
    if said is None:
        return
    text, well = said
    if well:
        st.toast(marked(text), icon=":material/check:")
    else:
        st.warning(marked(text), icon=":material/error:")
