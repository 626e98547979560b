"""Sign-ins as things to manage: made, given roles, another password, disabled and enabled."""

import re
import unicodedata
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import delete, exists, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session
from sqlmodel import col

from crm.domain.accounts import Account
from crm.domain.staff import Employee
from crm.errors import Conflict, Invalid, NotAllowed, NotFound
from crm.i18n import LANGUAGES, Says, says
from crm.rbac import Actor, Reach
from crm.rbac import store as rbac
from crm.rbac.tables import AccountRole, Role
from crm.services.access import audit
from crm.services.access.passwords import check_strength, hashed, made_up
from crm.services.access.permissions import ADMINISTERS, may_as_much
from crm.services.access.powers import active_holders, keep_an_administrator, keep_somebody
from crm.services.access.sessions import end_every
from crm.services.customers.scopes import ACCOUNTS, STAFF
from crm.settings import settings

NAME = re.compile(r"[^\W_][\w.@-]{1,63}")
_CHANGED = says("Somebody else changed this sign-in since you saw it.")


def normalised(name: str) -> str:
    """A sign-in's name as it is kept and looked up: half-width, lower case, no outer spaces."""
    return unicodedata.normalize("NFKC", name).strip().lower()


def create(
    session: Session,
    actor: Actor,
    name: str,
    role: str,
    password: str | None,
    display_name: str,
    locale: str | None,
    now: datetime,
    *,
    employee_id: int | None = None,
) -> str:
    """Makes a sign-in with one role and returns the password to hand over; without one given, a made-up one.

    It has to be changed at the first sign-in. With `employee_id` it is that employee's from then on.
    Raises `Invalid`, `NotFound` (no such role), `NotAllowed`.
    """
    actor.require(ADMINISTERS)
    name = normalised(name)
    employee = None if employee_id is None else _without_sign_in(session, actor, employee_id)
    if employee is None and employee_id is None and actor.reach(ADMINISTERS) is not Reach.ALL:
        raise Invalid.of({"employee_id": says("Choose whose sign-in it is: you look after your own staff only.")})
    problems = _problems(session, name, display_name, locale)
    if employee_id is not None and employee is None:
        problems["employee_id"] = says("Choose an employee who works here and has no sign-in yet.")
    if problems:
        raise Invalid.of(problems)
    if password is not None:
        check_strength(password, name, settings().sign_in.min_password_length)
    roles = _roles(session, actor, [role])
    secret = made_up() if password is None else password
    account = Account(
        name=name,
        display_name=display_name.strip() or (employee.name if employee else name),
        password_hash=hashed(secret),
        must_change_password=True,
        locale=locale,
        created_at=now,
    )
    try:
        with session.begin_nested():
            session.add(account)
            session.flush()
    except IntegrityError as error:
        # Somebody took the name a moment earlier.
        raise Invalid.of({"name": _taken(name)}) from error
    rbac.give_role(session, _id(account), [one.id for one in roles if one.id is not None])
    after: dict[str, Any] = {"name": name, "roles": [role]}
    if employee is not None:
        _link(session, employee, _id(account))
        after["employee"] = employee.id
    audit.record(session, actor, ADMINISTERS, "account", account.id, None, after, now)
    return secret


def disable(session: Session, actor: Actor, name: str, now: datetime, *, version: int | None = None) -> None:
    """Ends every session of the sign-in and lets it open no other. Again: changes nothing.

    Raises `NotFound`, `NotAllowed`, `Conflict` against the version seen, and `Refused` for the last one who can
    manage sign-ins. Customers stay with whoever held them: `crm.services.staff.leaving` hands them on.
    """
    account = to_manage(session, actor, name, version)
    if not account.active:
        return
    keep_an_administrator(session, [_id(account)])
    account.active = False
    end_every(session, account)
    audit.record(session, actor, ADMINISTERS, "account", account.id, {"active": True}, {"active": False}, now)


def enable(session: Session, actor: Actor, name: str, now: datetime, *, version: int | None = None) -> None:
    """Lets a disabled sign-in in again, with its old password and roles. Raises as `disable`."""
    account = to_manage(session, actor, name, version)
    if account.active:
        return
    account.active = True
    _step(session, account)
    audit.record(session, actor, ADMINISTERS, "account", account.id, {"active": False}, {"active": True}, now)


def reset_password(session: Session, actor: Actor, name: str, now: datetime) -> str:
    """Gives a sign-in a made-up password, which is returned and has to be changed at the next sign-in.

    Ends every session of it. Raises `NotFound`, `NotAllowed`.
    """
    account = to_manage(session, actor, name)
    secret = made_up()
    account.password_hash = hashed(secret)
    account.must_change_password = True
    end_every(session, account)
    audit.record(session, actor, ADMINISTERS, "account", account.id, None, {"password": "reset"}, now)
    return secret


def set_roles(
    session: Session, actor: Actor, name: str, roles: Sequence[str], now: datetime, *, version: int | None = None
) -> None:
    """Gives a sign-in exactly these roles; they count from its next click on.

    Raises `NotFound`, `NotAllowed`, `Conflict` against the version seen, and `Refused` when nobody who can manage
    sign-ins would be left.
    """
    account = to_manage(session, actor, name, version)
    # Whoever holds a power before the roles, as whoever changes a role does.
    holding = active_holders(session)
    given = _roles(session, actor, list(dict.fromkeys(roles)))
    before = rbac.granted_to(session, _id(account))
    _step(session, account)
    session.execute(delete(AccountRole).where(col(AccountRole.account_id) == account.id))
    rbac.give_role(session, _id(account), [one.id for one in given if one.id is not None])
    keep_somebody(session, holding)
    audit.record(
        session,
        actor,
        ADMINISTERS,
        "account",
        account.id,
        {"roles": before.roles},
        {"roles": sorted(one.name for one in given)},
        now,
    )


def to_manage(session: Session, actor: Actor, name: str, version: int | None = None) -> Account:
    """The account of that name, if it is in this person's reach: nobody manages who may do more than they.

    Raises `NotFound`, also for one out of reach, `NotAllowed`, and `Conflict` if it is no longer at `version`.
    """
    actor.require(ADMINISTERS)
    account = session.scalars(select(Account).where(col(Account.name) == normalised(name))).one_or_none()
    if account is None:
        raise NotFound(says("There is no sign-in {name}.", name=name))
    require_manageable(session, actor, account)
    if version is not None and account.version != version:
        raise Conflict(_CHANGED)
    return account


def require_manageable(session: Session, actor: Actor, account: Account) -> None:
    """Raises `NotFound` for a sign-in out of the actor's reach, `NotAllowed` for one that may do more than they."""
    actor.require(ADMINISTERS)
    key = _id(account)
    if not ACCOUNTS.allows(session, actor, ADMINISTERS, key):
        raise NotFound(says("There is no sign-in {name}.", name=account.name), ADMINISTERS, key)
    if not may_as_much(actor, rbac.granted_to(session, key).grants):
        raise NotAllowed(
            says("{name} may do more than you, so you cannot change that sign-in.", name=account.name), ADMINISTERS, key
        )


def role_choices(session: Session, actor: Actor) -> dict[str, Says]:
    """The roles that this person may give, by name, in order of their making."""
    actor.require(ADMINISTERS)
    every = session.scalars(select(Role).order_by(col(Role.id)))
    return {
        role.name: Says.loaded(role.title)
        for role in every
        if role.id is not None and may_as_much(actor, rbac.grants_of_role(session, role.id))
    }


def employee_choices(session: Session, actor: Actor) -> dict[int, str]:
    """Employees to whom this person may give a sign-in: who work here and have none, by id."""
    actor.require(ADMINISTERS)
    asked = select(Employee).where(*_may_get_one(actor)).order_by(col(Employee.name), col(Employee.id))
    return {one.id: one.name for one in session.scalars(asked) if one.id is not None}


def _problems(session: Session, name: str, display_name: str, locale: str | None) -> dict[str, Says]:
    problems = {}
    if not NAME.fullmatch(name):
        problems["name"] = says("A name has 2 to 64 letters, digits and . _ - @, and begins with a letter or digit.")
    elif session.scalar(select(exists().where(col(Account.name) == name))):
        problems["name"] = _taken(name)
    if len(display_name) > 100:
        problems["display_name"] = says("At most {count} characters.", count=100)
    if locale is not None and locale not in LANGUAGES:
        problems["locale"] = says("There is no language {name}.", name=locale)
    return problems


def _taken(name: str) -> Says:
    return says("{name} is taken.", name=name)


def _may_get_one(actor: Actor) -> tuple[Any, ...]:
    return col(Employee.active), col(Employee.account_id).is_(None), STAFF.where(actor, ADMINISTERS)


def _without_sign_in(session: Session, actor: Actor, employee_id: int) -> Employee | None:
    asked = select(Employee).where(col(Employee.id) == employee_id, *_may_get_one(actor)).with_for_update()
    return session.scalars(asked, execution_options={"populate_existing": True}).one_or_none()


def _link(session: Session, employee: Employee, account_id: int) -> None:
    employee.account_id = account_id
    employee.version += 1
    session.flush()


def _roles(session: Session, actor: Actor, names: Sequence[str]) -> list[Role]:
    """The roles of these names, if this person may give them: nobody gives what they do not have.

    Nobody changes or deletes them before the commit, so that what is given is what was looked at.
    """
    found = []
    held = rbac.held_roles(session, names)
    for name in names:
        role = held.get(name)
        if role is None or role.id is None:
            known = ", ".join(rbac.role_names(session))
            raise NotFound(says("There is no role {name}. The roles are: {known}.", name=name, known=known))
        if not may_as_much(actor, rbac.grants_of_role(session, role.id)):
            raise NotAllowed(
                says("The role {name} may do more than you, so you cannot give it.", name=name), ADMINISTERS, role.id
            )
        found.append(role)
    return found


def _step(session: Session, account: Account) -> None:
    """Raises the version if it is still the one that was read: of two at once, the second is told."""
    session.flush()
    stepped = session.scalar(
        update(Account)
        .where(col(Account.id) == account.id, col(Account.version) == account.version)
        .values(version=col(Account.version) + 1)
        .returning(col(Account.version))
        .execution_options(synchronize_session=False)
    )
    if stepped is None:
        raise Conflict(_CHANGED)
    session.refresh(account)


def _id(account: Account) -> int:
    assert account.id is not None
    return account.id
