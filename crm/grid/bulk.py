"""The bar above the table: what is chosen, the actions for it, and the way out as a file."""

from typing import Any

import streamlit as st

from crm.grid.acting import Every, Row, Ticked
from crm.grid.asking import ask
from crm.grid.choosing import choose_every, every, tick, untick
from crm.grid.export_dialog import ask_for_file
from crm.grid.frame import Shown, permitted
from crm.grid.query import Page
from crm.grid.state import Here
from crm.grid.view import View
from crm.i18n import _, says_n, show


def bar(here: Here, ticked: frozenset[Any], shown: Shown, view: View, page: Page) -> None:
    """The actions for what is chosen. Always in its place, so that a first tick does not move the table."""
    actions = permitted(here.config, here.actor)
    exports = bool(here.config.export) and here.actor.may(here.config.export)
    if not actions and not exports:
        return
    drawn = zip(shown.snapshot.ids, shown.snapshot.versions, strict=True)
    rows = tuple(Row(row, shown.names[row], version) for row, version in drawn if row in ticked)
    chosen = Every(view) if every(here) else Ticked(rows)
    with st.container(horizontal=True, vertical_alignment="center", key=here.key("line-of-actions")):
        for action in actions:
            st.button(
                str(action.label),
                key=here.key(f"act:{action.name}"),
                icon=action.icon,
                disabled=not rows,
                on_click=ask,
                args=(here, action.name, chosen),
            )
        if actions:
            _chosen(here, rows, shown.snapshot.ids, view, page)
        if exports:
            st.button(
                _("Export"),
                key=here.key("export"),
                icon=":material/download:",
                help=_("All that match, as a file for Excel."),
                on_click=ask_for_file,
                args=(here, view),
            )


def _chosen(here: Here, rows: tuple[Row, ...], ids: tuple[Any, ...], view: View, page: Page) -> None:
    """How many are chosen, and how to choose more or none."""
    total = f"{show(page.total)}+" if page.more else show(page.total)
    if every(here):
        st.markdown(_("All **{total}** that match are chosen", total=total), width="content")
        st.button(_("Choose none"), key=here.key("untick"), type="tertiary", on_click=untick, args=(here,))
        return
    if rows:
        st.markdown(str(says_n("**{count}** ticked", "**{count}** ticked", count=len(rows))), width="content")
        st.button(_("Untick all"), key=here.key("untick"), type="tertiary", on_click=untick, args=(here,))
    else:
        st.caption(_("Tick rows to choose them."), width="content")
    here_all = frozenset(ids)
    if len(rows) < len(ids):
        label = _("Tick all on this page")
        st.button(label, key=here.key("tick"), type="tertiary", on_click=tick, args=(here, here_all))
    if rows and page.total > len(ids):
        label = _("Choose all {total} that match", total=total)
        args = (here, view, here_all)
        st.button(label, key=here.key("every-one"), type="tertiary", on_click=choose_every, args=args)
