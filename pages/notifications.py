"""What one was told, and for whoever looks after it, what left the app."""

import streamlit as st

from crm.grid.render import render_table
from crm.i18n import _
from crm.tables.notifications import INBOX, OUTBOX
from crm.ui.notice import notice
from crm.ui.parts import part
from crm.ui.session import require

actor = require("notifications.view")
st.title(_("Notifications"))
manages = actor.looking().may(OUTBOX.permission)
if manages and part({"inbox": _("For me"), "outbox": _("Outbox")}) == "outbox":
    render_table(OUTBOX, actor)
else:
    render_table(INBOX, actor, detail=notice)
