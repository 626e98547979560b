"""All customers, for whoever manages them."""

import streamlit as st

from crm.grid.render import render_table
from crm.i18n import _
from crm.tables.customers import CUSTOMERS, DELETED
from crm.ui.customer_sheet import customer_sheet
from crm.ui.session import require

actor = require("customers.view")
st.title(_("Customers"))
if actor.looking().may("customers.delete"):
    every, deleted = st.tabs([_("Customers"), _("Deleted")], key="customers:tabs", on_change="rerun")
    with every:
        render_table(CUSTOMERS, actor, detail=customer_sheet)
    # Only once it is asked for: most days nobody does.
    if deleted.open:
        with deleted:
            render_table(DELETED, actor)
else:
    render_table(CUSTOMERS, actor, detail=customer_sheet)
