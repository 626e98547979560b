"""A consultant's own customers, soonest deadline first."""

import streamlit as st

from crm.grid.render import render_table
from crm.i18n import _
from crm.tables.customers import MY_CUSTOMERS
from crm.ui.customer_sheet import customer_sheet
from crm.ui.session import require

actor = require("my-customers.view")
st.title(_("My customers"))
render_table(MY_CUSTOMERS, actor, detail=customer_sheet)
