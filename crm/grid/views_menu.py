"""The menu of views under a name: open one, keep the present one, overwrite, rename, share, delete.

Only its button is drawn while it is closed.
"""

from collections.abc import Callable
from functools import partial
from typing import Any

import streamlit as st
from sqlmodel import Session

from crm.errors import NotFound
from crm.grid.keeping import Keeping, KeptView
from crm.grid.saved import from_query, to_query
from crm.grid.state import Here, telling
from crm.grid.view import View
from crm.i18n import _, literal, says

OVERWRITE, RENAME, SHARE, UNSHARE, DELETE = "overwrite", "rename", "share", "unshare", "delete"
GONE = says("There is no such view any more.")


def views_menu(here: Here, view: View) -> None:
    """Draws the menu, where the host keeps views and there is something to keep."""
    config, keeping = here.config, here.connection.keeping
    if keeping is None or here.actor.account_id is None or not (config.filters or config.search):
        return
    menu = st.popover(_("Views"), icon=":material/bookmark:", key=here.key("views"), on_change="rerun")
    if menu.open:
        with menu:
            _menu(here, view, keeping)


def _menu(here: Here, view: View, keeping: Keeping) -> None:
    views = _listed(here, keeping)
    query = None if view.unread else to_query(here.config, view)
    for mine, head in ((True, _("My views")), (False, _("Shared by others"))):
        some = [one for one in views if one.mine is mine]
        if some:
            st.caption(head)
        for one in some:
            _row(here, one, one.query == query)
    if not views:
        st.caption(_("A view is a search, filters and an order under a name."))
    with st.form(here.key("view:form"), border=False):
        st.text_input(_("Name of the present view"), key=here.key("view:name"), max_chars=64)
        st.form_submit_button(_("Keep this view"), icon=":material/bookmark_add:", on_click=_save, args=(here,))


def _row(here: Here, one: KeptView, now: bool) -> None:
    asked = here.recall("view:asked")
    if asked == (RENAME, one.id):
        _rename(here, one)
        return
    if asked == (DELETE, one.id):
        _delete(here, one)
        return
    with st.container(horizontal=True, vertical_alignment="center", gap=None):
        st.button(
            literal(one.name),
            key=here.key(f"view:open:{one.id}"),
            icon=":material/check:" if now else ":material/group:" if one.shared else ":material/bookmark:",
            type="tertiary",
            width="stretch",
            help=None if one.mine else _("Shared by {name}", name=literal(one.by)),
            on_click=_open,
            args=(here, one.id),
        )
        can = _can(here, one)
        if can:
            st.menu_button(
                "⋯",
                list(can),
                format_func=lambda what: can.get(what, what),
                key=here.key(f"view:do:{one.id}"),
                type="tertiary",
                help=_("What can be done with this view"),
                on_click=_do,
                args=(here, one),
            )


def _can(here: Here, one: KeptView) -> dict[str, str]:
    """What this person can do with the view, by what it is called."""
    sharing = here.config.share
    made = {OVERWRITE: _("Keep the present view here"), RENAME: _("Rename"), DELETE: _("Delete")} if one.mine else {}
    if sharing and here.actor.may(sharing):
        if one.shared:
            made[UNSHARE] = _("Stop sharing")
        elif one.mine:
            made[SHARE] = _("Share with everybody who may open this table")
    return made


def _rename(here: Here, one: KeptView) -> None:
    with st.form(here.key(f"view:rename:{one.id}"), border=False):
        st.text_input(_("New name"), one.name, key=here.key(f"view:rename-to:{one.id}"), max_chars=64)
        with st.container(horizontal=True):
            st.form_submit_button(_("Rename"), on_click=_renamed, args=(here, one))
            st.form_submit_button(_("Cancel"), on_click=here.remember, args=("view:asked", None))


def _delete(here: Here, one: KeptView) -> None:
    st.markdown(_("Delete the view {name}?", name=literal(one.name)))
    with st.container(horizontal=True):
        st.button(_("Delete"), key=here.key("view:delete"), type="primary", on_click=_deleted, args=(here, one))
        st.button(_("Cancel"), key=here.key("view:keep"), on_click=here.remember, args=("view:asked", None))


def _listed(here: Here, keeping: Keeping) -> list[KeptView]:
    with keeping.reading() as session:
        return list(keeping.views.of_table(session, here.actor, here.config.name, here.config.permission))


def _open(here: Here, view_id: int) -> None:
    """Asks for it again: since the menu was drawn it may be shared no longer, or the person may be another."""
    me = here.again()
    keeping = me.connection.keeping if me is not None else None
    if me is None or keeping is None:
        return
    with telling(me):
        one = next((one for one in _listed(me, keeping) if one.id == view_id), None)
        if one is None:
            raise NotFound(GONE)
        me.go(from_query(me.config, one.query, me.view().size))
        me.remember("views", False)


def _save(here: Here) -> None:
    name = str(here.recall("view:name") or "")

    def saved(me: Here, session: Session, views: Any) -> None:
        views.save(session, me.actor, me.config.name, me.config.permission, name, to_query(me.config, me.view()))
        me.remember("view:name", "")
        me.say(_("This view is kept as {name}.", name=literal(name.strip())))

    _changed(here, saved)


def _do(here: Here, one: KeptView) -> None:
    what = here.recall(f"view:do:{one.id}")
    if what in (RENAME, DELETE):
        here.remember("view:asked", (what, one.id))
    elif what == OVERWRITE:
        _changed(here, partial(_overwritten, one))
    elif what in (SHARE, UNSHARE):
        _changed(here, partial(_shared, one, what == SHARE))


def _overwritten(one: KeptView, me: Here, session: Session, views: Any) -> None:
    query = to_query(me.config, me.view())
    views.overwrite(session, me.actor, me.config.name, me.config.permission, one.id, one.version, query)
    me.say(_("This view is kept as {name}.", name=literal(one.name)))


def _shared(one: KeptView, shared: bool, me: Here, session: Session, views: Any) -> None:
    views.share(session, me.actor, me.config.name, me.config.share, one.id, one.version, shared)


def _renamed(here: Here, one: KeptView) -> None:
    name = str(here.recall(f"view:rename-to:{one.id}") or "")

    def renamed(me: Here, session: Session, views: Any) -> None:
        views.rename(session, me.actor, me.config.name, me.config.permission, one.id, one.version, name)
        me.remember("view:asked", None)

    _changed(here, renamed)


def _deleted(here: Here, one: KeptView) -> None:
    here.remember("view:asked", None)

    def deleted(me: Here, session: Session, views: Any) -> None:
        views.delete(session, me.actor, me.config.name, me.config.permission, one.id, one.version)
        me.say(_("The view is deleted."))

    _changed(here, deleted)


def _changed(here: Here, change: Callable[[Here, Session, Any], None]) -> None:
    """Runs it for the person as of now, in one transaction; what it is refused for is told."""
    me = here.again()
    keeping = me.connection.keeping if me is not None else None
    if me is None or keeping is None:
        return
    with telling(me), keeping.writing() as session:
        change(me, session, keeping.views)
