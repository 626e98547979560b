"""The public pool: customers to claim."""

import streamlit as st

from crm.grid.render import render_table
from crm.i18n import _
from crm.tables.customers import POOL
from crm.ui.customer_sheet import customer_sheet
from crm.ui.session import require

actor = require("pool.view")
st.title(_("Public pool"))
render_table(POOL, actor, detail=customer_sheet)
