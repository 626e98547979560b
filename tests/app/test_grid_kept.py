"""Kept views and chosen columns in the table's own toolbar, without a browser."""

from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from typing import Any

import pytest
from sqlalchemy import Engine
from streamlit.testing.v1 import AppTest

from crm.domain.accounts import Account
from crm.grid.keeping import Keeping
from crm.rbac import Reach
from crm.services import saved_views, shown_columns
from crm.store.engine import make_engine
from crm.store.session import reading, writing
from tests.app.books_page import frame, names, page, url
from tests.builders import NOON
from tests.grid_example import LIBRARIAN, READER, connect, create

SHARER = replace(LIBRARIAN, grants={**LIBRARIAN.grants, "books.share": Reach.ALL})


@pytest.fixture
def engine(sqlite_url: str) -> Iterator[Engine]:
    """Thirty books, and a host that keeps what people set up for themselves."""
    engine = make_engine(sqlite_url)
    create(engine, 30)
    with writing(engine) as session:
        for key, name in ((1, "librarian"), (2, "reader")):
            session.add(Account(id=key, name=name, display_name=name.title(), password_hash="", created_at=NOON))
    keeping = Keeping(
        reading=partial(reading, engine), writing=partial(writing, engine), views=saved_views, columns=shown_columns
    )
    connect(engine, keeping=keeping)
    yield engine
    engine.dispose()


def opened(app: AppTest, menu: str) -> AppTest:
    """The same with that menu open."""
    app.session_state[f"books:{menu}"] = True
    return app.run()


def keep(app: AppTest, name: str) -> AppTest:
    app.text_input(key="books:view:name").set_value(name)
    next(one for one in app.button if one.label == "Keep this view").click().run()
    assert not app.exception
    return app


def buttons(app: AppTest, part: str) -> list[Any]:
    return [one for one in app.button if one.key and one.key.startswith(f"books:{part}")]


def test_a_menu_that_is_closed_costs_its_button_only(engine: Engine) -> None:
    app = page()

    assert not buttons(app, "view:") and not app.checkbox


def test_a_view_is_kept_and_opened_without_page_or_record(engine: Engine) -> None:
    app = keep(opened(page(q="Book 1", binding="cloth", sort="name", size="50"), "views"), "*Cloth* [x](y)")
    assert app.toast[0].value == r"This view is kept as \*Cloth\* \[x\](y)."

    other = opened(page(page="2", lent="no"), "views")
    [view] = buttons(other, "view:open")
    assert view.label == r"\*Cloth\* \[x\](y)"
    view.click().run()

    assert url(other) == {"q": ["Book 1"], "binding": ["cloth"], "sort": ["name"]}
    assert names(other)[0] == "Book 10"
    assert not buttons(other, "view:"), "the menu is closed again"


def test_a_view_of_what_the_table_has_no_more_is_an_error_and_changes_nothing(engine: Engine) -> None:
    with writing(engine) as session:
        saved_views.save(session, LIBRARIAN, "books", "books.view", "Old", "binding=cloth&colour=red")
        saved_views.save(session, LIBRARIAN, "books", "books.view", "Stale", "binding=gold")
    app = opened(page(lent="no"), "views")

    old, _stale = buttons(app, "view:open")
    old.click().run()
    assert app.toast[0].value == "This view has a filter colour, which this table does not have for you."
    assert url(app) == {"lent": ["no"]}

    buttons(opened(app, "views"), "view:open")[1].click().run()
    assert [error.value for error in app.error] == [
        "Binding: gold is not a choice of this filter. No rows are shown until this is cleared."
    ]
    assert not app.dataframe


def test_anothers_view_is_opened_while_it_is_shared_and_not_longer(engine: Engine) -> None:
    with writing(engine) as session:
        saved_views.save(session, SHARER, "books", "books.view", "Cloth", "binding=cloth")
        [view] = saved_views.of_table(session, SHARER, "books", "books.view")
        saved_views.share(session, SHARER, "books", "books.share", view.id, view.version, True)
    app = opened(page(READER), "views")
    [button] = buttons(app, "view:open")

    with writing(engine) as session:
        saved_views.share(session, SHARER, "books", "books.share", view.id, view.version + 1, False)
    button.click().run()

    assert app.toast[0].value == "There is no such view any more."
    assert url(app) == {}


def test_a_name_that_is_taken_is_said_and_the_form_keeps_it(engine: Engine) -> None:
    app = keep(opened(page(q="x"), "views"), "Mine")
    app = keep(app, "Mine")

    assert app.toast[0].value == "You have a view called Mine already."
    assert app.text_input(key="books:view:name").value == "Mine"


def test_a_hidden_column_never_reaches_the_browser_and_is_remembered(engine: Engine) -> None:
    app = opened(page(), "columns")
    assert [one.key for one in app.checkbox if one.key == "books:column:name"] == [], "a pinned one always shows"

    app.checkbox(key="books:column:note").uncheck().run()
    app.checkbox(key="books:column:pages").uncheck().run()

    assert {"note", "pages"}.isdisjoint(frame(app)) and "price" in frame(app)
    again = page()
    assert {"note", "pages"}.isdisjoint(frame(again))
    assert "note" in frame(page(READER))
    opened(again, "columns").button(key="books:columns:reset").click().run()
    assert {"note", "pages"} <= set(frame(again))


def test_an_edit_of_a_hidden_column_can_only_be_forged(engine: Engine) -> None:
    app = opened(page(), "columns")
    app.checkbox(key="books:column:pages").uncheck().run()

    snapshot = app.session_state["books:memory"].drawn

    assert "pages" not in snapshot.cells[0] and "name" in snapshot.cells[0]
