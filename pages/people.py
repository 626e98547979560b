"""The people who sign in: their roles, whether they may, and when they were last here."""

import streamlit as st

from crm.grid.render import render_table
from crm.i18n import _
from crm.tables.people import PEOPLE
from crm.ui.session import require

actor = require("people.view")
st.title(_("People"))
render_table(PEOPLE, actor)
