"""The parts of a page that are opened and closed."""

from streamlit.testing.v1 import AppTest


def page() -> None:
    import streamlit as st

    from crm.ui.parts import opened

    shown = opened(st.session_state.label, "reasons")
    if shown.open:
        shown.text("inside")


def test_what_was_opened_or_closed_stays_so_when_it_is_called_otherwise():
    at = AppTest.from_function(page)
    seen = []

    for label in ("The reasons", "原因", "The reasons"):
        at.session_state["label"] = label
        seen.append([text.value for text in at.run().text])
        at.session_state["reasons"] = label == "The reasons"
        at.run()

    assert seen == [[], ["inside"], []]
