"""Campuses, and what is taught there."""

import streamlit as st

from crm.grid.render import render_table
from crm.i18n import _
from crm.tables.courses import COURSES, SCHOOLS
from crm.ui.parts import part
from crm.ui.session import require

actor = require("courses.view")
st.title(_("Campuses and courses"))
tables = {"courses": COURSES, "campuses": SCHOOLS}
render_table(tables[part({"courses": _("Courses"), "campuses": _("Campuses")})], actor)
