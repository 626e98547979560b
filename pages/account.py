"""A person's own sign-in: language, password, sessions."""

from functools import partial

import streamlit as st

from crm.i18n import _
from crm.ui.access.account import own_password, own_sessions
from crm.ui.language import language_switch
from crm.ui.session import require, set_language

actor = require()
st.title(_("My account"))
st.subheader(_("Language"), anchor=False)
language_switch("account-language", partial(set_language, actor))
own_password()
own_sessions(actor)
