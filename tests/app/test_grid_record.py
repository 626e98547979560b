"""One record of a table on its page, and forms: opened by the address, left, and fresh when opened again."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import Engine
from streamlit.testing.v1 import AppTest

from crm.grid.frame import OPEN
from crm.grid.style import STYLE
from crm.i18n import says
from crm.rbac import Actor, Reach
from tests import grid_example
from tests.app.books_page import frame, names, page, thirty_books, url
from tests.grid_example import BOOKS, LIBRARIAN, READER


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    yield from thirty_books(tmp_path)


def test_a_record_opens_from_the_address_and_leads_back(engine: Engine):
    app = page(open="7", q="Book")

    assert "The story of 7" in [text.value for text in app.markdown]

    app.button(key="books:back").click().run()

    assert url(app) == {"q": ["Book"]}
    assert app.dataframe


def test_a_record_leads_to_its_neighbours_in_the_list_that_it_was_opened_from(engine: Engine):
    app = page(open="6", binding="cloth", sort="-pages")

    app.button(key="books:step:after").click().run()
    assert url(app)["open"] == ["4"]
    with engine.begin() as connection:
        connection.exec_driver_sql("UPDATE book SET pages = 9999 WHERE id = 4")
    app.button(key="books:step:after").click().run()

    assert url(app) == {"open": ["2"], "binding": ["cloth"], "sort": ["-pages"]}
    assert "The story of 2" in [text.value for text in app.markdown]
    assert app.button(key="books:step:after").disabled
    assert not app.button(key="books:step:before").disabled


def test_a_record_that_no_list_shows_has_no_neighbours(engine: Engine):
    app = page(open="7", binding="cloth")

    assert "The story of 7" in [text.value for text in app.markdown]
    assert not [one for one in app.button if one.key.startswith("books:step")]


def test_what_can_be_done_with_a_row_can_be_done_on_its_record(engine: Engine):
    app = page(open="7")

    app.button(key="books:record:lend").click().run()

    assert "Book 7" in [text.value for text in app.caption]
    assert not [one for one in page(READER, open="7").button if one.key == "books:record:lend"]


def test_a_record_is_edited_where_it_stands(engine: Engine):
    app = page(open="30", q="Book")

    app.button(key="books:edit-open").click().run()
    assert "The story of 30" in [text.value for text in app.markdown]
    assert any(STYLE in one.proto.body for one in app.get("html")), "it looks as over the list"
    app.text_input(key="books:edit:30:name").set_value("Emma")
    app.button(key="books:edit:save").click().run()

    assert url(app) == {"open": ["30"], "q": ["Book"]}
    assert "The story of 30" in [text.value for text in app.markdown]
    assert not app.text_input


def test_a_record_that_cannot_be_edited_says_why_and_stays(engine: Engine, monkeypatch: pytest.MonkeyPatch):
    shut = replace(BOOKS, locked=lambda session, actor, rows: {row.id: says("On loan.") for row in rows})
    monkeypatch.setattr(grid_example, "BOOKS", shut)
    app = page(open="30")

    app.button(key="books:edit-open").click().run()

    assert [error.value for error in app.error] == ["On loan."]
    assert "The story of 30" in [text.value for text in app.markdown]
    assert url(app) == {"open": ["30"]}


def test_two_who_change_a_record_are_asked_above_the_list(engine: Engine):
    app = page(open="30", edit="30")
    app.text_input(key="books:edit:30:name").set_value("Emma")
    with engine.begin() as connection:
        connection.exec_driver_sql("UPDATE book SET name = 'Persuasion', version = 2 WHERE id = 30")

    app.button(key="books:edit:save").click().run()

    assert url(app) == {}
    assert len(app.warning) == 1


def test_a_row_has_no_button_for_a_form_that_one_may_not_open(engine: Engine):
    def script() -> None:
        import streamlit as st

        from crm.grid.render import render_table
        from tests.grid_example import BOOKS

        render_table(BOOKS, st.session_state.actor)

    offered = {}
    for actor in (LIBRARIAN, READER):
        app = AppTest.from_function(script, default_timeout=30)
        app.session_state["actor"] = actor
        offered[actor.name] = OPEN in frame(app.run())

    assert offered == {"librarian": True, "reader": False}


@pytest.mark.parametrize("key", ["99", "2"])
def test_a_record_out_of_reach_is_not_told_from_none(engine: Engine, key: str):
    keeper = Actor(account_id=3, name="keeper", department=1001, grants={"books.view": Reach.ALL})

    app = page(keeper, open=key)

    assert [error.value for error in app.error] == ["There is no such record, or you may not see it."]
    assert not any("story" in text.value for text in app.markdown)


def test_a_record_with_an_unreadable_key_is_an_error(engine: Engine):
    app = page(open="7 or 1=1")

    assert [error.value for error in app.error] == ["7 or 1=1 is not the number of a record."]


def test_a_form_that_was_left_by_going_back_shows_what_is_there_when_it_is_opened_again(engine: Engine):
    app = page(edit="30")
    assert app.text_input(key="books:edit:30:name").value == "Book 30"
    app.query_params.clear()
    app.run()

    with engine.begin() as connection:
        connection.exec_driver_sql("UPDATE book SET name = 'Emma', version = 2 WHERE id = 30")
    app.query_params["edit"] = "30"
    app.run()
    assert app.text_input(key="books:edit:30:name").value == "Emma"
    app.text_input(key="books:edit:30:name").set_value("Persuasion")
    app.button(key="books:edit:save").click().run()

    assert "Persuasion" in names(app)
    assert not app.warning


def test_what_was_wrong_with_a_form_is_forgotten_once_it_was_left(engine: Engine):
    app = page(add="")
    app.button(key="books:add:save").click().run()
    assert app.session_state["books:add:faults"]

    app.query_params.clear()
    app.run()

    assert "books:add:faults" not in app.session_state


@pytest.mark.parametrize("asked", [("a_add", "b_add"), ("b_add", "a_edit"), ("add", "b_edit")])
def test_of_two_forms_that_one_address_asks_for_the_first_opens_and_the_other_after_it(
    engine: Engine, asked: tuple[str, str]
):
    """Tables with one title of their forms, too."""

    def script() -> None:
        from dataclasses import replace

        import streamlit as st

        from crm.grid.render import render_table
        from tests.grid_example import BOOKS

        render_table(BOOKS, st.session_state.actor)
        for prefix in ("a_", "b_"):
            render_table(
                replace(BOOKS, name=f"books-{prefix[0]}", view="books.view", prefix=prefix), st.session_state.actor
            )

    app = AppTest.from_function(script, default_timeout=30)
    app.session_state["actor"] = LIBRARIAN
    for key in asked:
        app.query_params[key] = "30" if "edit" in key else ""
    app.run()
    assert not app.exception, app.exception
    cancels = [button for button in app.button if (button.key or "").endswith(":cancel")]
    assert len(cancels) == 1

    cancels[0].click().run()

    assert not app.exception, app.exception
    others = [button.key for button in app.button if (button.key or "").endswith(":cancel")]
    assert len(others) == 1
    assert others != [cancels[0].key]


def visits(actor: Actor) -> AppTest:
    """An app of two pages, books and another, of which the session's `place` says which is drawn."""

    def script() -> None:
        import streamlit as st

        from crm.grid.render import render_table
        from crm.grid.visits import arrive
        from tests.grid_example import BOOKS

        arrive(st.session_state.place)
        if st.session_state.place == "books":
            render_table(BOOKS, st.session_state.actor)

    app = AppTest.from_function(script, default_timeout=30)
    app.session_state["actor"], app.session_state["place"] = actor, "books"
    return app.run()


@pytest.mark.parametrize(("pressed", "asked"), [("act:lend", "acting"), ("export", "exporting")])
def test_a_question_that_was_left_for_another_page_does_not_wait_there(engine: Engine, pressed: str, asked: str):
    app = visits(LIBRARIAN)
    app.button(key="books:tick").click().run()
    app.button(key=f"books:{pressed}").click().run()
    assert app.session_state[f"books:{asked}"]

    app.run()
    assert app.session_state[f"books:{asked}"]
    for place in ("home", "books"):
        app.session_state["place"] = place
        app.run()

    assert not app.session_state[f"books:{asked}"]


def test_a_form_that_was_left_for_another_page_is_fresh_when_its_link_is_opened(engine: Engine):
    app = visits(LIBRARIAN)
    app.query_params["edit"] = "30"
    app.run()
    with engine.begin() as connection:
        connection.exec_driver_sql("UPDATE book SET name = 'Emma', version = 2 WHERE id = 30")
    for place in ("home", "books"):
        app.session_state["place"] = place
        app.run()

    assert app.text_input(key="books:edit:30:name").value == "Emma"
