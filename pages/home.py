"""The front page."""

import streamlit as st

from crm.i18n import _
from crm.ui.session import require
from crm.ui.today import today

actor = require("home.view")
st.title(_("Hello, {name}", name=actor.name))
today(actor)
