"""The ways from one page of a class or its day to the others: each is one click."""

import streamlit as st

from crm.i18n import Says, _, says
from crm.rbac import Actor

_DAY: tuple[tuple[str, str, Says, str], ...] = (
    ("attendance", "attendance.view", says("Attendance of the day"), "how_to_reg"),
    ("gradebook", "gradebook.view", says("Scores of the day"), "grading"),
    ("course-records", "course-records.edit", says("Title and homework"), "edit_note"),
)


def day_links(actor: Actor, class_id: int, day_id: int, here: str, *, initialised: bool = True) -> None:
    """From the page `here` to what else there is of that day, as far as the actor may; scores once initialised."""
    day, group = str(day_id), str(class_id)
    asks = {
        "attendance": {"day": day},
        "gradebook": {"class": group, "day": day},
        "course-records": {"class": group, "edit": day},
    }
    pages = [one for one in _DAY if one[0] != here and actor.may(one[1]) and (initialised or one[0] != "gradebook")]
    with st.container(horizontal=True, gap="small"):
        for page, _needs, label, icon in pages:
            _link(page, str(label), icon, asks[page])
        if actor.may("course-records.view"):
            _link("course-records", _("All days of the class"), "event_note", {"class": group})


def _link(page: str, label: str, icon: str, query: dict[str, str]) -> None:
    file = f"pages/{page.replace('-', '_')}.py"
    st.page_link(file, label=label, icon=f":material/{icon}:", query_params=query, width="content")
