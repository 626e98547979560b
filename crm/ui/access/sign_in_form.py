"""The sign-in form: streamlit-authenticator's form and hasher, over accounts in the database.

Its own memory is left out: it counts attempts in a dictionary, keeps people in the session's state and
writes its cookie by JavaScript. Attempts, sessions and the cookie are `crm.services.access.sign_in`'s and the
routes' of `crm.ui.serving.sign_in_routes`.
"""

from typing import Any

import streamlit as st
from streamlit_authenticator import Authenticate, Hasher

from crm.errors import Refused
from crm.i18n import _
from crm.services.access import sign_in
from crm.settings import settings
from crm.store.session import writing
from crm.ui.language import language_switch
from crm.ui.serving import door
from crm.ui.session import address, browser, choose_language, chosen_language, keep_token, now


class _NoCookie:
    """The form's cookie, which it has none of."""

    def get_cookie(self) -> None:
        return None

    def set_cookie(self) -> None:
        return None


class _Database:
    """What the form calls with a name and a password. `ticket` and `problem` are what came of it."""

    def __init__(self) -> None:
        self.ticket: str | None = None
        self.problem: str | None = None

    def login(self, username: str, password: str, *_limits: Any, **_options: Any) -> bool:
        try:
            self.ticket = _admitted(username, password)
        except Refused as refused:
            self.problem = str(refused)
            return False
        if self.ticket is None:
            self.problem = _("The name or the password is wrong.")
        return self.ticket is not None


class SignInForm(Authenticate):  # type: ignore[misc]
    """The form alone, asking the database instead of a dictionary."""

    def __init__(self) -> None:
        self.attrs = {"login_sleep_time": 0}
        self.path = None
        self.cookie_controller = _NoCookie()
        self.authentication_controller = self.database = _Database()


def show_sign_in() -> None:
    """Shows the form; once it was filled in rightly, sends the browser for its cookie and back to where it is."""
    st.set_page_config(page_title=settings().school.name)
    _left, middle, _right = st.columns([2, 3, 2])
    with middle:
        with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
            st.header(settings().school.name, anchor=False, width="content")
            language_switch("visitor-language", choose_language)
        place = st.empty()
        form = SignInForm()
        with place.container():
            form.login(
                key="sign-in",
                fields={
                    "Form name": _("Sign in"),
                    "Username": _("User name"),
                    "Password": _("Password"),
                    "Login": _("Sign in"),
                },
            )
        if form.database.problem:
            st.error(form.database.problem, icon=":material/error:")
    if form.database.ticket:
        place.empty()
        _enter(form.database.ticket)


def _admitted(name: str, password: str) -> str | None:
    """A ticket, or None. The password is checked between two transactions, for it takes a third of a second."""
    with writing() as session:
        tried = sign_in.attempt(session, name, address(), now())
    try:
        matched = Hasher.check_pw(password.strip(), tried.password_hash)
    except ValueError:
        matched = False
    with writing() as session:
        return sign_in.admit(session, tried, matched, browser(), now(), chosen_language())


def _enter(ticket: str) -> None:
    if door.is_open():
        door.post(door.SIGN_IN, ticket)
        return
    with writing() as session:
        token = sign_in.redeem(session, ticket, now())
    if token:
        keep_token(token)
        st.rerun()
