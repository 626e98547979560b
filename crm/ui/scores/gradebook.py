"""The gradebook: which class, and what of it to see."""

from collections.abc import Callable
from typing import NamedTuple

import streamlit as st

from crm.grid.style import NO_FILE
from crm.i18n import Says, _, says
from crm.rbac import Actor
from crm.services.classes import class_names
from crm.services.scores.gradebook_scopes import SCORE, VIEW, running_first
from crm.services.scores.score_sheets import EXPORT, IMPORT
from crm.ui.address import choose
from crm.ui.parts import part
from crm.ui.scores.at_risk import at_risk
from crm.ui.scores.class_gradebook import class_gradebook_of, compared
from crm.ui.scores.score_sheets import sheets
from crm.ui.scores.scoring import scoring
from crm.ui.session import reading_as_somebody


def gradebook(actor: Actor) -> None:
    """The page of lecturers, class teachers and managers, as far as each may go."""
    st.html(f"<style>{NO_FILE}</style>")
    with reading_as_somebody() as session:
        classes = class_names.choices(session, actor, VIEW)
        order = running_first(session, list(classes))
    if not classes:
        st.info(_("There is no class for you to open yet."), icon=":material/school:")
        return
    class_id = choose("class", _("Class"), order, lambda key: str(classes[key]), forget=("day",))
    if class_id is None:
        return
    parts = {name: one for name, one in PARTS.items() if not one.needs or any(actor.may(each) for each in one.needs)}
    shown = part({name: str(one.title) for name, one in parts.items()}, keep=("class", "day"))
    parts[shown].draw(actor, class_id)


class Part(NamedTuple):
    """One part of the page, and the permissions of which it needs one beside that of the page."""

    title: Says
    draw: Callable[[Actor, int], None]
    needs: tuple[str, ...] = ()


PARTS = {
    "score": Part(says("Score a day"), scoring, (SCORE,)),
    "class": Part(says("The class"), class_gradebook_of),
    "at-risk": Part(says("At risk"), at_risk),
    "sheet": Part(says("Sheet"), sheets, (IMPORT, EXPORT)),
    "compare": Part(says("Compare classes"), lambda actor, _class_id: compared(actor)),
}
