"""Permissions: what each role may do where, and who has it."""

import streamlit as st

from crm.i18n import _
from crm.ui.access.permissions import permissions
from crm.ui.session import require

actor = require("permissions.view")
st.title(_("Permissions"))
permissions(actor)
