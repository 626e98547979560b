"""One record of a table, as `?open=ID` names it: the way back, to the next one, and what can be done with it."""

from typing import Any

import streamlit as st

from crm.errors import NotFound, ThanosError
from crm.grid.account import did_line
from crm.grid.acting import Row, Ticked
from crm.grid.action_dialog import action_dialog
from crm.grid.asking import ask
from crm.grid.forms import edit_asked, read_key
from crm.grid.frame import names_of, permitted
from crm.grid.query import read_page
from crm.grid.saving import one_row
from crm.grid.state import Here
from crm.grid.style import STYLE
from crm.grid.visits import forget_left_form
from crm.i18n import _, marked


def record(here: Here, raw: str) -> None:
    """Draws what stands above the record, then the record as the table's `detail` draws it."""
    bar = st.container(horizontal=True)
    with bar:
        st.button(
            _("Back to the list"), key=here.key("back"), icon=":material/arrow_back:", type="tertiary",
            on_click=here.ask, args=("open", None),
        )  # fmt: skip
    try:
        key = read_key(here, raw)
        with bar:
            _steps(here, key)
        with here.connection.reading() as session:
            found = one_row(here.config, session, here.actor, key)
            name = names_of(here.config, session, here.actor, [found])[key]
            row = Row(key, name, getattr(found, here.config.version, None))
    except NotFound as error:
        if here.recall("acted") == raw:
            # What was done a moment ago took it out of the table, where that is told.
            here.remember("acted", None)
            here.ask("open", None)
            st.rerun()
        st.error(marked(error.says), icon=":material/error:")
        return
    except ThanosError as error:
        st.error(marked(error.says), icon=":material/error:")
        return
    here.told()
    did_line(here)
    with bar:
        _doings(here, raw, row)
    if here.recall("acting") is None:
        _edited(here)
    if here.config.detail is not None:
        here.config.detail(here.actor, key)
    if here.recall("acting") is not None:
        action_dialog(here)


def _doings(here: Here, raw: str, row: Row) -> None:
    config = here.config
    if config.edit is not None and here.actor.may(config.edit.needs):
        st.button(
            _("Edit"), key=here.key("edit-open"), icon=":material/edit:", type="tertiary",
            on_click=_edit, args=(here, raw),
        )  # fmt: skip
    for action in permitted(config, here.actor):
        if action.on_record and not action.each:
            st.button(
                str(action.label),
                key=here.key(f"record:{action.name}"),
                icon=action.icon,
                type="tertiary",
                on_click=_asked,
                args=(here, raw, action.name, row),
            )


def _asked(here: Here, raw: str, name: str, row: Row) -> None:
    here.remember("acted", raw)
    ask(here, name, Ticked((row,)))


def _steps(here: Here, key: Any) -> None:
    """To the one before and the one after, in the list that the person came from."""
    keys = _walk(here, key)
    if len(keys) < 2:
        return
    place = keys.index(key)
    for part, icon, label, to in (
        ("before", "chevron_left", _("Previous one"), place - 1),
        ("after", "chevron_right", _("Next one"), place + 1),
    ):
        st.button(
            label,
            key=here.key(f"step:{part}"),
            icon=f":material/{icon}:",
            icon_position="left" if part == "before" else "right",
            type="tertiary",
            disabled=not 0 <= to < len(keys),
            on_click=here.ask,
            args=("open", str(keys[to % len(keys)])),
        )


def _walk(here: Here, key: Any) -> tuple[Any, ...]:
    """The page of the list that the record was opened from, as it was then: what is done on the way reorders it."""
    kept: tuple[Any, ...] = here.recall("walk") or ()
    if key not in kept:
        with here.connection.reading() as session:
            page = read_page(here.config, session, here.actor, here.view(), here.zone)
        found = tuple(getattr(row, here.config.key) for row in page.rows)
        kept = found if key in found else ()
        here.remember("walk", kept)
    return kept


def _edit(here: Here, raw: str) -> None:
    here.remember("acted", raw)
    here.ask("edit", raw)


def _edited(here: Here) -> None:
    """The form over the record, which is there again once it is closed. One that is refused is asked for no more."""
    forget_left_form(here)
    if here.asked("edit") is None:
        return
    st.html(f"<style>{STYLE}</style>")
    try:
        edit_asked(here)
    except ThanosError as error:
        here.ask("edit", None)
        st.error(marked(error.says), icon=":material/error:")
