"""Above the table: search, filters, order, and what narrows the view as chips, each cleared by one click."""

from dataclasses import replace
from typing import Any

import streamlit as st
from sqlmodel import Session

from crm.grid.fields import path
from crm.grid.filters import AnyOf, DateRange, Filter, NumberRange, Related
from crm.grid.shortcuts import ADD, SEARCH, listen_for_search, shortcut
from crm.grid.state import Here, seed
from crm.grid.view import Unread, View, sort_fields
from crm.i18n import _, literal, marked, says, show

FILTER_WIDTH = 165
SEARCH_WIDTH = 400


def toolbar(here: Here, view: View, session: Session) -> None:
    """Draws search, filters, order and chips. Every change goes into the URL."""
    config = here.config
    labels: dict[str, dict[Any, str]] = {}
    form = config.add
    adds = form is not None and here.actor.may(form.needs)
    if config.search or adds:
        with st.container(horizontal=True, vertical_alignment="bottom", key=here.key("top")):
            if config.search:
                _search(here, view)
            if form is not None and adds:
                st.button(
                    str(form.title),
                    key=here.key("add"),
                    type="primary",
                    icon=":material/add:",
                    shortcut=shortcut(config, ADD),
                    on_click=here.ask,
                    args=("add", ""),
                )
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small", key=here.key("line-of-filters")):
        for one in config.filters:
            labels[one.name] = _filter(here, view, one, session)
        _order(here, view)
        if config.search and shortcut(config, SEARCH):
            listen_for_search(here.key("q"))
    _chips(here, view, labels)


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
    text = _("Search: {fields}", fields=", ".join(_search_labels(here)))
    return f"{text}  [{SEARCH}]" if shortcut(here.config, SEARCH) else text


def _search_labels(here: Here) -> list[str]:
    fields = [(one if isinstance(one, str) else one.field).split(".")[0] for one in here.config.search]
    return [str(here.config.label(field)) for field in fields]


def _filter(here: Here, view: View, one: Filter, session: Session) -> dict[Any, str]:
    label, key = str(here.config.label(one.name, one.label)), here.key(f"filter:{one.name}")
    value = view.filters.get(one.name)
    if isinstance(one, AnyOf | Related):
        offered = {choice: str(text) for choice, text in one.offered(session, here.actor, here.config.model).items()}
        for unknown in value or ():
            offered.setdefault(unknown, f"#{unknown}")
        seed(key, list(value or ()))
        st.multiselect(
            label,
            list(offered),
            format_func=lambda choice: offered.get(choice, str(choice)),
            key=key,
            placeholder=_("All"),
            width=FILTER_WIDTH,
            on_change=_filtered,
            args=(here, one),
        )
        return offered
    if isinstance(one, DateRange):
        days = tuple(day for day in value or () if day is not None)
        # A range cannot be set from outside but by a new widget, so what it shows is in its key.
        key = f"{key}:{one.write(value)[0] if value else ''}"
        st.date_input(
            label,
            value=days,
            key=key,
            format="YYYY-MM-DD",
            width=FILTER_WIDTH + 55,
            on_change=_ranged,
            args=(here, one, key),
        )
    if isinstance(one, NumberRange):
        low, high = value or (None, None)
        step = None if path(here.config.model, one.source).last.kind == "decimal" else 1
        for end, number, name in (("low", low, _("{label} from", label=label)), ("high", high, _("to"))):
            seed(f"{key}:{end}", number)
            st.number_input(
                name, value=None, step=step, key=f"{key}:{end}", width=120, on_change=_filtered, args=(here, one)
            )
    return {}


def _order(here: Here, view: View) -> None:
    config = here.config
    fields = sort_fields(config)
    orders = [sign + name for name in fields for sign in ("", "-")]
    if config.order not in orders:
        orders.insert(0, config.order)
    if len(orders) < 2:
        return
    seed(here.key("sort"), view.sort)
    st.selectbox(
        _("Order"),
        orders,
        format_func=lambda order: _order_label(here, order),
        key=here.key("sort"),
        width=FILTER_WIDTH,
        on_change=_sorted,
        args=(here,),
    )


def _order_label(here: Here, order: str) -> str:
    arrow = "↓" if order.startswith("-") else "↑"
    name = order.removeprefix("-")
    label = str(here.config.label(name, next((c.label for c in here.config.columns if c.name == name), None)))
    return f"{label} {arrow}"


def _chips(here: Here, view: View, labels: dict[str, dict[Any, str]]) -> None:
    config = here.config
    for name, unread in view.unread.items():
        _unread(here, name, unread)
    if not view.narrowed and not view.unread:
        return
    with st.container(horizontal=True, vertical_alignment="center", gap="xsmall", key=here.key("line-of-chips")):
        if view.search:
            _chip(here, "q", _("Search: {text}", text=view.search))
        for one in config.filters:
            if one.name in view.filters:
                value = view.filters[one.name]
                if isinstance(one, AnyOf | Related):
                    text = ", ".join(labels[one.name].get(item, str(item)) for item in value)
                else:
                    text = " – ".join(show(end) for end in value)
                _chip(here, one.name, f"{config.label(one.name, one.label)}: {text}")
        st.button(_("Clear all"), key=here.key("clear"), type="tertiary", on_click=_cleared, args=(here, None))


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
        st.button(
            _("Clear {label}", label=label), key=here.key(f"readable:{name}"), on_click=_cleared, args=(here, name)
        )


def _searched(here: Here) -> None:
    view = here.view()
    here.go(replace(view.readable("q"), search=(here.recall("q") or "").strip(), page=1))


def _sorted(here: Here) -> None:
    here.go(replace(here.view().readable("sort"), sort=here.recall("sort"), page=1))


def _filtered(here: Here, one: Filter) -> None:
    if isinstance(one, NumberRange):
        ends = (here.recall(f"filter:{one.name}:low"), here.recall(f"filter:{one.name}:high"))
        here.go(here.view().filtered(one.name, None if ends == (None, None) else ends))
        return
    value = tuple(here.recall(f"filter:{one.name}") or ())
    here.go(here.view().filtered(one.name, value or None))


def _ranged(here: Here, one: DateRange, key: str) -> None:
    days = tuple(st.session_state.get(key) or ())
    if len(days) != 1:
        here.go(here.view().filtered(one.name, days or None))


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
