"""A student's own scores, and homework."""

import streamlit as st

from crm.i18n import _
from crm.ui.scores.grades import grades
from crm.ui.session import require

actor = require("grades.view")
st.title(_("My grades"))
grades(actor)
