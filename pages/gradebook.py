"""The gradebook: scoring a day of a class, and a class's scores."""

import streamlit as st

from crm.i18n import _
from crm.ui.scores.gradebook import gradebook
from crm.ui.session import require

actor = require("gradebook.view")
st.title(_("Gradebook"))
gradebook(actor)
