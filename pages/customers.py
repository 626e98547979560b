"""All customers, for whoever manages them."""

import streamlit as st

from crm.grid.render import render_table
from crm.i18n import _
from crm.tables.customers import CUSTOMERS
from crm.ui.record import record
from crm.ui.session import require

actor = require("customers.view")
st.title(_("Customers"))
render_table(CUSTOMERS, actor, detail=record)
