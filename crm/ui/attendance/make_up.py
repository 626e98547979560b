"""A student makes up a missed day on the day at hand."""

import streamlit as st

from crm.errors import ThanosError
from crm.grid.state import stay_chosen
from crm.i18n import Says, _, marked
from crm.rbac import Actor
from crm.services.attendance import make_ups
from crm.services.attendance.class_day import Day
from crm.ui.session import now, reading_as_somebody, writing_as

SAID = "make-up:said"


def make_up(actor: Actor, day: Day) -> None:
    """Draws the choice among missed days of the same course, and what is made up on this day already."""
    said: Says | None = st.session_state.pop(SAID, None)
    with reading_as_somebody() as session:
        missed = make_ups.missed_days(session, actor, day.id)
        here = make_ups.made_up_here(session, actor, day.id)
    if said is not None:
        st.warning(marked(said), icon=":material/error:")
    if not missed and not here:
        return
    with st.expander(_("Make-up of a missed day"), expanded=said is not None):
        for key, label in here.items():
            with st.container(horizontal=True, vertical_alignment="center"):
                st.markdown(marked(label), width="content")
                st.button(
                    _("Take the make-up back"), key=f"make-up:drop:{key}", type="tertiary", on_click=_unlink,
                    args=(actor, key),
                )  # fmt: skip
        # Another box after each make-up: the browser would go on showing what was chosen in this one.
        box = f"make-up:{day.id}:{'-'.join(map(str, here))}"
        stay_chosen(box, missed, lambda key: str(missed[key]))
        chosen = st.selectbox(
            _("Who makes up which day here"),
            list(missed),
            index=None,
            placeholder="",
            format_func=lambda key: str(missed[key]),
            key=box,
        )
        st.button(
            _("Record the make-up"), key="make-up:link", disabled=chosen is None, on_click=_link,
            args=(actor, day.id, chosen),
        )  # fmt: skip


def _link(actor: Actor, record_id: int, missed: int) -> None:
    try:
        with writing_as(actor) as (session, me):
            make_ups.link(session, me, record_id, missed, now())
    except ThanosError as error:
        st.session_state[SAID] = error.says


def _unlink(actor: Actor, key: int) -> None:
    try:
        with writing_as(actor) as (session, me):
            make_ups.unlink(session, me, key, now())
    except ThanosError as error:
        st.session_state[SAID] = error.says
