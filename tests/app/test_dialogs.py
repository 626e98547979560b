"""A dialog belongs to the page, and to the record, on which it was asked for."""

import pytest
from streamlit.testing.v1 import AppTest

from crm.ui.dialogs import ASKED, SECRET


def at_a_dialog():
    def script():
        import streamlit as st

        from crm.ui import dialogs

        dialogs.arrive(st.session_state.page)

    at = AppTest.from_function(script)
    at.session_state.page = "people"
    at.query_params["open"] = "7"
    at.run()
    at.session_state[ASKED], at.session_state[SECRET] = "password", "made up for once"
    return at


def test_a_password_that_is_shown_once_stays_while_the_page_runs_again():
    at = at_a_dialog().run().run()

    assert at.session_state[SECRET] == "made up for once"


@pytest.mark.parametrize("left", [{"page": "students"}, {"open": "8"}, {"open": None}])
def test_a_password_that_is_shown_once_is_not_shown_again_to_who_left_without_closing(left):
    at = at_a_dialog().run()
    at.session_state.page = left.get("page", "people")
    if "open" in left:
        at.query_params.clear()
        if left["open"]:
            at.query_params["open"] = left["open"]

    at.run()

    assert ASKED not in at.session_state and SECRET not in at.session_state
