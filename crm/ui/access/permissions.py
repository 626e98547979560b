"""The permissions page: the matrix, changing it, the roles themselves, and who may do what."""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TypeVar

import pandas as pd
import streamlit as st

from crm.errors import Conflict, ThanosError
from crm.grid.state import stay_chosen
from crm.i18n import Says, _, labelled, listed, literal, marked, says, says_n
from crm.rbac import Actor, Grants, Page, Reach
from crm.services.access import roles
from crm.services.access.permissions import PAGES
from crm.services.access.roles import Change, RoleNow
from crm.store.session import reading
from crm.ui.access.offers import offers
from crm.ui.session import now, see_as, writing_as

T = TypeVar("T")
DRAFTS, SAID = "permissions:drafts", "permissions:said"
REACHES: Mapping[Reach | None, Says] = {
    None: says("Not"),
    Reach.OWN: says("Own"),
    Reach.DEPARTMENT: says("Department"),
    Reach.ALL: says("All"),
}
COLOURS = {Reach.OWN: "orange", Reach.DEPARTMENT: "blue", Reach.ALL: "green"}

# However narrow the screen: the page of a row is read on one line, and stays while one moves to the last role.
STYLE = """<style>
[class*="st-key-permissions-matrix"] th p { white-space: nowrap !important; }
[class*="st-key-permissions-matrix"] tbody th { position: sticky; left: 0; z-index: 1; backdrop-filter: blur(24px); }
</style>"""


@dataclass
class Draft:
    """A role as it was seen, and what somebody wants of it and did not save yet, whichever page they look at."""

    seen: RoleNow
    wanted: dict[str, Reach | None] = field(default_factory=dict)

    @property
    def made(self) -> tuple[Change, ...]:
        """What would change."""
        return roles.changes(self.seen.grants, self.wanted)


def permissions(actor: Actor) -> None:
    """The whole page, as far as `actor` may go."""
    said = st.session_state.pop(SAID, None)
    if said is not None:
        st.toast(marked(said), icon=":material/check:")
    with reading() as session:
        known = roles.all_roles(session, actor)
    if actor.may(roles.EDIT):
        left_out = offers(actor, known, _lines, _take)
        if left_out is not None:
            _say(left_out)
    matrix(known)
    if actor.may(roles.EDIT):
        st.subheader(_("Change"), anchor=False)
        with st.container(border=True):
            editor(actor, known)
    left, right = st.columns(2, gap="large")
    with left:
        st.subheader(_("Roles"), anchor=False)
        the_roles(actor, known)
    with right:
        st.subheader(_("Who may see this"), anchor=False)
        who(actor)


def matrix(known: list[RoleNow]) -> None:
    """Pages as rows, roles as columns; in each cell the actions, coloured by their reach."""
    st.html(STYLE)
    st.markdown(" ".join(f":{colour}-badge[{REACHES[reach]}]" for reach, colour in COLOURS.items()))
    titles = Counter(str(role.title) for role in known)
    # By name too where two read alike: no column takes the place of another.
    cells = {
        literal(str(role.title)) + (f" ({role.name})" if titles[str(role.title)] > 1 else ""): [
            _cell(page, role.grants) for page in PAGES
        ]
        for role in known
    }
    with st.container(key="permissions-matrix"):
        st.table(pd.DataFrame(cells, index=[str(page.title) for page in PAGES]))


def _cell(page: Page, grants: Grants) -> str:
    return " ".join(
        f":{COLOURS[reach]}-badge[{label}]"
        for action, label in page.actions.items()
        if (reach := grants.get(f"{page.name}.{action}")) is not None
    )


def editor(actor: Actor, known: list[RoleNow]) -> None:
    """One role on one page: reach by action, what would change on all of its pages, and saving it."""
    by_id = {role.id: role for role in known}
    with st.container(horizontal=True):
        role_id = _box(_("Role"), list(by_id), lambda key: str(by_id[key].title), "permissions:role")
        name = _box(_("Page"), list(PAGES.pages), lambda key: str(PAGES.pages[key].title), "permissions:page")
    if role_id not in by_id or name not in PAGES.pages:
        return
    drafts: dict[int, Draft] = st.session_state.setdefault(DRAFTS, {})
    draft = drafts.setdefault(role_id, Draft(by_id[role_id]))
    for action, label in PAGES.pages[name].actions.items():
        permission = f"{name}.{action}"
        draft.wanted[permission] = _reach(draft, permission, label)
    stale = draft.seen.version != by_id[role_id].version
    if stale and not draft.made:
        _forget(role_id)
        st.rerun()
    if stale:
        now_there = {one: by_id[role_id].grants.get(one) for one in PAGES.permissions}
        _conflict(role_id, roles.changes(draft.seen.grants, now_there))
    elif draft.made:
        _preview(draft.seen, draft.made)
        with st.container(horizontal=True):
            if st.button(_("Save"), key="permissions:save", type="primary", icon=":material/check:"):
                _save(actor, draft)
            st.button(_("Discard"), key="permissions:discard", on_click=_forget, args=(role_id,))
    else:
        st.caption(_("Choose another reach to see what would change."))
    others = [by_id[key].title for key, one in drafts.items() if key != role_id and key in by_id and one.made]
    if others:
        st.caption(_("Changed and not saved yet: {roles}", roles=listed(map(marked, others))))


def _reach(draft: Draft, permission: str, label: Says) -> Reach | None:
    role = draft.seen
    chosen = st.segmented_control(
        str(label),
        [0, *Reach],
        default=draft.wanted.get(permission, role.grants.get(permission)) or 0,
        required=True,
        format_func=lambda reach: str(REACHES[Reach(reach) if reach else None]),
        key=f"permissions:{role.id}:{role.version}:{permission}",
    )
    return Reach(chosen) if chosen else None


def _preview(role: RoleNow, made: tuple[Change, ...]) -> None:
    st.markdown(
        marked(
            says_n(
                "For **{role}** ({count} person), from their next click on:",
                "For **{role}** ({count} people), from their next click on:",
                count=role.people,
                role=role.title,
            )
        )
    )
    st.markdown(_lines(made))


def _lines(made: tuple[Change, ...]) -> str:
    lines = []
    for one in made:
        page, _dot, action = one.permission.partition(".")
        declared = PAGES.pages[page]
        lines.append(
            f"- {declared.title}: {declared.actions[action]}: {REACHES[one.before]} → **{REACHES[one.after]}**"
        )
    return "\n".join(lines)


def _conflict(role_id: int, theirs: tuple[Change, ...]) -> None:
    st.warning(_("Somebody else changed this role since you saw it."), icon=":material/sync_problem:")
    st.markdown(_lines(theirs))
    st.button(_("Start again from what is there now"), key="permissions:again", on_click=_forget, args=(role_id,))


def _forget(role_id: int) -> None:
    """What was wanted of that role is wanted no more."""
    draft = st.session_state.get(DRAFTS, {}).pop(role_id, None)
    for permission in draft.wanted if draft else ():
        st.session_state.pop(f"permissions:{role_id}:{draft.seen.version}:{permission}", None)


def _take(role: RoleNow, grants: Mapping[str, Reach]) -> None:
    """What is offered for a role is wanted of it: the preview shows it, and nothing is saved yet."""
    drafts: dict[int, Draft] = st.session_state.setdefault(DRAFTS, {})
    draft = drafts.setdefault(role.id, Draft(role))
    draft.wanted.update(grants)
    for permission in grants:
        # The control that shows it begins with what is wanted now.
        st.session_state.pop(f"permissions:{role.id}:{draft.seen.version}:{permission}", None)
    st.session_state["permissions:role"] = role.id
    st.session_state["permissions:page"] = next(iter(grants)).partition(".")[0]
    # The preview is farther down than the button.
    st.session_state[SAID] = says("It stands under Change now, and is not saved yet.")


def _save(actor: Actor, draft: Draft) -> None:
    seen = draft.seen
    try:
        with writing_as(actor) as (session, me):
            roles.save(session, me, seen.id, seen.version, {one.permission: one.after for one in draft.made}, now())
    except Conflict:
        st.rerun()
    except ThanosError as error:
        st.error(marked(error.says), icon=":material/error:")
        return
    _forget(seen.id)
    _say(says("Saved. It counts from the next click on."))


def the_roles(actor: Actor, known: list[RoleNow]) -> None:
    """Make, copy, rename and delete roles, and look through the eyes of one."""
    by_id = {role.id: role for role in known}
    role_id = _box(_("Role"), list(by_id), lambda key: _with_people(by_id[key]), "roles:role")
    role = by_id.get(role_id)
    if role is None:
        return
    if actor.may(roles.SEE_AS) and st.button(
        _("See the app as this role"), key="roles:see", icon=":material/visibility:"
    ):
        see_as(actor, role.id)
        st.switch_page("pages/home.py")
    if not actor.may(roles.EDIT):
        return
    title = st.text_input(_("Name of the role"), key="roles:title", max_chars=roles.TITLE_LENGTH)
    with st.container(horizontal=True):
        made = st.button(_("New, may do nothing yet"), key="roles:new", disabled=not title)
        copied = st.button(_("Copy this role"), key="roles:copy", disabled=not title)
        renamed = st.button(_("Rename"), key="roles:rename", disabled=not title)
        deleted = st.button(_("Delete"), key="roles:delete", disabled=role.people > 0)
    if not (made or copied or renamed or deleted):
        return
    try:
        with writing_as(actor) as (session, me):
            if made or copied:
                roles.create(session, me, title, now(), copy_of=role.id if copied else None)
            elif renamed:
                roles.rename(session, me, role.id, role.version, title, now())
            else:
                roles.delete(session, me, role.id, role.version, now())
    except ThanosError as error:
        st.error(marked(error.says), icon=":material/error:")
        return
    if not (made or copied):
        _forget(role.id)
    _say(says("Deleted.") if deleted else says("Saved."))


def who(actor: Actor) -> None:
    """Everybody who may open a page, or do something there, and by which roles."""
    permission = _box(_("Page and action"), list(PAGES.permissions), _named, "permissions:who")
    if permission is None:
        return
    with reading() as session:
        found = roles.who_may(session, actor, permission)
    if not found:
        st.caption(_("Nobody."))
        return
    st.dataframe(
        pd.DataFrame(
            {
                _("Person"): [one.display_name for one in found],
                _("Reach"): [str(REACHES[one.reach]) for one in found],
                _("Roles"): [listed(one.roles) for one in found],
            }
        ),
        hide_index=True,
    )


def _named(permission: str) -> str:
    page, _dot, action = permission.partition(".")
    return labelled(PAGES.pages[page].title, PAGES.pages[page].actions[action])


def _with_people(role: RoleNow) -> str:
    return str(says_n("{role} ({count} person)", "{role} ({count} people)", role=role.title, count=role.people))


def _box(label: str, options: list[T], show: Callable[[T], str], key: str) -> T:
    """A box to choose from, whose choice stays where the words of it change: its language, its title, its count."""
    stay_chosen(key, options, show)
    return st.selectbox(label, options, format_func=show, key=key)


def _say(said: Says) -> None:
    st.session_state[SAID] = said
    st.rerun()
