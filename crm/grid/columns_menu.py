"""The chooser of columns: which of them this person sees in this table, on any machine.

Only its button is drawn while it is closed.
"""

import streamlit as st

from crm.grid.seeing import hidden, may_hide
from crm.grid.state import Here, seed, telling
from crm.i18n import _


def left_out(here: Here) -> frozenset[str]:
    """The columns that are not drawn. Asked of the host once a page, not with every drawing."""
    return hidden(here.config, here.actor, _chosen(here))


def columns_menu(here: Here) -> None:
    """Draws the chooser, where the host keeps what is chosen and there is anything to choose."""
    columns = may_hide(here.config, here.actor)
    if here.connection.keeping is None or here.actor.account_id is None or len(columns) < 2:
        return
    menu = st.popover(_("Columns"), icon=":material/view_column:", key=here.key("columns"), on_change="rerun")
    if not menu.open:
        return
    out = left_out(here)
    with menu:
        for column in columns:
            key = here.key(f"column:{column.name}")
            seed(key, column.name not in out)
            label = str(here.config.label(column.name, column.label))
            st.checkbox(label, key=key, on_change=_toggled, args=(here, column.name))
        if _chosen(here):
            st.button(_("As at first"), key=here.key("columns:reset"), type="tertiary", on_click=_keep, args=(here, {}))


def _chosen(here: Here) -> dict[str, bool]:
    known: dict[str, bool] | None = here.recall("columns:chosen")
    keeping = here.connection.keeping
    if known is None and keeping is not None and here.actor.account_id is not None:
        with keeping.reading() as session:
            known = dict(keeping.columns.of_table(session, here.actor, here.config.name, here.config.permission))
        here.remember("columns:chosen", known)
    return known or {}


def _toggled(here: Here, name: str) -> None:
    wanted = {**_chosen(here), name: bool(here.recall(f"column:{name}"))}
    declared = {column.name: not column.hidden for column in may_hide(here.config, here.actor)}
    # What is as declared is not kept, so that it follows the declaration; nor is what the table has no more.
    _keep(here, {one: shown for one, shown in wanted.items() if shown is not declared.get(one, shown)})


def _keep(here: Here, chosen: dict[str, bool]) -> None:
    me = here.again()
    keeping = me.connection.keeping if me is not None else None
    if me is None or keeping is None:
        return
    with telling(me), keeping.writing() as session:
        keeping.columns.keep(session, me.actor, me.config.name, me.config.permission, chosen)
        me.remember("columns:chosen", chosen)
        me.keep(me.memory.renewed())
