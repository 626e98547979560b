"""Payments: recorded by consultants, confirmed or rejected by finance."""

import streamlit as st

from crm.grid.render import render_table
from crm.i18n import _
from crm.tables.payments import PAYMENTS
from crm.ui.payment_sheet import payment_sheet
from crm.ui.session import require

actor = require("payments.view")
st.title(_("Payments"))
render_table(PAYMENTS, actor, detail=payment_sheet)
