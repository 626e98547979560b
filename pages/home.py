"""The front page."""

import streamlit as st

from crm.i18n import _, literal
from crm.ui.session import require
from crm.ui.today import today

actor = require("home.view")
st.title(_("Hello, {name}", name=literal(actor.name)))
today(actor)
