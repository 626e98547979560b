"""`render_table` as a page, without a browser: what is drawn, what the URL holds, what reaches whom."""

import json
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import Engine, insert
from streamlit.testing.v1 import AppTest

from crm.errors import Unavailable
from crm.grid.inputs import Drawable, read_inputs
from crm.grid.state import Here
from crm.grid.values import Rule
from crm.i18n import says
from crm.rbac import Actor
from crm.store.engine import make_engine
from tests.app.books_page import draw, frame, labels, names, page, thirty_books, url
from tests.grid_example import BOOKS, LIBRARIAN, READER, Binding, Shelf, connect, create


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    yield from thirty_books(tmp_path)


def test_the_rows_come_in_the_declared_order_with_their_keys_as_index(engine: Engine):
    app = page()

    assert names(app)[:2] == ["Book 30", "Book 29"]
    assert list(frame(app).index[:2]) == [30, 29]
    assert app.caption[-1].value == "1 to 20 of 30"


def test_a_link_opens_the_view_it_names(engine: Engine):
    app = page(q="Book 1", binding="cloth", sort="name")

    assert names(app) == ["Book 10", "Book 12", "Book 14", "Book 16", "Book 18"]
    assert app.text_input[0].value == "Book 1"
    assert app.multiselect[0].value == [Binding.CLOTH]


def test_what_is_chosen_goes_into_the_address(engine: Engine):
    app = page()

    app.multiselect[0].set_value([Binding.CLOTH]).run()
    app.text_input[0].set_value("Book 2").run()

    assert url(app) == {"binding": ["cloth"], "q": ["Book 2"]}
    assert names(app) == ["Book 28", "Book 26", "Book 24", "Book 22", "Book 20", "Book 2"]


def test_words_that_are_no_choice_any_more_leave_the_filter_as_it_is(engine: Engine):
    app = page(binding="cloth")

    app.multiselect[0].set_value(["布面"]).run()

    assert url(app) == {"binding": ["cloth"]}
    assert app.multiselect[0].value == [Binding.CLOTH]


def test_one_click_clears_one_filter_or_all(engine: Engine):
    app = page(q="Book 1", binding="cloth", lent="no")

    app.button(key="books:chip:binding").click().run()
    assert url(app) == {"q": ["Book 1"], "lent": ["no"]}

    app.button(key="books:clear").click().run()
    assert url(app) == {}


def test_keys_of_others_in_the_address_are_left_alone(engine: Engine):
    app = page(lang="zh")

    app.multiselect[1].set_value([True]).run()

    assert url(app) == {"lang": ["zh"], "lent": ["yes"]}


def test_an_unreadable_value_is_an_error_and_no_row_until_it_is_cleared(engine: Engine):
    app = page(binding="gold", lent="no")

    assert [error.value for error in app.error] == [
        "Binding: gold is not a choice of this filter. No rows are shown until this is cleared."
    ]
    assert not app.dataframe

    app.button(key="books:readable:binding").click().run()

    assert url(app) == {"lent": ["no"]}
    assert len(names(app)) == 20


@pytest.mark.parametrize(
    ("view", "said"), [({}, "30 rows"), ({"binding": "cloth"}, "15 rows"), ({"q": "Book 30"}, "1 row")]
)
def test_how_many_there_are_is_said_above_the_table_in_a_line_that_is_always_there(
    engine: Engine, view: Any, said: str
):
    assert said in [caption.value for caption in page(**view).caption]


def test_no_match_says_so_and_one_click_clears(engine: Engine):
    app = page(q="no such book", binding="cloth", sort="name")
    assert "Nothing matches. Clear a filter or search for something else." in [text.value for text in app.markdown]

    app.button(key="books:empty-clear").click().run()

    assert url(app) == {"sort": ["name"]}
    assert len(names(app)) == 20


def test_an_empty_table_says_what_it_declares_and_offers_to_add(engine: Engine, tmp_path: Any):
    other = make_engine(f"sqlite:///{tmp_path / 'empty.db'}")
    create(other)
    connect(other)

    app = page()
    assert "No books yet. Add the first one." in [text.value for text in app.markdown]
    app.button(key="books:empty-add").click().run()
    assert url(app) == {"add": [""]}
    assert "books:empty-add" not in [button.key for button in page(READER).button]
    other.dispose()


def test_a_database_that_cannot_be_read_says_so_and_offers_another_try(engine: Engine):
    def away() -> Any:
        raise Unavailable(says("The database cannot be reached."))

    connect(engine, reading=away)

    app = page()

    assert [error.value for error in app.error][:1] == ["The database cannot be reached."]
    connect(engine)
    app.button(key="books:again").click().run()
    assert len(names(app)) == 20


def test_a_column_that_somebody_may_not_see_never_reaches_the_browser(engine: Engine):
    assert "price" in frame(page())
    assert "price" not in frame(page(READER))


def test_who_may_only_look_finds_nothing_to_change(engine: Engine):
    app = page(READER)

    assert "_tick" not in frame(app)
    assert not set(labels(app.button)) & {"Add a book", "Lend...", "Return"}


def test_who_may_not_see_the_table_is_refused(engine: Engine):
    app = draw(Actor(account_id=9, name="nobody"))

    assert len(app.exception) == 1
    assert not app.dataframe
    assert not app.text_input


def test_labels_are_in_the_language_of_the_declaration_and_choices_are_named(engine: Engine):
    app = page()

    assert labels(app.multiselect) == ["Binding", "Lent", "Shelf"]
    assert app.multiselect[0].options == [
        "Paperback (15)", "Cloth (15)", "Leather (0)", "(is empty) (0)", "(is not empty) (30)"
    ]  # fmt: skip
    assert app.multiselect[2].options == [
        "Shelf 1 (10)", "Shelf 2 (20)", "Shelf 3 (0)", "(is empty) (0)", "(is not empty) (30)"
    ]  # fmt: skip


@pytest.fixture
def many_shelves(engine: Engine) -> None:
    """More shelves than a box of choices lists; the last one by name is 9999."""
    rows = [{"code": code, "name": f"Top {code}"} for code in (*range(5000, 5500), 9999)]
    with engine.begin() as connection:
        connection.execute(insert(Shelf), rows)


def test_a_filter_of_too_many_choices_says_so_and_finds_the_others_by_name(engine: Engine, many_shelves: None):
    app = page()
    shelf = app.multiselect[2]
    assert len(shelf.options) == 500 + 2
    assert shelf.help == "The first 500 are listed. Type what another is called and press Enter."

    shelf.set_value(["top 9999"]).run()
    assert url(app) == {"shelf": ["9999"]}
    assert app.button(key="books:chip:shelf").label == "Shelf: Top 9999"
    app.multiselect[2].set_value(["Top"]).run()
    assert [toast.value for toast in app.toast] == ["Several are called like that. Type more of it."]


def test_a_cell_of_too_many_choices_says_where_the_others_are(engine: Engine, many_shelves: None):
    column = json.loads(page().dataframe[0].proto.columns)["shelf_code"]

    assert len(column["type_config"]["options"]) == 500
    assert column["help"] == "The first 500 are listed."


def test_what_was_typed_while_the_database_was_busy_is_not_lost(engine: Engine):
    def busy() -> Any:
        raise Unavailable(says("The database is busy. Try again in a moment."))

    def script() -> None:
        import streamlit as st

        from crm.grid.editor import save
        from crm.grid.edits import Change
        from crm.grid.render import render_table
        from crm.grid.state import Here
        from tests.grid_example import BOOKS

        here = Here.now(BOOKS, st.session_state.actor)
        save(here, [Change(30, 1, {"name": "Emma", "note": st.session_state.note}), Change(29, 1, {"pages": 7})])
        render_table(BOOKS, st.session_state.actor)

    connect(engine, writing=busy)
    note = " ".join(["A long note."] * 30)
    app = AppTest.from_function(script, default_timeout=30)
    app.session_state["actor"], app.session_state["note"] = LIBRARIAN, note
    app.run()

    (told,) = [error.value for error in app.error]
    for cell in ("Book 30 · Name**: “Emma”", f"Book 30 · Note**: “{note}”", "Book 29 · Pages**: “7”"):
        assert f"- **{cell} · The database is busy. Try again in a moment." in told
    assert [toast.value for toast in app.toast] == ["The database is busy. Try again in a moment."]
    assert names(app)[0] == "Book 30"


@pytest.mark.parametrize(("button", "place"), [("open", 1), ("lock", "0"), ("each:return", -1)])
def test_a_click_in_a_row_that_is_not_there_is_refused_and_logged(
    engine: Engine, button: str, place: Any, caplog: pytest.LogCaptureFixture
):
    def script() -> None:
        import streamlit as st

        from crm.grid.edits import Snapshot
        from crm.grid.row_buttons import acted, opened, why_closed
        from crm.grid.state import Here
        from tests.grid_example import BOOKS

        here, drawn = Here.now(BOOKS, st.session_state.actor), Snapshot((7,), (1,), ({},))
        opened(here, drawn)
        acted(here, "return", drawn)
        why_closed(here, drawn, {7: {}})

    app = AppTest.from_function(script, default_timeout=30)
    app.session_state["actor"], app.session_state[f"books:{button}"] = LIBRARIAN, {"row": place}

    with caplog.at_level(logging.WARNING, "crm"):
        app.run()

    assert not app.exception
    assert [one.message for one in caplog.records if one.name.startswith("crm")] == [
        f"table books: account 1 clicked {button} in a row that is not there"
    ]
    assert url(app) == {}


def test_a_choice_that_a_form_does_not_offer_is_refused_and_logged(caplog: pytest.LogCaptureFixture):
    shelf = Drawable("shelf_code", "Shelf", Rule("relation"), False, None, {1001: "Shelf 1"}, None)
    authors = Drawable("author_ids", "Authors", Rule("relation"), True, None, {1: "Austen"}, None)
    here = Here(BOOKS, LIBRARIAN, "en", ZoneInfo("UTC"), BOOKS)

    with caplog.at_level(logging.WARNING, "crm"):
        _values, faults = read_inputs(here, [shelf, authors], {"shelf_code": "secret", "author_ids": [1, 99]})

    assert set(faults) == {"shelf_code", "author_ids"}
    assert [one.message for one in caplog.records] == [
        "table books: account 1 chose what it is not offered: shelf_code, author_ids"
    ]


def test_all_on_a_page_are_ticked_at_once_and_unticked(engine: Engine):
    app = page()

    app.button(key="books:tick").click().run()
    assert frame(app)["_tick"].all()
    assert "**20** ticked" in [text.value for text in app.markdown]

    app.button(key="books:untick").click().run()
    assert not frame(app)["_tick"].any()


def test_an_action_asks_first_and_accounts_for_each_row_after(engine: Engine):
    app = page(q="Book 1")
    app.button(key="books:tick").click().run()

    app.button(key="books:act:lend").click().run()

    assert "Lend 11 books?" in [text.value for text in app.markdown]
    assert labels(app.text_input)[-1] == "To whom *"
    assert [row.version for row in app.session_state["books:acting"].chosen.ticked] == [1] * 11


def test_a_page_is_turned_and_its_size_chosen(engine: Engine):
    app = page(page="2")
    assert (names(app)[0], len(names(app))) == ("Book 10", 10)

    app.selectbox(key="books:size").set_value(50).run()

    assert url(app) == {"size": ["50"]}
    assert len(names(app)) == 30
