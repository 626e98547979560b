"""Attendance of one's classes: taking it, apologies, and what it comes to."""

import streamlit as st

from crm.i18n import _
from crm.ui.attendance import take
from crm.ui.session import require

actor = require("attendance.view")
st.title(_("Attendance"))
take(actor)
