"""Roles as things to manage: what each may do, on which rows, and who may do something because of them.

Nobody gives away what they do not have, and somebody must always remain who can give everything back.
"""

import re
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, col

from crm.domain.accounts import Account
from crm.errors import Conflict, Invalid, NotAllowed, NotFound, Refused
from crm.i18n import LANGUAGES, Says, read_in, says, says_n
from crm.rbac import Actor, Grants, Reach, narrowed
from crm.rbac import store as rbac
from crm.rbac.tables import Role
from crm.services.access import audit, powers
from crm.services.access.permissions import PAGES, SYSTEM, install_roles, may_as_much

VIEW, EDIT, SEE_AS = "permissions.view", "permissions.edit", "permissions.see_as"
TITLE_LENGTH = 64
_CHANGED = says("Somebody else changed this role since you saw it.")
_THERE = says("There is a role of this name already.")


@dataclass(frozen=True, slots=True)
class RoleNow:
    """A role as it is now, with how many people have it."""

    id: int
    name: str
    title: Says
    built_in: bool
    version: int
    grants: Grants
    people: int


@dataclass(frozen=True, slots=True)
class Change:
    """One permission of a role before and after; None is not granted."""

    permission: str
    before: Reach | None
    after: Reach | None


@dataclass(frozen=True, slots=True)
class Holder:
    """Somebody who may do something: how far, and by which roles."""

    name: str
    display_name: str
    reach: Reach
    roles: tuple[Says, ...]


def all_roles(session: Session, actor: Actor) -> list[RoleNow]:
    """Every role, in order of their making. Raises `NotAllowed`."""
    actor.require(VIEW)
    people = rbac.people_by_role(session)
    return [_now(session, role, people) for role in session.scalars(select(Role).order_by(col(Role.id)))]


def changes(before: Grants, wanted: Mapping[str, Reach | None]) -> tuple[Change, ...]:
    """What would change, permission by permission: the preview, and what is written."""
    return tuple(
        Change(name, before.get(name), reach) for name, reach in wanted.items() if before.get(name) is not reach
    )


def save(
    session: Session, actor: Actor, role_id: int, version: int, wanted: Mapping[str, Reach | None], now: datetime
) -> int:
    """Sets these permissions of a role, seen at `version`; returns the new version. It counts from the next click on.

    Raises `Conflict` (with what the role grants now), `NotFound`, `NotAllowed` for what the actor does not have
    themselves, and `Refused` where nobody would be left to administer.
    """
    role = _to_change(session, actor, role_id, version, wanted)
    before = rbac.grants_of_role(session, role_id)
    made = changes(before, {PAGES.check(name): reach for name, reach in wanted.items()})
    if not made:
        return version
    after = {**before, **{one.permission: one.after for one in made if one.after is not None}}
    if not _may_give(actor, before) or not _may_give(actor, after):
        raise _more_than_oneself(role_id)
    holding = powers.active_holders(session)
    _step(session, role, version)
    rbac.change_grants(session, role_id, {one.permission: one.after for one in made})
    powers.keep_somebody(session, holding)
    _record(
        session,
        actor,
        role,
        {one.permission: _written(one.before) for one in made},
        {one.permission: _written(one.after) for one in made},
        now,
    )
    return version + 1


def install(session: Session, now: datetime) -> None:
    """`install_roles`, and what an upgrade gave or took is in the audit log, as done by the system."""
    done = install_roles(session)
    if done is not None:
        before = {**dict.fromkeys(done.given), **{name: _written(reach) for name, reach in done.lost.items()}}
        after = {**{name: _written(reach) for name, reach in done.given.items()}, **dict.fromkeys(done.lost)}
        _record(session, SYSTEM, _found(session, done.role_id), before, after, now)


def create(session: Session, actor: Actor, title: str, now: datetime, *, copy_of: int | None = None) -> int:
    """A new role that may do nothing, or what another may; its id.

    Raises `Invalid` (title), `NotFound`, `NotAllowed`.
    """
    actor.require(EDIT)
    grants: Grants = {}
    if copy_of is not None:
        grants = rbac.grants_of_role(session, _id(_found(session, copy_of)))
    if not _may_give(actor, grants):
        raise _more_than_oneself(copy_of)
    title = _free_title(session, title)
    name = re.sub(r"\W+", "_", title.lower()).strip("_")
    if not name or rbac.role_named(session, name) is not None:
        raise Invalid.of({"title": _THERE})
    try:
        with session.begin_nested():
            key = rbac.add_role(session, name, says("{text}", text=title), grants)
    except IntegrityError as error:
        # Somebody made it a moment earlier.
        raise Invalid.of({"title": _THERE}) from error
    after = {"role": name, **{permission: _written(reach) for permission, reach in grants.items()}}
    audit.record(session, actor, EDIT, "role", key, None, after, now)
    return key


def rename(session: Session, actor: Actor, role_id: int, version: int, title: str, now: datetime) -> int:
    """Another title; the name that commands use stays. Returns the new version.

    Raises `Conflict`, `Invalid` (title), `NotFound`, `NotAllowed`.
    """
    role = _to_change(session, actor, role_id, version, {})
    title = _free_title(session, title, role)
    before = str(Says.loaded(role.title))
    _step(session, role, version)
    role = _found(session, role_id)
    role.title = says("{text}", text=title).stored()
    session.flush()
    _record(session, actor, role, {"title": before}, {"title": title}, now)
    return version + 1


def delete(session: Session, actor: Actor, role_id: int, version: int, now: datetime) -> None:
    """Removes a role that nobody has. Raises `Refused` where somebody has it, `Conflict`, `NotFound`, `NotAllowed`."""
    role = _to_change(session, actor, role_id, version, {})
    _step(session, role, version)
    people = rbac.people_by_role(session).get(role_id, 0)
    if people:
        raise Refused(
            says_n(
                "{count} person has this role. Give them another one first.",
                "{count} people have this role. Give them another one first.",
                count=people,
            )
        )
    grants = rbac.grants_of_role(session, role_id)
    before = {"role": role.name, **{permission: _written(reach) for permission, reach in grants.items()}}
    session.delete(role)
    session.flush()
    audit.record(session, actor, EDIT, "role", role_id, before, None, now)


def who_may(session: Session, actor: Actor, permission: str) -> list[Holder]:
    """Everybody active to whom the permission is granted, by name. Raises `Misconfigured` for one not declared."""
    actor.require(VIEW)
    by_account = rbac.holders_by_role(session, PAGES.check(permission))
    people = session.scalars(
        select(Account).where(col(Account.active), col(Account.id).in_(by_account)).order_by(col(Account.name))
    )
    return [
        Holder(
            person.name,
            person.display_name or person.name,
            max(reach for _title, reach in by_account[person.id]),
            tuple(Says.loaded(title) for title, _reach in by_account[person.id]),
        )
        for person in people
        if person.id is not None
    ]


def seen_as(session: Session, actor: Actor, role_id: int) -> Actor:
    """The same person with the eyes of a role: what that role may look at, as far as they may themselves.

    What it may do beside that only opens what there is to see for it. Nothing can be changed this way. Raises
    `NotFound` (no such role any more), `NotAllowed`.
    """
    actor.require(SEE_AS)
    role = _found(session, role_id)
    looks, does = narrowed(actor.grants, rbac.grants_of_role(session, role_id), PAGES.only_looks)
    return replace(actor, grants=looks, shown=does, roles=(role.name,), seeing_as=role.title)


def note_seeing(session: Session, actor: Actor, role_id: int, begins: bool, now: datetime) -> None:
    """Keeps in the audit log that somebody began, or ended, to look through the eyes of a role."""
    actor.require(SEE_AS)
    role = _found(session, role_id)
    seeing = {"role": role.name}
    audit.record(session, actor, SEE_AS, "role", role_id, None if begins else seeing, seeing if begins else None, now)


def _now(session: Session, role: Role, people: Mapping[int, int]) -> RoleNow:
    key = _id(role)
    return RoleNow(
        key,
        role.name,
        Says.loaded(role.title),
        role.built_in,
        role.version,
        rbac.grants_of_role(session, key),
        people.get(key, 0),
    )


def _found(session: Session, role_id: int) -> Role:
    role = session.get(Role, role_id, populate_existing=True)
    if role is None:
        raise NotFound(says("This role is gone."))
    return role


def _to_change(session: Session, actor: Actor, role_id: int, version: int, wanted: Mapping[str, Reach | None]) -> Role:
    """The role, if it is as it was seen and this person may change it."""
    actor.require(EDIT)
    role = _found(session, role_id)
    grants = rbac.grants_of_role(session, role_id)
    if role.version != version:
        raise Conflict(_CHANGED, {name: grants.get(name) for name in wanted})
    if not _may_give(actor, grants):
        raise _more_than_oneself(role_id)
    return role


def _step(session: Session, role: Role, version: int) -> None:
    if not rbac.step_version(session, _id(role), version):
        raise Conflict(_CHANGED)


def _may_give(actor: Actor, grants: Grants) -> bool:
    return actor is SYSTEM or (actor.reach(EDIT) is Reach.ALL and may_as_much(actor, grants))


def _more_than_oneself(role_id: int | None) -> NotAllowed:
    return NotAllowed(
        says("Nobody gives or takes what they may not do themselves ({action}).", action=EDIT), EDIT, role_id
    )


def _free_title(session: Session, title: str, but: Role | None = None) -> str:
    title = unicodedata.normalize("NFKC", title).strip()
    if not 2 <= len(title) <= TITLE_LENGTH:
        raise Invalid.of({"title": says("A role's name has 2 to {count} characters.", count=TITLE_LENGTH)})
    # Held, so that of two who call roles alike at once the second reads what the first did.
    every = select(Role).order_by(col(Role.id)).with_for_update()
    for role in session.scalars(every, execution_options={"populate_existing": True}):
        # In whatever language: another reader would see two roles of one name.
        if role is not but and title.lower() in {one.lower() for one in _titles(role)}:
            raise Invalid.of({"title": _THERE})
    return title


def _titles(role: Role) -> Iterator[str]:
    """The role's title in every language."""
    for one in LANGUAGES:
        with read_in(one):
            yield str(Says.loaded(role.title))


def _record(
    session: Session, actor: Actor, role: Role, before: Mapping[str, object], after: Mapping[str, object], now: datetime
) -> None:
    named = {"role": role.name}
    audit.record(session, actor, EDIT, "role", role.id, {**named, **before}, {**named, **after}, now)


def _written(reach: Reach | None) -> str | None:
    return reach.name.lower() if reach is not None else None


def _id(role: Role) -> int:
    assert role.id is not None
    return role.id
