"""The front page."""

import streamlit as st

from crm.i18n import _, literal
from crm.ui.home import home
from crm.ui.session import require

actor = require("home.view")
st.title(_("Hello, {name}", name=literal(actor.name)))
home(actor)
