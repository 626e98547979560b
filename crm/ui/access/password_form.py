"""The form by which a person changes their own password."""

import streamlit as st

from crm.errors import Invalid, Refused
from crm.i18n import _, marked
from crm.services.access import own_account, sign_in
from crm.services.access.sign_in import SignedIn
from crm.settings import settings
from crm.store.session import writing
from crm.ui.session import address, now


def show_password_form(here: SignedIn) -> bool:
    """Shows the form; True in the run in which the password was changed. Wrong tries count as at sign-in."""
    with st.form("password", border=False, clear_on_submit=True, width=420):
        current = st.text_input(_("Current password"), type="password", key="password-current")
        new = st.text_input(
            _("New password"),
            type="password",
            key="password-new",
            help=_("At least {count} characters. A few words are good.", count=settings().sign_in.min_password_length),
        )
        repeated = st.text_input(_("New password again"), type="password", key="password-again")
        if not st.form_submit_button(_("Change password"), type="primary", key="password-change"):
            return False
    if new.strip() != repeated.strip():
        st.error(_("The two new passwords differ."))
        return False
    try:
        with writing() as session:
            tried = sign_in.attempt(session, here.account_name, address(), now())
        with writing() as session:
            own_account.change_password(session, here.actor, current, new, now(), keep=here.sign_in_id)
            sign_in.forgive(session, tried)
    except (Invalid, Refused) as problem:
        st.error(marked(problem.says))
        return False
    return True
