"""`render_table` as a page, without a browser: what is drawn, what the URL holds, what reaches whom."""

import json
import logging
from collections.abc import Iterator
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
from crm.rbac import Actor, Reach
from crm.store.engine import make_engine
from tests.grid_example import BOOKS, LIBRARIAN, READER, Binding, Shelf, connect, create


@pytest.fixture
def engine(tmp_path: Any) -> Iterator[Engine]:
    """A database with 30 books."""
    made = make_engine(f"sqlite:///{tmp_path / 'books.db'}")
    create(made, 30)
    connect(made)
    yield made
    made.dispose()


def draw(actor: Actor, **url: Any) -> AppTest:
    """The example's page as `actor` gets it at that address."""

    def script() -> None:
        import streamlit as st

        from crm.grid.render import render_table
        from tests.grid_example import BOOKS

        render_table(BOOKS, st.session_state.actor, detail=lambda actor, key: st.markdown(f"The story of {key}"))

    app = AppTest.from_function(script, default_timeout=30)
    app.session_state["actor"] = actor
    for key, value in url.items():
        app.query_params[key] = value
    return app.run()


def page(actor: Actor = LIBRARIAN, **url: Any) -> AppTest:
    """The same, where nothing is expected to go wrong."""
    app = draw(actor, **url)
    assert not app.exception, app.exception
    return app


def frame(app: AppTest) -> Any:
    """The rows that reach the browser."""
    return app.dataframe[0].value if app.dataframe else app.get("arrow_data_frame")[0].value


def names(app: AppTest) -> list[str]:
    return list(frame(app)["name"])


def url(app: AppTest) -> dict[str, list[str]]:
    """The address as the page left it."""
    return {key: [value] if isinstance(value, str) else value for key, value in app.query_params.items()}


def labels(elements: Any) -> list[str]:
    return [element.label for element in elements]


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
