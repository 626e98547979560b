"""Import: a sheet of customers comes in and is shared out."""

import streamlit as st

from crm.grid.render import render_table
from crm.i18n import _
from crm.tables.imports import IMPORTS
from crm.ui.import_sheet import import_sheet
from crm.ui.session import require

actor = require("import.view")
st.title(_("Import"))
if actor.may("import.run"):
    import_sheet(actor)
    st.divider()
st.subheader(_("Earlier imports"))
render_table(IMPORTS, actor)
