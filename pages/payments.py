"""Payments: recorded by consultants, confirmed or rejected by finance."""

import streamlit as st

from crm.grid.render import render_table
from crm.i18n import _
from crm.tables.payments import PAYMENTS
from crm.ui.session import require
from crm.ui.students.payment_sheet import payment_sheet

actor = require("payments.view")
st.title(_("Payments"))
render_table(PAYMENTS, actor, detail=payment_sheet)
