"""Attendance of one's classes: taking it, apologies, and what it comes to."""

import streamlit as st

from crm.grid.render import render_table
from crm.i18n import _
from crm.tables.apologies import APOLOGIES
from crm.tables.attendance import RECORDS
from crm.ui.attendance.attendance import take
from crm.ui.attendance.month_sheet import sheet
from crm.ui.parts import part
from crm.ui.session import require

actor = require("attendance.view")
st.title(_("Attendance"))
parts = {"take": _("Take"), "apologies": _("Apologies"), "month": _("Month sheet"), "records": _("Records")}
if not actor.looking().may("attendance.decide"):
    del parts["apologies"]
chosen = part(parts)
if chosen == "take":
    take(actor)
elif chosen == "apologies":
    render_table(APOLOGIES, actor)
elif chosen == "month":
    sheet(actor)
else:
    render_table(RECORDS, actor)
