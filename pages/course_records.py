"""Course records: the days of one's classes, as a list and as a calendar."""

import streamlit as st

from crm.grid.render import render_table
from crm.i18n import _
from crm.tables.course_records import COURSE_RECORDS
from crm.tables.deleted_days import DELETED_DAYS
from crm.ui.classes.class_calendar import calendar
from crm.ui.classes.series import series
from crm.ui.parts import part
from crm.ui.session import require

actor = require("course-records.view")
st.title(_("Course records"))
parts = {"list": _("List"), "calendar": _("Calendar")}
shown = part(parts | ({"deleted": _("Deleted")} if actor.looking().may("course-records.delete") else {}))
if shown == "calendar":
    calendar(actor)
elif shown == "deleted":
    render_table(DELETED_DAYS, actor)
else:
    series(actor)
    render_table(COURSE_RECORDS, actor)
