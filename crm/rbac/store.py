"""Roles and grants in the database: read in one query, written row by row."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from sqlalchemy import Select, bindparam, delete, func, insert, select, update
from sqlalchemy.engine import CursorResult
from sqlalchemy.orm import Session
from sqlmodel import col

from crm.i18n import Says
from crm.rbac.actor import Grants, Reach, merge
from crm.rbac.tables import AccountRole, Role, RolePermission


class Granted(NamedTuple):
    """What somebody may do, and by which roles."""

    grants: Grants
    roles: tuple[str, ...]


# Asked on every run of every page, so it is put together once.
_GRANTED = (
    select(col(Role.name), col(RolePermission.page), col(RolePermission.action), col(RolePermission.reach))
    .select_from(AccountRole)
    .join(Role, col(Role.id) == AccountRole.role_id)
    .outerjoin(RolePermission, col(RolePermission.role_id) == Role.id)
    .where(col(AccountRole.account_id) == bindparam("account_id"))
    .order_by(col(Role.name))
)


def granted_to(session: Session, account_id: int) -> Granted:
    """The merged grants and the role names of one account, in one query. No roles: nothing."""
    by_role: dict[str, dict[str, Reach]] = defaultdict(dict)
    for role, page, action, reach in session.execute(_GRANTED, {"account_id": account_id}):
        if page is None:
            by_role[role] = {}
        else:
            by_role[role][f"{page}.{action}"] = Reach(reach)
    return Granted(merge(by_role.values()), tuple(by_role))


def add_role(session: Session, name: str, title: Says, grants: Grants, *, built_in: bool = False) -> int:
    """A new role with these grants; its id. The name must be free."""
    role = Role(name=name, title=title.stored(), built_in=built_in)
    session.add(role)
    session.flush()
    assert role.id is not None
    grant(session, role.id, grants)
    return role.id


def grant(session: Session, role_id: int, grants: Grants) -> None:
    """Adds grants that the role does not have yet."""
    rows = [
        {"role_id": role_id, "page": page, "action": action, "reach": int(reach)}
        for (page, _, action), reach in ((name.partition("."), reach) for name, reach in grants.items())
    ]
    if rows:
        session.execute(insert(RolePermission), rows)


def grants_of_role(session: Session, role_id: int) -> Grants:
    """What one role grants."""
    asked = select(RolePermission).where(col(RolePermission.role_id) == role_id)
    return {f"{row.page}.{row.action}": Reach(row.reach) for row in session.scalars(asked)}


def role_named(session: Session, name: str) -> Role | None:
    """The role of that name."""
    return session.scalars(select(Role).where(col(Role.name) == name)).one_or_none()


def held_roles(session: Session, names: Sequence[str]) -> dict[str, Role]:
    """The roles of these names, as they are now and stay until the commit."""
    asked = select(Role).where(col(Role.name).in_(names)).order_by(col(Role.id)).with_for_update(read=True)
    return {role.name: role for role in session.scalars(asked, execution_options={"populate_existing": True})}


def role_names(session: Session) -> Sequence[str]:
    """All role names, in order of their making."""
    return session.scalars(select(col(Role.name)).order_by(col(Role.id))).all()


def give_role(session: Session, account_id: int, role_ids: Iterable[int]) -> None:
    """Gives roles to an account that does not have them yet."""
    session.add_all(AccountRole(account_id=account_id, role_id=role_id) for role_id in role_ids)
    session.flush()


def holders(permission: str) -> Select[int]:
    """The ids of the accounts to which `permission` is granted on all rows, as a query to narrow further."""
    page, _, action = permission.partition(".")
    return (
        select(col(AccountRole.account_id))
        .join(RolePermission, col(RolePermission.role_id) == AccountRole.role_id)
        .where(
            col(RolePermission.page) == page,
            col(RolePermission.action) == action,
            col(RolePermission.reach) == int(Reach.ALL),
        )
        .distinct()
    )


def is_last(holding: Iterable[int], leaving: Iterable[int]) -> bool:
    """Whether nobody of those who hold a power would be left once `leaving` are gone.

    The rule of the last administrator, as values: who holds it now, and who is about to lose it.
    """
    now = set(holding)
    return bool(now) and not now - set(leaving)


def step_version(session: Session, role_id: int, seen: int) -> bool:
    """Raises the role's version if it is still the one seen. Whoever gets True has the row to themselves."""
    done = session.execute(
        update(Role)
        .where(col(Role.id) == role_id, col(Role.version) == seen)
        .values(version=seen + 1)
        .execution_options(synchronize_session=False)
    )
    assert isinstance(done, CursorResult)
    return done.rowcount == 1


def change_grants(session: Session, role_id: int, wanted: Mapping[str, Reach | None]) -> None:
    """Sets each of these permissions of the role to its reach; None takes it away."""
    for name in wanted:
        page, _, action = name.partition(".")
        session.execute(
            delete(RolePermission).where(
                col(RolePermission.role_id) == role_id,
                col(RolePermission.page) == page,
                col(RolePermission.action) == action,
            )
        )
    grant(session, role_id, {name: reach for name, reach in wanted.items() if reach is not None})


def holders_by_role(session: Session, permission: str) -> dict[int, list[tuple[str, Reach]]]:
    """Who has the permission by which roles: account -> (role's stored title, its reach), one query."""
    page, _, action = permission.partition(".")
    found: dict[int, list[tuple[str, Reach]]] = defaultdict(list)
    asked = (
        select(col(AccountRole.account_id), col(Role.title), col(RolePermission.reach))
        .join(Role, col(Role.id) == AccountRole.role_id)
        .join(RolePermission, col(RolePermission.role_id) == Role.id)
        .where(col(RolePermission.page) == page, col(RolePermission.action) == action)
        .order_by(col(Role.id))
    )
    for account, title, reach in session.execute(asked):
        found[account].append((title, Reach(reach)))
    return found


def people_by_role(session: Session) -> dict[int, int]:
    """How many accounts have each role; roles that nobody has are left out."""
    asked = select(col(AccountRole.role_id), func.count()).group_by(col(AccountRole.role_id))
    return {row[0]: row[1] for row in session.execute(asked)}


def titles_by_account(session: Session, account_ids: Sequence[int]) -> dict[int, list[str]]:
    """The stored titles of these accounts' roles, one query."""
    found: dict[int, list[str]] = defaultdict(list)
    asked = (
        select(col(AccountRole.account_id), col(Role.title))
        .join(Role, col(Role.id) == AccountRole.role_id)
        .where(col(AccountRole.account_id).in_(account_ids))
        .order_by(col(Role.id))
    )
    for account, title in session.execute(asked):
        found[account].append(title)
    return found


def all_titles(session: Session) -> dict[int, str]:
    """The stored titles of all roles by id, in order of their making."""
    asked = select(col(Role.id), col(Role.title)).order_by(col(Role.id))
    return {key: title for key, title in session.execute(asked) if key is not None}


def accounts_with(role_ids: Iterable[int]) -> Select[int]:
    """The ids of the accounts that have one of these roles, as a query to narrow further."""
    return select(col(AccountRole.account_id)).where(col(AccountRole.role_id).in_(list(role_ids)))
