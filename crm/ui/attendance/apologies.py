"""A student's apologies: asking to be excused from a day of an own class, what was answered, taking one back."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import streamlit as st

from crm.domain.teaching import Apology, ApologyState
from crm.errors import ThanosError
from crm.grid.state import stay_chosen
from crm.i18n import Says, _, literal, marked, says, show
from crm.rbac import Actor
from crm.services.attendance import apologies as services
from crm.services.classes import class_names
from crm.ui.parts import opened
from crm.ui.session import now, reading_as_somebody, today, writing_as

SAID = "apologies:said"
_ASKED = says("Asked. Your teacher decides and you are told.")
COLOURS = {
    ApologyState.ASKED: "orange",
    ApologyState.ACCEPTED: "green",
    ApologyState.DECLINED: "red",
    ApologyState.WITHDRAWN: "gray",
}


class Own(NamedTuple):
    """A student's own apologies, and what their classes are called."""

    rows: Sequence[Apology]
    names: Mapping[int, Says]


def read_apologies(session: Any, actor: Actor) -> Own | None:
    """What `apologies` draws. None for who is no student."""
    if not actor.may(services.APOLOGISE):
        return None
    rows = services.mine(session, actor)
    return Own(rows, class_names.named(session, (row.class_group_id for row in rows)))


def apologies(actor: Actor, own: Own | None) -> None:
    """Draws the form and the list for whoever is a student. Nobody else sees anything of it."""
    if own is None:
        return
    st.subheader(_("Apologies"), anchor=False)
    said: tuple[Says, bool] | None = st.session_state.pop(SAID, None)
    if said is not None:
        (st.success if said[1] else st.error)(marked(said[0]), icon=":material/info:")
    _form(actor)
    for row in own.rows:
        _one(actor, row, own.names[row.class_group_id])


def _form(actor: Actor) -> None:
    """The form, made only for whoever opens it."""
    shown = opened(_("Ask to be excused"), "apologies:ask")
    if not shown.open:
        return
    with reading_as_somebody() as session:
        classes = services.own_classes(session, actor, now())
    if not classes:
        shown.info(_("You are in no class from today on."))
        return
    with shown, st.form("apologies:form", border=False):
        named = lambda key: str(classes[key])  # noqa: E731
        stay_chosen("apologies:class", classes, named)
        st.selectbox(_("Class"), list(classes), format_func=named, key="apologies:class")
        st.date_input(_("Which day"), value=None, min_value=today(), format="YYYY-MM-DD", key="apologies:day")
        st.text_area(_("Reason"), max_chars=services.LONGEST, height=80, key="apologies:reason")
        st.form_submit_button(_("Ask"), type="primary", on_click=_ask, args=(actor,))


def _ask(actor: Actor) -> None:
    kept = st.session_state
    try:
        with writing_as(actor) as (session, me):
            services.ask(session, me, kept["apologies:class"], kept["apologies:day"], kept["apologies:reason"], now())
    except ThanosError as error:
        kept[SAID] = (error.why, False)
        return
    kept[SAID] = (_ASKED, True)
    kept["apologies:reason"], kept["apologies:day"] = "", None


def _one(actor: Actor, row: Apology, name: Says) -> None:
    with st.container(border=True, gap="xsmall"):
        with st.container(horizontal=True, vertical_alignment="center"):
            st.markdown(f"**{show(row.day)}** {literal(str(name))}", width="content")
            st.badge(str(row.state.label), color=COLOURS[row.state])  # type: ignore[arg-type]
            if row.state in (ApologyState.ASKED, ApologyState.ACCEPTED) and row.day >= today():
                st.button(
                    _("Take it back"), key=f"apologies:back:{row.id}", type="tertiary", on_click=_take_back,
                    args=(actor, row.id),
                )  # fmt: skip
        st.caption(literal(row.reason))
        if row.answer:
            st.caption(":material/reply: " + literal(row.answer))


def _take_back(actor: Actor, apology_id: int) -> None:
    try:
        with writing_as(actor) as (session, me):
            services.take_back(session, me, apology_id, now())
    except ThanosError as error:
        st.session_state[SAID] = (error.says, False)
