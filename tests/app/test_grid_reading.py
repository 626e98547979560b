"""A list whose rows take long says that they are being read: what a browser is sent, without one."""

from collections.abc import Iterator
from dataclasses import replace
from threading import Event
from typing import Any

import pytest
from sqlalchemy import Engine
from streamlit.elements import spinner
from streamlit.runtime.forward_msg_queue import ForwardMsgQueue
from streamlit.testing.v1 import AppTest

from crm.grid.style import STYLE
from crm.rbac import Actor
from crm.store.engine import make_engine
from tests.grid_example import BOOKS, connect, create

NEVER = 3600


@pytest.fixture
def engine(tmp_path: Any) -> Iterator[Engine]:
    """A database with three books."""
    made = make_engine(f"sqlite:///{tmp_path / 'books.db'}")
    create(made, 3)
    connect(made)
    yield made
    made.dispose()


def drawn(monkeypatch: pytest.MonkeyPatch, *, patience: float, waits: bool) -> tuple[list[str], list[tuple[int, ...]]]:
    """The list drawn by a server that says after so many seconds that it reads; with `waits` reading lasts until then.

    What was said so, and the places of everything else that was sent.
    """
    said: list[str] = []
    places: list[tuple[int, ...]] = []
    told, enqueue = Event(), ForwardMsgQueue.enqueue

    def passed_on(queue: ForwardMsgQueue, message: Any) -> None:
        enqueue(queue, message)
        if not message.HasField("delta"):
            return
        if not message.delta.HasField("new_transient"):
            places.append(tuple(message.metadata.delta_path))
            return
        said.extend(one.spinner.text for one in message.delta.new_transient.elements)
        if said:
            told.set()

    def rows(session: Any, actor: Actor) -> Any:
        assert not waits or told.wait(30)
        return BOOKS.rows(session, actor)

    def script() -> None:
        import streamlit as st

        from crm.grid.render import render_table
        from tests.grid_example import LIBRARIAN

        render_table(st.session_state.config, LIBRARIAN)

    app = AppTest.from_function(script, default_timeout=60)
    app.session_state["config"] = replace(BOOKS, rows=rows)
    with monkeypatch.context() as patched:
        patched.setattr(ForwardMsgQueue, "enqueue", passed_on)
        patched.setattr(spinner, "DELAY_SECS", patience)
        app.run()
    assert not app.exception, app.exception
    assert len(app.dataframe[0].value) == 3
    return said, places


def test_that_rows_are_being_read_is_said_only_where_it_takes_long_and_moves_nothing(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    soon = drawn(monkeypatch, patience=NEVER, waits=False)
    late = drawn(monkeypatch, patience=0.01, waits=True)

    assert (soon[0], late[0]) == ([], ["Reading the rows..."])
    assert soon[1] == late[1], "everything else stands where it stands"
    assert ':has(>[class*="-reading"]){position:fixed' in STYLE, "and what is said lies above it"
