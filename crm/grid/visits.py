"""What is forgotten of a person who left: forms that the address asks for no more, questions on a page left behind."""

import streamlit as st

from crm.grid.asking import Acting
from crm.grid.shortcuts import give_back_keys
from crm.grid.state import Here

PLACE, VISIT = "grid:place", "grid:visit"


def arrive(place: str) -> None:
    """Tells the tables of this session, in every run, which page is about to be drawn.

    Another than in the run before is a visit of its own: what was asked and not answered on the last one is forgotten.
    """
    give_back_keys()
    if st.session_state.get(PLACE) != place:
        st.session_state[PLACE] = place
        st.session_state[VISIT] = st.session_state.get(VISIT, 0) + 1


def forget_last_visit(here: Here) -> None:
    """Once a visit, before anything is drawn. An action that has begun stays, since its account was not read yet."""
    visit = st.session_state.get(VISIT, 0)
    if here.recall("visit") == visit:
        return
    here.remember("visit", visit)
    acting: Acting | None = here.recall("acting")
    if acting is not None and acting.work is None:
        here.remember("acting", None)
    here.remember("exporting", None)
    _forget_form(here)


def forget_left_form(here: Here) -> None:
    """With every drawing: the form that was open is forgotten unless the address still asks for that very one."""
    part, raw = here.recall("form") or ("", None)
    if part and here.asked(part) != raw:
        _forget_form(here)


def hold_form(here: Here, part: str) -> None:
    """The form of that part, as the address asks for it, is the one that is open."""
    here.remember("form", (part, here.asked(part)))


def _forget_form(here: Here) -> None:
    part, _raw = here.recall("form") or ("", None)
    if part:
        here.forget(part)
        here.remember("form", None)
