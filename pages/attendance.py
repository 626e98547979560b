"""Attendance of one's classes: taking it, apologies, and what it comes to."""

import streamlit as st

from crm.grid.render import render_table
from crm.i18n import _
from crm.tables.apologies import APOLOGIES
from crm.tables.attendance import RECORDS
from crm.ui.attendance import take
from crm.ui.month_sheet import sheet
from crm.ui.session import require

actor = require("attendance.view")
st.title(_("Attendance"))
parts = {"take": _("Take"), "apologies": _("Apologies"), "month": _("Month sheet"), "records": _("Records")}
if not actor.may("attendance.decide"):
    del parts["apologies"]
asked = st.query_params.get("tab", "take")
part = asked if asked in parts else "take"
chosen = st.segmented_control(
    _("Part"), list(parts), default=part, format_func=parts.__getitem__, key=f"attendance:tab:{part}",
    label_visibility="collapsed", required=True,
)  # fmt: skip
if chosen != part:
    st.query_params.from_dict({"tab": str(chosen)})
    st.rerun()
if part == "take":
    take(actor)
elif part == "apologies":
    render_table(APOLOGIES, actor)
elif part == "month":
    sheet(actor)
else:
    render_table(RECORDS, actor)
