"""All customers, for whoever manages them."""

import streamlit as st

from crm.grid.render import render_table
from crm.i18n import _
from crm.tables.customers import CUSTOMERS, DELETED
from crm.ui.customer_sheet import customer_sheet
from crm.ui.parts import part
from crm.ui.session import require

actor = require("customers.view")
st.title(_("Customers"))
deletes = actor.looking().may("customers.delete")
shown = part({"list": _("Customers"), "deleted": _("Deleted")}) if deletes else "list"
if shown == "deleted":
    render_table(DELETED, actor)
else:
    render_table(CUSTOMERS, actor, detail=customer_sheet)
