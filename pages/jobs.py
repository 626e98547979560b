"""The jobs: what runs when, and what became of it."""

import streamlit as st

from crm.grid.render import render_table
from crm.i18n import _
from crm.tables.jobs import PLANS, RUNS
from crm.ui.jobs import heartbeat
from crm.ui.session import require

actor = require("jobs.view")
st.title(_("Jobs"))
heartbeat(actor)
render_table(PLANS, actor)
st.subheader(_("Runs"))
render_table(RUNS, actor)
