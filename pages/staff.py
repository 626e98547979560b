"""Staff, and how much each consultant is given."""

import streamlit as st

from crm.grid.render import render_table
from crm.i18n import _
from crm.tables.staff import EMPLOYEES, QUOTAS
from crm.ui.session import require

actor = require("staff.view")
st.title(_("Staff and quotas"))
quotas, people = st.tabs([_("Quotas"), _("Staff")])
with quotas:
    render_table(QUOTAS, actor)
with people:
    render_table(EMPLOYEES, actor)
