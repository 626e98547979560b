"""The example of a table as a page without a browser, and what stands on it."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from sqlalchemy import Engine
from streamlit.testing.v1 import AppTest

from crm.rbac import Actor
from crm.store.engine import make_engine
from tests.grid_example import LIBRARIAN, connect, create


def thirty_books(tmp_path: Path) -> Iterator[Engine]:
    """A database with 30 books, for a fixture."""
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
