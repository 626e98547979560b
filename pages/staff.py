"""Staff, and how much each consultant is given."""

import streamlit as st

from crm.grid.render import render_table
from crm.i18n import _
from crm.tables.staff import DEPARTMENTS, EMPLOYEES, QUOTAS
from crm.ui.session import require

actor = require("staff.view")
st.title(_("Staff and quotas"))
quotas, people, departments = st.tabs([_("Quotas"), _("Staff"), _("Departments")])
with quotas:
    render_table(QUOTAS, actor)
with people:
    render_table(EMPLOYEES, actor)
with departments:
    render_table(DEPARTMENTS, actor)
