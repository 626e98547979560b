"""The gradebook: which class, and what of it to see."""

import streamlit as st

from crm.i18n import _
from crm.rbac import Actor
from crm.services import class_names
from crm.services.gradebook_scopes import SCORE, VIEW, running_first
from crm.ui.address import choose
from crm.ui.scoring import scoring
from crm.ui.session import reading_as_somebody


def gradebook(actor: Actor) -> None:
    """The page of lecturers, class teachers and managers, as far as each may go."""
    with reading_as_somebody() as session:
        classes = class_names.choices(session, actor, VIEW)
        order = running_first(session, list(classes))
    if not classes:
        st.info(_("There is no class for you to open yet."), icon=":material/school:")
        return
    class_id = choose("class", _("Class"), order, lambda key: str(classes[key]), forget=("day",))
    if class_id is None:
        return
    if actor.may(SCORE):
        scoring(actor, class_id)
