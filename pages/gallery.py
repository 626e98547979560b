"""Every feature of a table, on example data of its own."""

import streamlit as st

from crm.i18n import _
from crm.ui.gallery import gallery
from crm.ui.session import require

actor = require("gallery.view")
st.title(_("Gallery of tables"))
gallery(actor)
