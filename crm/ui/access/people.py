"""One person who signs in: roles, sign-in state, password, sessions, and what becomes of customers when they leave."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import streamlit as st

from crm.errors import ThanosError
from crm.grid.state import stay_chosen
from crm.i18n import Says, _, listed, literal, marked, says, says_n, show
from crm.rbac import Actor
from crm.services.access import accounts, people
from crm.services.access.people import Person
from crm.services.customers.hand_over import ASSIGN
from crm.services.staff import leaving, staff
from crm.services.staff.leaving import HandOut, MoveTo, Stay
from crm.ui.access.new_sign_in import one_time_password
from crm.ui.dialogs import SECRET, WRONG, ask, close, dialog
from crm.ui.session import now, reading_as_somebody, writing_as

SAID = "person:said"
OUT, TO = "out", "to"


def person(actor: Actor, account_id: int) -> None:
    """Draws the person, and for whoever may, what can be done about the sign-in."""
    for sentence in st.session_state.pop(SAID, ()):
        st.success(marked(sentence), icon=":material/check:")
    with reading_as_somebody() as session:
        seen = people.person(session, actor, account_id, now())
        choices = accounts.role_choices(session, actor) if seen.keeps_out is None else {}
    _head(seen)
    if seen.keeps_out is not None:
        roles = _("Roles")
        st.markdown(f"**{roles}**: " + (listed(map(marked, seen.titles)) or _("None")))
        st.caption(marked(seen.keeps_out))
        return
    left, right = st.columns(2, gap="large")
    with left:
        _roles(actor, seen, choices)
        _sign_in(actor, seen)
    with right:
        _sessions(actor, seen)


def _head(seen: Person) -> None:
    with st.container(horizontal=True, vertical_alignment="center"):
        st.header(literal(seen.display_name), anchor=False, width="content")
        if seen.active:
            st.badge(_("Enabled"), color="green")
        else:
            st.badge(_("Disabled"), color="red")
        if seen.locked_until is not None:
            st.badge(
                _("Too many wrong tries, until {moment}", moment=show(seen.locked_until)),
                icon=":material/lock_clock:", color="orange",
            )  # fmt: skip
        if seen.must_change_password:
            st.badge(_("Has to choose a password"), icon=":material/key:", color="orange")
    of = _("{name}, {department}", name=seen.employee, department=seen.department) if seen.employee else None
    whose = literal(of) if of else _("belongs to no employee")
    st.caption(f"{literal(seen.name)} · {whose}")


def _roles(actor: Actor, seen: Person, choices: dict[str, Says]) -> None:
    st.subheader(_("Roles"), anchor=False)
    # A new version has new roles: what was ticked before is not carried over.
    key = f"person:roles:{seen.id}:{seen.version}"
    st.session_state.setdefault(key, [name for name in seen.roles if name in choices])
    stay_chosen(key, choices, lambda name: str(choices[name]))
    chosen = st.multiselect(
        _("Roles"),
        list(choices),
        format_func=lambda name: str(choices.get(name, name)),
        placeholder=_("None: no page opens"),
        label_visibility="collapsed",
        key=key,
    )
    if sorted(chosen) == sorted(seen.roles):
        st.caption(_("They count from the next click on, also for who is signed in."))
    elif st.button(_("Save the roles"), key="person:save-roles", type="primary", icon=":material/check:"):
        _do(
            actor,
            lambda session, me: accounts.set_roles(session, me, seen.name, chosen, now(), version=seen.version),
            says("Saved. It counts from the next click on."),
        )


def _sign_in(actor: Actor, seen: Person) -> None:
    st.subheader(_("Sign-in"), anchor=False)
    if seen.locked_until is not None and st.button(
        _("Let try again now"), key="person:unlock", icon=":material/lock_open:"
    ):
        _do(actor, lambda session, me: people.unlock(session, me, seen.name, now()), says("They can try again now."))
    with st.container(horizontal=True):
        st.button(
            _("Reset the password..."),
            key="person:reset",
            icon=":material/key:",
            on_click=ask,
            args=(f"reset:{seen.id}",),
        )
        if not seen.active:
            if st.button(_("Enable"), key="person:enable", type="primary", icon=":material/check_circle:"):
                _do(
                    actor,
                    lambda session, me: accounts.enable(session, me, seen.name, now(), version=seen.version),
                    says("The sign-in is enabled, with its old password and roles."),
                )
        else:
            st.button(
                _("Disable..."), key="person:disable", icon=":material/block:", on_click=ask,
                args=(f"disable:{seen.id}",),
            )  # fmt: skip
    dialog(f"reset:{seen.id}", _("Reset the password"), lambda me: _reset(me, seen), actor)
    if seen.active:
        dialog(f"disable:{seen.id}", _("Disable the sign-in"), lambda me: _disable(me, seen), actor)


def _sessions(actor: Actor, seen: Person) -> None:
    st.subheader(_("Open sessions"), anchor=False)
    if not seen.sessions:
        st.caption(_("Nobody is signed in by this name."))
        return
    for one in seen.sessions:
        with st.container(horizontal=True, vertical_alignment="center", border=True):
            with st.container(gap=None, width="stretch"):
                st.markdown(_("Since {moment}", moment=show(one.since)) + f" · {one.address}")
                st.caption(literal(one.browser) or _("Unknown browser"))
            if st.button(_("End"), key=f"person:end:{one.id}", icon=":material/logout:"):
                _do(actor, _ending(seen, one.id), says("The session is ended."))
    if st.button(_("End all sessions"), key="person:end-all", icon=":material/logout:"):
        _do(
            actor,
            lambda session, me: people.end_sessions(session, me, seen.name, now()),
            says("All sessions are ended."),
        )


def _ending(seen: Person, number: int) -> Callable[[Any, Actor], object]:
    return lambda session, me: people.end_session(session, me, seen.name, number, now())


def _reset(actor: Actor, seen: Person) -> None:
    shown = st.session_state.get(SECRET)
    if shown is not None:
        one_time_password(seen.name, shown)
        return
    st.write(
        _(
            "{name} is signed out everywhere and gets a new password, which has to be changed.",
            name=literal(seen.display_name),
        )
    )
    st.button(_("Reset the password"), key="person:reset-now", type="primary", on_click=_reset_now, args=(actor, seen))


def _reset_now(actor: Actor, seen: Person) -> None:
    try:
        with writing_as(actor) as (session, me):
            st.session_state[SECRET] = accounts.reset_password(session, me, seen.name, now())
    except ThanosError as error:
        st.session_state[WRONG] = (error.says,)


def _disable(actor: Actor, seen: Person) -> None:
    st.write(_("{name} is signed out everywhere and cannot sign in again.", name=literal(seen.display_name)))
    then: HandOut | MoveTo | Stay | None = None
    ready = True
    # The dialog runs again without its page: somebody may have been given customers since that was drawn.
    with reading_as_somebody() as session:
        seen = replace(seen, holds=people.person(session, actor, seen.id, now()).holds)
    if seen.holds and actor.may(ASSIGN):
        then = _what_becomes_of(actor, seen)
        ready = then is not None
    elif seen.holds:
        then = Stay()
        st.warning(
            str(
                says_n(
                    "{count} customer stays with {name} until a manager assigns it.",
                    "{count} customers stay with {name} until a manager assigns them.",
                    count=seen.holds,
                    name=literal(seen.display_name),
                )
            )
        )
    st.button(
        _("Disable the sign-in"), key="person:disable-now", type="primary", disabled=not ready,
        on_click=_disable_now, args=(actor, seen, then),
    )  # fmt: skip


def _disable_now(actor: Actor, seen: Person, then: HandOut | MoveTo | Stay | None) -> None:
    try:
        with writing_as(actor) as (session, me):
            left = leaving.disable(session, me, seen.name, then, now(), version=seen.version)
    except ThanosError as error:
        st.session_state[WRONG] = (error.says,)
        return
    close()
    st.session_state[SAID] = left.says()


def _what_becomes_of(actor: Actor, seen: Person) -> HandOut | MoveTo | None:
    """What the person chose for the customers; None while a consultant is still to be named."""
    with reading_as_somebody() as session:
        colleagues = {key: str(name) for key, name in staff.choices(session, actor).items() if key != seen.employee_id}
    labels = {OUT: _("Share them out again by the rule"), TO: _("Move all of them to one consultant")}
    way = st.radio(
        str(
            says_n(
                "{name} holds {count} customer. What becomes of it?",
                "{name} holds {count} customers. What becomes of them?",
                count=seen.holds,
                name=literal(seen.display_name),
            )
        ),
        list(labels),
        format_func=labels.__getitem__,
        key="person:customers",
    )
    st.caption(_("Whose time has run out already goes to the public pool, as always."))
    if way == OUT:
        return HandOut()
    to = st.selectbox(
        _("Consultant"), list(colleagues), index=None, format_func=lambda key: colleagues.get(key, str(key)),
        placeholder="", key="person:to",
    )  # fmt: skip
    return MoveTo(to) if to is not None else None


def _do(actor: Actor, what: Callable[[Any, Actor], object], said: Says) -> None:
    try:
        with writing_as(actor) as (session, me):
            what(session, me)
    except ThanosError as error:
        st.error(marked(error.says), icon=":material/error:")
        return
    st.session_state[SAID] = (said,)
    st.rerun()
