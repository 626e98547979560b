"""The front page."""

import streamlit as st

from crm.i18n import _
from crm.settings import settings
from crm.ui.session import require

actor = require("home.view")
st.title(_("Hello, {name}", name=actor.name))
st.caption(settings().school.name)
