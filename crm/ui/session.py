"""The signed-in person. `require("customers.view")` is the first line of every page.

Nothing is remembered from one run to the next but the session's token: account, roles and staff are read
anew each time, so that whatever changes there counts from the next click on.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import UTC, date, datetime
from functools import partial
from typing import Any, Never

import streamlit as st

from crm.domain.calendar import day_of
from crm.errors import Denial, NotAllowed, NotFound, Refused, hearing_denials
from crm.i18n import Language, _, as_language, says, set_reader
from crm.rbac import Actor
from crm.services.access import audit, own_account, roles, sign_in
from crm.services.access.permissions import PAGES
from crm.services.access.sign_in import SignedIn
from crm.settings import settings
from crm.store.session import reading, writing
from crm.ui.serving import door
from crm.ui.start import start

TOKEN = "session_token"
WHO = "session_account"
SEEING = "seeing_as"
CHOSEN = "language_chosen"


def require(permission: str | None = None) -> Actor:
    """The person, who may do `permission` ("page.action"); without one, anybody who is signed in.

    Otherwise the run ends here, with the sign-in form, the form for a new password, or a polite refusal
    that is recorded. Sets the reader's language and the school's clock.
    """
    start()
    if permission is not None:
        PAGES.check(permission)
    here = look()
    if here is None:
        _ask_to_sign_in()
    if here.must_change_password:
        _ask_for_new_password(here)
    if permission is not None and not here.actor.may(permission):
        _refuse(here.actor, permission)
    return here.actor


def signed_in() -> Actor | None:
    """The person, or None also where a password of their own comes first. Sets the reader's language; shows nothing."""
    here = look()
    return here.actor if here and not here.must_change_password else None


def again(actor: Actor) -> Actor | None:
    """The same person as of now, for callbacks and fragments, which run without their page.

    None when they signed out, were signed out, or when somebody else signed in.
    """
    here = look()
    return here.actor if here and here.actor.account_id == actor.account_id and not here.must_change_password else None


def look() -> SignedIn | None:
    """Who is here by the cookie, as the database says now. Clears what a session kept of somebody else."""
    speak(None)
    token, here = _token(), None
    if token:
        with reading() as session:
            here = sign_in.signed_in(session, token, address(), now())
            if here and SEEING in st.session_state and st.session_state.get(WHO) == here.actor.account_id:
                here = _through_other_eyes(session, here)
    known = here.actor.account_id if here else None
    if st.session_state.get(WHO, known) != known:
        kept = st.session_state.get(TOKEN) if here else None
        st.session_state.clear()
        if kept:
            st.session_state[TOKEN] = kept
    st.session_state[WHO] = known
    if here:
        speak(here.locale)
    return here


def speak(locale: str | None) -> None:
    """Sets the reader: the account's language, else the one chosen in this tab, the browser's, the school's.

    And the school's clock.
    """
    here = locale or st.session_state.get(CHOSEN) or st.context.locale or settings().school.language
    set_reader(as_language(here), settings().zone)


def set_language(actor: Actor, language: Language) -> None:
    """Remembers the person's language and speaks it from here on."""
    with writing() as session:
        own_account.set_locale(session, actor, language)
    speak(language)


def choose_language(language: Language) -> None:
    """The same for somebody who has not signed in: in this tab, until the sign-in remembers it for the person."""
    st.session_state[CHOSEN] = language
    speak(None)


def chosen_language() -> Language | None:
    """What was chosen before the sign-in."""
    return st.session_state.get(CHOSEN)


def see_as(actor: Actor, role_id: int) -> None:
    """From the next run on, this tab shows what that role may look at; it is recorded. Raises `NotAllowed`."""
    with writing() as session:
        roles.note_seeing(session, actor, role_id, True, now())
    st.session_state[SEEING] = role_id


def back_to_oneself() -> None:
    """Ends looking through the eyes of a role; it is recorded. Harmless where nobody does."""
    role_id, token = st.session_state.pop(SEEING, None), _token()
    if role_id is None or not token:
        return
    with writing() as session:
        here = sign_in.signed_in(session, token, address(), now())
        if here and here.actor.may(roles.SEE_AS):
            with suppress(NotFound):
                roles.note_seeing(session, here.actor, role_id, False, now())


def _through_other_eyes(session: Any, here: SignedIn) -> SignedIn:
    """The same person as the role they look through; as themselves where they may not, or the role is gone."""
    try:
        return replace(here, actor=roles.seen_as(session, here.actor, st.session_state[SEEING]))
    except (NotAllowed, NotFound):
        del st.session_state[SEEING]
        return here


def sign_out() -> Never:
    """Ends this session, here and in every copy of its cookie, and leaves by the route that clears it."""
    token = _token()
    if token:
        with writing() as session:
            sign_in.end(session, token, now())
    st.session_state.clear()
    if door.is_open():
        door.post(door.SIGN_OUT)
        st.stop()
    st.rerun()


def keep_token(token: str) -> None:
    """Keeps the session in this tab, where no route can set a cookie."""
    st.session_state[TOKEN] = token


def note_refusals(actor: Actor, denials: Sequence[Denial]) -> None:
    """Records what somebody was denied; looks first, so that clicking again writes nothing."""
    if not denials:
        return
    with reading() as session:
        new = audit.new_refusals(session, actor, denials, now())
    if new:
        with writing() as session:
            audit.record_refusals(session, actor, denials, now())


@contextmanager
def reading_as_somebody() -> Iterator[Any]:
    """`reading()` for what a person looks at: what a service denies is recorded."""
    with _recording_denials(), reading() as session:
        yield session


@contextmanager
def writing_as(actor: Actor) -> Iterator[tuple[Any, Actor]]:
    """A transaction for what a person does, and that person as of now: everything a page writes goes through here.

    A callback gets the actor of the drawing before it, who may have lost a role or been signed out since, so whatever
    is written is written as the one who comes out of here. Raises `Refused` where that person is not here any more.
    """
    me = again(actor)
    if me is None:
        raise Refused(says("You are not signed in any more, so nothing was changed. Sign in and try again."))
    with writing_as_somebody() as session:
        yield session, me


@contextmanager
def writing_as_somebody() -> Iterator[Any]:
    """`writing()` for tables, which ask who is there themselves: what a service denies is recorded afterwards.

    Whoever looks through the eyes of a role changes nothing.
    """
    with _recording_denials():
        if SEEING in st.session_state:
            watching = look()
            if watching:
                watching.actor.require_to_be_oneself(roles.SEE_AS)
        with writing() as session:
            yield session


@contextmanager
def _recording_denials() -> Iterator[None]:
    """What is denied inside is in the audit log afterwards, also where it became a sentence beside a cell."""
    with hearing_denials() as denials:
        try:
            yield
        finally:
            here = look() if denials else None
            if here:
                note_refusals(here.actor, denials)


def now() -> datetime:
    """This moment, in UTC."""
    return datetime.now(UTC)


def today() -> date:
    """The school's day."""
    return day_of(now(), settings().zone)


def address() -> str:
    """Where the person comes from: an IP address, or "local" on this machine."""
    return (st.context.ip_address if door.is_open() else None) or "local"


def browser() -> str:
    """What the browser calls itself."""
    return st.context.headers.get("User-Agent", "") if door.is_open() else ""


def _token() -> str | None:
    return st.context.cookies.get(door.cookie_name()) if door.is_open() else st.session_state.get(TOKEN)


def _ask_to_sign_in() -> Never:
    from crm.ui.access.sign_in_form import show_sign_in

    show_sign_in()
    st.stop()


def _ask_for_new_password(here: SignedIn) -> Never:
    from crm.ui.access.password_form import show_password_form
    from crm.ui.language import language_switch

    st.title(_("Choose a password of your own"))
    language_switch("first-language", partial(set_language, here.actor))
    st.write(_("The one you were given was for the first sign-in only."))
    if show_password_form(here):
        st.rerun()
    if st.button(_("Sign out"), key="sign-out-instead", type="tertiary"):
        sign_out()
    st.stop()


def _refuse(actor: Actor, permission: str) -> Never:
    note_refusals(actor, [Denial(permission)])
    st.title(PAGES.pages[permission.partition(".")[0]].title)
    st.warning(
        _("You may not open this page. If your work needs it, ask an administrator to give you a role that may."),
        icon=":material/lock:",
    )
    st.stop()
