"""Above the table: search, filters, order, how many rows there are, and what narrows them, cleared by one click."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import streamlit as st
from sqlmodel import Session

from crm.grid.columns_menu import columns_menu
from crm.grid.counts import Counts
from crm.grid.filter_line import FILTER_WIDTH, Labels, draw_filter, said, unfold_button
from crm.grid.query import Page
from crm.grid.shortcuts import ADD, SEARCH, shortcut
from crm.grid.state import Here, seed
from crm.grid.view import Unread, View, sort_fields
from crm.grid.views_menu import views_menu
from crm.i18n import _, listed, literal, marked, says, says_n

SEARCH_WIDTH = 400


def toolbar(here: Here, view: View, session: Session, counts: Mapping[str, Counts], page: Page | None) -> None:
    """Draws search, filters with what was counted of their choices, order, number and chips. Changes go into the URL.

    `page` is None where it could not be read.
    """
    config = here.config
    with st.container(horizontal=True, vertical_alignment="bottom", key=here.key("top")):
        _top(here, view)
    labels: dict[str, Labels] = {}
    folded = "filters-unfolded" if here.recall("unfolded") else "filters-folded"
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small", key=here.key(folded)):
        for one in config.filters:
            labels[one.name] = draw_filter(here, view, one, session, counts.get(one.name))
        _order(here, view)
    _chips(here, view, labels, page)


def _top(here: Here, view: View) -> None:
    config, form = here.config, here.config.add
    if config.search:
        _search(here, view)
    if form is not None and here.actor.may(form.needs):
        st.button(
            str(form.title),
            key=here.key("add"),
            type="primary",
            icon=":material/add:",
            shortcut=shortcut(config, ADD),
            on_click=here.ask,
            args=("add", ""),
        )
    unfold_button(here, view)
    views_menu(here, view)
    columns_menu(here)


def _search(here: Here, view: View) -> None:
    seed(here.key("q"), view.search)
    st.text_input(
        _("Search"),
        key=here.key("q"),
        type="search",
        placeholder=_placeholder(here),
        icon=":material/search:",
        label_visibility="collapsed",
        width=SEARCH_WIDTH,
        on_change=_searched,
        args=(here,),
    )


def _placeholder(here: Here) -> str:
    text = _("Search: {fields}", fields=listed(_search_labels(here)))
    return f"{text}  [{SEARCH}]" if shortcut(here.config, SEARCH) else text


def _search_labels(here: Here) -> list[str]:
    fields = [one if isinstance(one, str) else one.field for one in here.config.search]
    return list(dict.fromkeys(str(here.config.called_in_head(field)) for field in fields))


def _order(here: Here, view: View) -> None:
    config = here.config
    fields = sort_fields(config)
    orders = [sign + name for name in fields for sign in ("", "-")]
    if config.order not in orders:
        orders.insert(0, config.order)
    if len(orders) < 2:
        return
    seed(here.key("sort"), view.sort, _order_label(here, view.sort))
    st.selectbox(
        _("Order"),
        orders,
        format_func=lambda order: _order_label(here, order),
        key=here.key("sort"),
        width=FILTER_WIDTH,
        on_change=_sorted,
        args=(here, orders),
    )


def _order_label(here: Here, order: str) -> str:
    arrow = "↓" if order.startswith("-") else "↑"
    name = order.removeprefix("-")
    label = str(here.config.label(name, next((c.label for c in here.config.columns if c.name == name), None)))
    return f"{label} {arrow}"


def _chips(here: Here, view: View, labels: Mapping[str, Labels], page: Page | None) -> None:
    config = here.config
    for name, unread in view.unread.items():
        _unread(here, name, unread)
    if not config.filters and not config.search:
        return
    # Always in its place, so that a first filter does not move the table.
    with st.container(horizontal=True, vertical_alignment="center", gap="xsmall", key=here.key("line-of-chips")):
        if page is not None and not view.unread:
            st.caption(_how_many(page), width="content")
        if not view.narrowed and not view.unread:
            return
        if view.search:
            _chip(here, "q", _("Search: {text}", text=view.search))
        for one in config.filters:
            if one.name in view.filters:
                _chip(here, one.name, said(here, view, one, labels[one.name]))
        st.button(_("Clear all"), key=here.key("clear"), type="tertiary", on_click=_cleared, args=(here, None))


def _how_many(page: Page) -> str:
    if page.more:
        return _("More than {count} rows", count=page.total)
    return str(says_n("{count} row", "{count} rows", count=page.total))


def _chip(here: Here, name: str, text: str) -> None:
    short = text if len(text) <= 40 else text[:39] + "…"
    st.button(
        literal(short), key=here.key(f"chip:{name}"), icon=":material/close:", on_click=_cleared, args=(here, name)
    )


def _unread(here: Here, name: str, unread: Unread) -> None:
    one = next((one for one in here.config.filters if one.name == name), None)
    label = str(here.config.label(one.name, one.label)) if one else name
    with st.container(key=here.key(f"unread:{name}"), gap="xsmall"):
        st.error(
            marked(says("{label}: {why} No rows are shown until this is cleared.", label=label, why=unread.why)),
            icon=":material/error:",
        )
        text = _("Clear {label}", label=literal(label))
        st.button(text, key=here.key(f"readable:{name}"), on_click=_cleared, args=(here, name))


def _searched(here: Here) -> None:
    view = here.view()
    here.go(replace(view.readable("q"), search=(here.recall("q") or "").strip(), page=1))


def _sorted(here: Here, orders: Sequence[str]) -> None:
    # Words from before are no order: somebody was quicker than the page.
    if (order := here.recall("sort")) in orders:
        here.go(replace(here.view().readable("sort"), sort=order, page=1))


def clear(here: Here) -> None:
    """Everything that narrows the view is gone; its order stays."""
    _cleared(here, None)


def _cleared(here: Here, name: str | None) -> None:
    """One part of the view, or all of it, back to its default."""
    view = here.view()
    if name is None:
        here.go(View(sort=view.sort, size=view.size))
    elif name in {one.name for one in here.config.filters}:
        here.go(view.filtered(name, None))
    else:
        here.go(replace(view.readable(name), search="" if name == "q" else view.search, page=1))
