"""The dialog that adds a series of days to a class: what it would add is seen before it does."""

import contextlib

import streamlit as st

from crm.domain.normalise import Wrong
from crm.domain.series import WEEKDAYS, read_holidays
from crm.errors import ThanosError
from crm.i18n import _, listed, marked, says_n, show
from crm.rbac import Actor
from crm.services.classes import course_records
from crm.services.classes import series as services
from crm.services.classes.series import Planned, Series
from crm.store.session import reading
from crm.ui.dialogs import WRONG, ask, close, dialog
from crm.ui.session import now, reading_as_somebody, today, writing_as

PART = "series"
CLASS, FIRST, LAST = "series:class", "series:first", "series:last"
SAID = "series:said"
SHOWN = 12
ODD = ":material/warning: "


def series(actor: Actor) -> None:
    """The button, and the dialog once it was pressed."""
    said = st.session_state.pop(SAID, None)
    if said is not None:
        st.toast(said, icon=":material/check:")
    if not actor.may(course_records.ADD):
        return
    st.button(_("Add a series"), key="series:ask", icon=":material/date_range:", on_click=ask, args=(PART,))
    dialog(PART, _("Add a series of days"), _draw, actor)


def _draw(actor: Actor) -> None:
    st.session_state[WRONG] = ()
    with reading() as session:
        classes = course_records.classes_to_add_to(session, actor)
    group = st.selectbox(
        _("Class"),
        list(classes),
        format_func=lambda key: str(classes[key]),
        index=None,
        placeholder="",
        key=CLASS,
        on_change=_begin,
        args=(actor,),
    )
    weekdays = st.pills(
        _("Days of the week"),
        list(range(7)),
        format_func=lambda number: str(WEEKDAYS[number]),
        selection_mode="multi",
        default=[0, 1, 2, 3, 4],
        key="series:weekdays",
    )
    with st.container(horizontal=True):
        st.session_state.setdefault(FIRST, today())
        first = st.date_input(_("From"), format="YYYY-MM-DD", key=FIRST, width=150)
        last = st.date_input(_("Until"), value=None, format="YYYY-MM-DD", key=LAST, width=150)
    text = st.text_area(
        _("Holidays to skip"),
        key="series:holidays",
        height=80,
        placeholder="2026-10-01..2026-10-07, 2026-12-25",
        help=_("Days or ranges, separated by commas or lines."),
    )
    if group is None or last is None or first is None:
        st.caption(_("Choose a class and the last day to see what would be added."))
        return
    try:
        asked = Series(group, frozenset(weekdays), first, last, tuple(read_holidays(text or "")))
        with reading_as_somebody() as session:
            planned = services.plan(session, actor, asked)
    except (Wrong, ThanosError) as error:
        st.error(marked(error.why), icon=":material/error:")
        return
    _preview(planned)
    with st.container(horizontal=True, horizontal_alignment="right"):
        if st.button(_("Cancel"), key="series:cancel", type="tertiary"):
            close()
            st.rerun()
        label = str(says_n("Add {count} day", "Add {count} days", count=len(planned.new)))
        if st.button(label, key="series:add", type="primary", disabled=not planned.new):
            _add(actor, asked)


def _begin(actor: Actor) -> None:
    """The days begin with what is left of the class that was chosen."""
    group = st.session_state.get(CLASS)
    if group is None:
        return
    with contextlib.suppress(ThanosError), reading_as_somebody() as session:
        # What is refused here is told by the plan that is drawn next.
        st.session_state[FIRST], st.session_state[LAST] = services.what_is_left(session, actor, group, today())


def _preview(planned: Planned) -> None:
    with st.container(border=True, gap="small"):
        st.markdown(str(says_n("**{count}** day is added", "**{count}** days are added", count=len(planned.new))))
        for days, head in (
            (planned.new, ""),
            (planned.there, _("Passed over, because the class has a record on the day already:")),
            (planned.off, _("Holidays:")),
            (planned.before, ODD + _("Before the class begins, on {day}:", day=planned.starts_on)),
            (planned.after, ODD + _("After the class ends, on {day}:", day=planned.ends_on)),
        ):
            if days:
                named = listed(show(day) for day in days[:SHOWN])
                more = _(" and {count} more", count=len(days) - SHOWN) if len(days) > SHOWN else ""
                st.caption(f"{head} {named}{more}".strip())


def _add(actor: Actor, asked: Series) -> None:
    try:
        with writing_as(actor) as (session, me):
            made = services.add_series(session, me, asked, now())
    except ThanosError as error:
        st.session_state[WRONG] = (error.why,)
        return
    st.session_state[SAID] = str(says_n("{count} day added.", "{count} days added.", count=len(made.new)))
    # What was added is planned, and the list begins with what was: it shows all days of the class.
    st.query_params.from_dict({"class": str(asked.class_group_id)})
    close()
    st.rerun()
