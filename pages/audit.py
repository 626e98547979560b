"""The audit log: who did what to what, before and after, when and from where."""

import streamlit as st

from crm.grid.render import render_table
from crm.i18n import _
from crm.tables.audit import AUDIT
from crm.ui.session import require

actor = require("audit.view")
st.title(_("Audit log"))
render_table(AUDIT, actor)
