"""The people who sign in: their roles, whether they may, their sessions, and making a sign-in."""

import streamlit as st

from crm.grid.render import render_table
from crm.i18n import _
from crm.tables.people import PEOPLE
from crm.ui.access.new_sign_in import new_sign_in
from crm.ui.access.people import person
from crm.ui.session import require

actor = require("people.view")
st.title(_("People"))
new_sign_in(actor)
render_table(PEOPLE, actor, detail=person)
