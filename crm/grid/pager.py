"""Below the table: how many there are, the pages, and how many rows a page has."""

from dataclasses import replace
from typing import Literal

import streamlit as st

from crm.grid.query import Page, last_page
from crm.grid.state import Here, seed
from crm.grid.view import View
from crm.i18n import _, show

MOST_NUMBERS = 5
ROOM = 240
"""Pixels in which the component shows so many numbers; where it finds less, it leaves out even the second of two."""


def pager(here: Here, view: View, page: Page) -> None:
    """Draws count, pages and page size, one beside the other. Every change goes into the URL."""
    config = here.config
    if not page.rows and page.number == 1:
        return
    first = (page.number - 1) * view.size + 1
    total = f"{show(page.total)}+" if page.more else show(page.total)
    st.caption(
        _("{first} to {last} of {total}", first=first, last=first + len(page.rows) - 1, total=total),
        width="content",
    )
    pages = last_page(page, view.size)
    if pages > 1:
        # A new widget a page: its place cannot be set from outside.
        key = here.key(f"page:{view.size}:{page.number}:{pages}")
        st.pagination(
            pages,
            default=page.number,
            key=key,
            max_visible_pages=MOST_NUMBERS,
            width=room_for(pages),
            on_change=_turned,
            args=(here, key),
        )
    if page.total > min(config.page_sizes):
        seed(here.key("size"), view.size)
        st.selectbox(
            _("Rows a page"),
            config.page_sizes,
            key=here.key("size"),
            width=90,
            label_visibility="collapsed",
            on_change=_sized,
            args=(here,),
        )


def room_for(pages: int) -> int | Literal["content"]:
    """How wide the numbers of so many pages are. Few ask for more than they fill, so that none is left out."""
    return ROOM if pages < MOST_NUMBERS else "content"


def _turned(here: Here, key: str) -> None:
    here.go(replace(here.view(), page=int(st.session_state[key])))


def _sized(here: Here) -> None:
    here.go(replace(here.view(), size=here.recall("size"), page=1))
