"""One customer: what is known, the whole story, and recording a follow-up."""

from datetime import date, datetime, time

import streamlit as st

from crm.domain.base import Choice
from crm.domain.calendar import moment_of
from crm.domain.customers import CustomerState
from crm.domain.deadlines import days_left
from crm.domain.episodes import Channel
from crm.errors import ThanosError
from crm.i18n import Says, _, listed, literal, marked, says, says_n, show
from crm.rbac import Actor
from crm.services.customers import follow_ups, pool, story
from crm.services.customers.story import Event, Story
from crm.settings import settings
from crm.store.session import reading
from crm.tables.customer_fields import PERSON, STATE_TONES
from crm.tables.site import site
from crm.ui.session import now, today, writing_as

SAID = "customer:said"


def customer_sheet(actor: Actor, customer_id: int) -> None:
    """Draws the customer for whoever may open it: what to do and what happened, and beside it what is known."""
    moment = now()
    _say_again()
    with reading() as session:
        told = story.of(session, actor, customer_id, moment)
    customer = told.customer
    with st.container(horizontal=True, vertical_alignment="center"):
        st.header(literal(customer.name), anchor=False, width="content")
        st.badge(str(customer.state.label), color=STATE_TONES[customer.state])
        if told.holder:
            st.badge(literal(told.holder), icon=":material/person:", color="gray")
    _clock(told, moment)
    # What to do comes first on a phone, where the right column follows the left.
    left, right = st.columns([3, 2], gap="large")
    with left:
        if customer.state is CustomerState.PUBLIC and actor.may("pool.claim"):
            _claim(actor, customer_id)
        if told.mine or actor.may(follow_ups.NOTE):
            _follow_up(actor, told)
        st.subheader(_("Story"), anchor=False)
        for event in told.events:
            _event(event)
    with right:
        _facts(told)


def _clock(told: Story, moment: datetime) -> None:
    """How long the consultant has, and why if no time runs."""
    customer, clock = told.customer, told.clock
    if customer.state is CustomerState.WAITING and customer.waiting_reason:
        st.warning(marked(Says.loaded(customer.waiting_reason)), icon=":material/hourglass:")
    if clock is None:
        return
    if clock.kept is not None:
        st.info(marked(clock.kept), icon=":material/pause_circle:")
    left = days_left(clock.expires_at, moment, settings().zone)
    with st.container(horizontal=True, vertical_alignment="center"):
        if left >= 0 or clock.kept is None:
            st.badge(
                str(says_n("{count} day left", "{count} days left", count=left))
                if left > 0
                else _("Time runs out today"),
                icon=":material/timer:",
                color="red" if left <= 0 else "orange" if left == 1 else "green",
            )
        for label, due in (
            (_("Follow up by"), customer.follow_up_due_at),
            (_("Deal by"), customer.deal_due_at),
            (_("Else to the pool"), clock.goes_at),
        ):
            if due is not None:
                st.markdown(f":gray[{label}] {show(due)}", width="content")


def _facts(told: Story) -> None:
    st.subheader(_("What is known"), anchor=False)
    if not told.reachable:
        st.caption(_("How to reach this person is shown to whoever claims."))
    known: list[tuple[str, str]] = []
    for name in PERSON:
        value = getattr(told.customer, name)
        if value not in (None, ""):
            known.append((str(site.words[name]), show(value.label if isinstance(value, Choice) else value)))
    if told.courses:
        known.append((_("Courses of interest"), listed(told.courses)))
    if told.referred_by:
        known.append((_("Referred by"), told.referred_by[1]))
    for label, value in known:
        with st.container(horizontal=True, gap="small"):
            st.caption(label, width=130)
            st.text(value, width="stretch")

    if told.student_id is not None:
        st.page_link(
            "pages/students.py",
            label=_("Open the student"),
            icon=":material/face:",
            query_params={"open": str(told.student_id)},
        )


def _claim(actor: Actor, customer_id: int) -> None:
    if st.button(_("Claim"), type="primary", icon=":material/back_hand:", key="customer:claim"):
        try:
            with writing_as(actor) as (session, me):
                pool.claim(session, me, customer_id, now())
        except ThanosError as error:
            st.error(marked(error.says), icon=":material/error:")
            return
        st.session_state[SAID] = says("Claimed. You find the customer in My customers.")
        st.query_params.clear()
        st.switch_page("pages/my_customers.py", query_params={"open": str(customer_id)})


def _follow_up(actor: Actor, told: Story) -> None:
    """A contact in two clicks and a sentence: the way it was made, the sentence, keep."""
    with st.form("customer:follow-up", clear_on_submit=True, border=True):
        channel = st.pills(
            _("How"),
            list(Channel),
            default=Channel.PHONE,
            format_func=lambda way: str(way.label),
            key="customer:channel",
            required=True,
        )
        note = st.text_area(
            _("What was said"), key="customer:note", max_chars=follow_ups.NOTE_LENGTH, height=80,
            placeholder=_("One sentence is enough."),
        )  # fmt: skip
        with st.expander(_("Next step")):
            step = st.text_input(_("What to do next"), key="customer:step", max_chars=follow_ups.NEXT_STEP_LENGTH)
            day = st.date_input(_("On which day"), value=None, key="customer:day", format="YYYY-MM-DD")
        label = _("Record the follow-up") if told.mine else _("Add a note")
        sent = st.form_submit_button(label, type="primary", icon=":material/check:")
    if sent:
        _keep(actor, told, channel or Channel.PHONE, note or "", step, day)


def _keep(actor: Actor, told: Story, channel: Channel, note: str, step: str | None, day: date | None) -> None:
    next_at = None
    if day is not None:
        # A step has a day, not a minute: nine in the morning, and today what is left of it.
        at = time(23, 59) if day == today() else time(9)
        next_at = moment_of(day, at, settings().zone)
    try:
        with writing_as(actor) as (session, me):
            kept = follow_ups.record(
                session,
                me,
                told.customer.id or 0,
                channel=channel,
                note=note,
                next_step=step,
                next_at=next_at,
                now=now(),
            )
    except ThanosError as error:
        st.error(marked(error.says), icon=":material/error:")
        return
    st.session_state[SAID] = kept.said
    st.rerun()


def _say_again() -> None:
    said = st.session_state.pop(SAID, None)
    if said is not None:
        st.toast(marked(said), icon=":material/check:")


_ICONS = {
    "added": "person_add",
    "opened": "assignment_ind",
    "closed": "logout",
    "follow_up": "forum",
    "payment": "payments",
    "place": "school",
}


def _event(event: Event) -> None:
    with st.container(gap=None):
        who = f" · {literal(event.who)}" if event.who else ""
        st.caption(f":material/{_ICONS.get(event.kind, 'circle')}: {show(event.at)} · {marked(event.title)}{who}")
        if event.text:
            st.text(event.text)
        if event.detail:
            st.caption(marked(event.detail))
