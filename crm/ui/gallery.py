"""The gallery's page: the table, and below it the declaration that it is drawn from."""

import inspect
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import streamlit as st

from crm.gallery import table
from crm.gallery.data import planted
from crm.grid.render import render_table
from crm.i18n import _
from crm.rbac import Actor
from crm.settings import settings
from crm.store.session import reading, writing
from crm.ui.session import now

GARDEN = "gallery:garden"


def gallery(actor: Actor) -> None:
    """Draws it in a demo school, or where the settings ask for it."""
    if not settings().shows_gallery:
        st.info(_("The gallery is for those who work on the app. The setting server.gallery switches it on."))
        return
    st.caption(_("Everything that a table can do, on plants in greenhouses that exist for this visit only."))
    render_table(table.PLANTS, actor, detail=_plant)
    with st.expander(_("The declaration"), icon=":material/code:"):
        st.code(inspect.getsource(table), language="python")


@contextmanager
def reading_garden() -> Iterator[Any]:
    """A session for reading on this visitor's garden."""
    with reading(_garden()) as session:
        yield session


@contextmanager
def writing_garden() -> Iterator[Any]:
    """A transaction on this visitor's garden."""
    with writing(_garden()) as session:
        yield session


def _garden() -> Any:
    """The garden of this visit, planted at first use and forgotten with the session."""
    if GARDEN not in st.session_state:
        st.session_state[GARDEN] = planted(now())
    return st.session_state[GARDEN]


def _plant(_actor: Actor, key: Any) -> None:
    st.markdown(_("Here a page draws the record of plant {number}, with charts or whatever it likes.", number=key))
