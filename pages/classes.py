"""Class groups: what runs where, who teaches it, and how many are in it."""

import streamlit as st

from crm.grid.render import render_table
from crm.i18n import _
from crm.tables.classes import CLASSES
from crm.ui.session import require

actor = require("classes.view")
st.title(_("Classes"))
render_table(CLASSES, actor)
