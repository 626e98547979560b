"""Students: classes, contact in need, placement, money and the sign-in."""

import streamlit as st

from crm.grid.render import render_table
from crm.i18n import _
from crm.tables.students import STUDENTS
from crm.ui.session import require
from crm.ui.students.student_sheet import student_sheet

actor = require("students.view")
st.title(_("Students"))
render_table(STUDENTS, actor, detail=student_sheet)
