"""A dialog that is remembered while it is open, so that a run of the whole page keeps it."""

from collections.abc import Callable

import streamlit as st

from crm.i18n import marked
from crm.rbac import Actor
from crm.ui.session import again

ASKED, WRONG, SECRET = "dialog:asked", "dialog:wrong", "dialog:secret"
PLACE = "dialog:place"


def arrive(page: str) -> None:
    """Tells, in every run of a page, which one is about to be drawn.

    Whoever came from another page, or opened another record, did not close the dialog there: it is closed, so that a
    password that was shown once is not shown again on return.
    """
    place = (page, st.query_params.get("open"))
    if st.session_state.get(PLACE, place) != place:
        close()
    st.session_state[PLACE] = place


def ask(part: str) -> None:
    """From the next drawing on, the dialog of that name is open. For `on_click`."""
    close()
    st.session_state[ASKED] = part


def close() -> None:
    """No dialog is open any more, and what it showed is forgotten."""
    for key in (ASKED, WRONG, SECRET):
        st.session_state.pop(key, None)


def dialog(part: str, title: str, draw: Callable[[Actor], None], actor: Actor) -> None:
    """Draws the dialog if it was asked for, with what went wrong in it."""
    if st.session_state.get(ASKED) != part:
        return

    @st.dialog(title, on_dismiss=close)
    def opened() -> None:
        # A dialog runs again without the page around it: it asks again who is there, and whether it is still open.
        me = again(actor)
        if me is None or st.session_state.get(ASKED) != part:
            st.rerun()
        draw(me)
        for why in st.session_state.get(WRONG, ()):
            st.error(marked(why), icon=":material/error:")

    opened()
