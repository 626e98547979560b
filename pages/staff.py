"""Staff, and how much each consultant is given."""

import streamlit as st

from crm.grid.render import render_table
from crm.i18n import _
from crm.tables.staff import DEPARTMENTS, EMPLOYEES, QUOTAS
from crm.ui.parts import part
from crm.ui.session import require

actor = require("staff.view")
st.title(_("Staff and quotas"))
tables = {"quotas": QUOTAS, "people": EMPLOYEES, "departments": DEPARTMENTS}
render_table(tables[part({"quotas": _("Quotas"), "people": _("Staff"), "departments": _("Departments")})], actor)
