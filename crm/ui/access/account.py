"""What a person sees of their own sign-in, and changes of it."""

import streamlit as st

from crm.i18n import _
from crm.rbac import Actor
from crm.services.access import own_account
from crm.ui.access.password_form import show_password_form
from crm.ui.session import look, now, sign_out, writing_as

CHANGED = "password-changed"


def own_password() -> None:
    """The form for another password, and that it worked."""
    here = look()
    if here is None:
        return
    st.subheader(_("Password"), anchor=False)
    if st.session_state.pop(CHANGED, False):
        st.success(_("Your password is changed. You are signed out everywhere else."), icon=":material/check:")
    if show_password_form(here):
        st.session_state[CHANGED] = True
        st.rerun()


def own_sessions(actor: Actor) -> None:
    """The way out of every browser at once."""
    st.subheader(_("Sessions"), anchor=False)
    st.write(_("Signs you out in every browser, this one included. For a lost phone, or a computer you left open."))
    if st.button(_("Sign out everywhere"), key="sign-out-everywhere", icon=":material/logout:"):
        with writing_as(actor) as (session, me):
            own_account.sign_out_everywhere(session, me, now())
        sign_out()
