"""A person's own sign-in: language, password, sessions."""

import streamlit as st

from crm.i18n import _
from crm.ui.account import own_password, own_sessions
from crm.ui.session import require
from crm.ui.shell import language_switch

actor = require()
st.title(_("My account"))
st.subheader(_("Language"), anchor=False)
language_switch(actor, "account-language")
own_password()
own_sessions(actor)
