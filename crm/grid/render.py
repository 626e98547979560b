"""`render_table`: one declaration drawn for one person."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import streamlit as st

from crm.errors import ThanosError, Unavailable
from crm.grid.account import did_line, ran_line
from crm.grid.action_dialog import action_dialog
from crm.grid.bulk import bar
from crm.grid.choosing import hold_choice
from crm.grid.columns_menu import left_out
from crm.grid.config import DELETING, TableConfig
from crm.grid.counts import counted
from crm.grid.deleting import heed
from crm.grid.editor import editor, ticked, undo_button
from crm.grid.export_dialog import export_dialog
from crm.grid.forms import add_dialog, edit_asked, required
from crm.grid.frame import shown
from crm.grid.outcome import outcome
from crm.grid.pager import pager
from crm.grid.query import has_rows, read_page
from crm.grid.record import record
from crm.grid.shortcuts import SEARCH, listen_for_search, shortcut, take_keys
from crm.grid.state import Here, dialog_is_open
from crm.grid.style import STYLE
from crm.grid.toolbar import clear, toolbar
from crm.grid.turns import turn
from crm.grid.view import as_it_begins
from crm.grid.visits import forget_last_visit, forget_left_form, hold_form
from crm.i18n import _, marked
from crm.rbac import Actor


def render_table(config: TableConfig, actor: Actor, *, detail: Callable[[Actor, Any], None] | None = None) -> None:
    """Draws the table as `actor` may see and change it: the list, or the record that `?open=ID` names.

    `detail` draws that record, for pages whose record is drawn by what a declaration may not import.
    Raises `NotAllowed` unless the actor has the table's permission.
    """
    actor.looking().require(config.permission)
    here = Here.now(replace(config, detail=detail) if detail else config, actor)
    forget_last_visit(here)
    opened = here.asked("open")
    if opened is not None and here.config.detail is not None:
        record(here, opened)
        return
    here.remember("fresh", True)
    here.remember("walk", None)
    here.remember("columns:chosen", None)
    take_keys(config)
    _around(here)
    _table(here)


def _around(here: Here) -> None:
    """What stays as it is while the table is drawn again and again, and so is sent once."""
    st.html(f"<style>{STYLE}</style>")
    if here.config.search and shortcut(here.config, SEARCH):
        listen_for_search(here.key("q"))


@st.fragment
def _table(drawn: Here) -> None:
    # The page has just checked the person when it is the page that draws; a fragment alone asks again.
    here = drawn if st.session_state.pop(drawn.key("fresh"), False) else drawn.again()
    if here is None or st.session_state.pop(drawn.key("leave"), False):
        st.rerun(scope="app")
    here.told()
    # Dialogs first: what is wrong with the address is read above the table. One may work for minutes, out of turn.
    for part in (_dialogs, turn()(_list)):
        try:
            part(here)
        except Unavailable as error:
            st.error(marked(error.says), icon=":material/error:")
            # Pressed, it draws the table again.
            st.button(_("Try again"), key=here.key("again"), icon=":material/refresh:")
            return
        except ThanosError as error:
            st.error(marked(error.says), icon=":material/error:")


def _list(here: Here) -> None:
    view = here.view()
    config = here.config
    hidden = left_out(here)
    # Said only where it takes half a second, on top of what stands there: nothing moves.
    waiting = st.container(key=here.key("reading")).spinner(_("Reading the rows..."))
    with waiting, here.connection.reading() as session:
        try:
            page = read_page(config, session, here.actor, view, here.zone)
        except ThanosError:
            # What cannot be read can be narrowed or cleared all the same.
            toolbar(here, view, session, {}, None)
            raise
        toolbar(here, view, session, counted(config, session, here.actor, view, here.zone, page), page)
        hold_choice(here, view, page)
        begun = not page.rows and as_it_begins(config, view)
        elsewhere = begun and has_rows(config, session, here.actor)
        drawing = shown(config, session, here.actor, page.rows, ticked(here), here.connection.now(), hidden)
    outcome(here, dict(drawing.names))
    did_line(here)
    ran_line(here)
    if page.rows:
        bar(here, ticked(here), drawing, view, page)
        editor(here, drawing)
        with st.container(horizontal=True, vertical_alignment="center"):
            pager(here, view, page)
            undo_button(here)
    elif not view.unread:
        _nothing(here, view.narrowed and not begun, elsewhere)


def _nothing(here: Here, narrowed: bool, elsewhere: bool) -> None:
    """No row: why, and the button that helps. `elsewhere`: there are some, beside what the table begins with."""
    form = here.config.add
    with st.container(border=True, horizontal_alignment="center", key=here.key("empty")):
        if narrowed or elsewhere:
            st.markdown(
                _("Nothing matches. Clear a filter or search for something else.")
                if narrowed
                else _("Nothing with the filter that this list begins with. There is something without it.")
            )
            name = _("Clear all") if narrowed else _("Show all")
            st.button(name, key=here.key("empty-clear"), on_click=clear, args=(here,))
            return
        st.markdown(str(here.config.empty))
        if form is not None and here.actor.may(form.needs):
            st.button(
                str(form.title), key=here.key("empty-add"), icon=":material/add:", on_click=here.ask, args=("add", "")
            )


def _dialogs(here: Here) -> None:
    config = here.config
    forget_left_form(here)
    if dialog_is_open():
        # Of two that the address asks for, the other opens once the first is closed.
        return
    if config.delete is not None:
        if here.asked(DELETING) is not None:
            required(here, config.delete.needs)
        heed(here)
    if here.recall("acting") is not None:
        action_dialog(here)
    elif here.recall("exporting") is not None:
        export_dialog(here)
    elif here.asked("add") is not None and config.add is not None:
        required(here, config.add.needs)
        hold_form(here, "add")
        add_dialog(here, config.add)
    else:
        edit_asked(here)
