"""One notice: all of it, and the way to what it speaks of. Opening it is reading it."""

from urllib.parse import parse_qs, urlsplit

import streamlit as st

from crm.i18n import Says, _, marked, show
from crm.rbac import Actor
from crm.services.notices import notices
from crm.store.session import reading
from crm.ui.session import now, writing_as
from crm.ui.shell import screens


def notice(actor: Actor, notice_id: int) -> None:
    """Draws the notice for the person that it was for. Raises `NotFound`."""
    with reading() as session:
        told = notices.one(session, actor, notice_id)
    if told.read_at is None and not actor.seeing_as:
        with writing_as(actor) as (session, me):
            notices.mark_read(session, me, [notice_id], now())
        # The navigation counts one less.
        st.rerun()
    st.header(marked(Says.loaded(told.title)), anchor=False)
    st.caption(show(told.created_at))
    st.write(marked(Says.loaded(told.body)))
    _way(told.link, actor)


def _way(link: str, actor: Actor) -> None:
    parts = urlsplit(link)
    for screen in screens():
        if f"/{screen.slug}" == parts.path and (screen.needs is None or actor.may(screen.needs)):
            st.page_link(
                screen.file,
                label=_("Go to {page}", page=screen.heading),
                icon=f":material/{screen.icon}:",
                query_params=parse_qs(parts.query) or None,
            )
