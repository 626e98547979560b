"""Campuses, and what is taught there."""

import streamlit as st

from crm.grid.render import render_table
from crm.i18n import _
from crm.tables.courses import COURSES, SCHOOLS
from crm.ui.session import require

actor = require("courses.view")
st.title(_("Campuses and courses"))
campuses, taught = st.tabs([_("Campuses"), _("Courses")])
with campuses:
    render_table(SCHOOLS, actor)
with taught:
    render_table(COURSES, actor)
