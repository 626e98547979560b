"""Sign-ins as things to manage: made, disabled, given another password, and what a person changes of their own."""

import re
import unicodedata
from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy import delete, or_, select, update
from sqlalchemy.orm import Session
from sqlmodel import col

from crm.domain.accounts import Account, SignIn
from crm.errors import Conflict, Invalid, NotAllowed, NotFound, Refused
from crm.i18n import LANGUAGES, says
from crm.rbac import Actor, Reach, covers, merge
from crm.rbac import store as rbac
from crm.rbac.tables import AccountRole, Role
from crm.services import audit
from crm.services.passwords import check_strength, hashed, made_up, matches
from crm.services.permissions import ADMINISTERS, POWERS, SYSTEM
from crm.settings import settings

NAME = re.compile(r"[^\W_][\w.@-]{1,63}")


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
) -> str:
    """Makes a sign-in with one role and returns the password to hand over; without one given, a made-up one.

    It has to be changed at the first sign-in. Raises `Invalid`, `NotFound` (no such role), `NotAllowed`.
    """
    actor.require(ADMINISTERS)
    name = normalised(name)
    problems = {}
    if not NAME.fullmatch(name):
        problems["name"] = says("A name has 2 to 64 letters, digits, dots, dashes or @, and begins with a letter.")
    elif session.scalar(select(col(Account.id)).where(col(Account.name) == name)) is not None:
        problems["name"] = says("{name} is taken.", name=name)
    if len(display_name) > 100:
        problems["display_name"] = says("At most {count} characters.", count=100)
    if locale is not None and locale not in LANGUAGES:
        problems["locale"] = says("There is no language {name}.", name=locale)
    if problems:
        raise Invalid.of(problems)
    if password is not None:
        check_strength(password, name, settings().sign_in.min_password_length)
    roles = _roles(session, actor, [role])
    secret = made_up() if password is None else password
    account = Account(
        name=name,
        display_name=display_name.strip() or name,
        password_hash=hashed(secret),
        must_change_password=True,
        locale=locale,
        created_at=now,
    )
    session.add(account)
    session.flush()
    assert account.id is not None
    rbac.give_role(session, account.id, [one.id for one in roles if one.id is not None])
    audit.record(session, actor, ADMINISTERS, "account", account.id, None, {"name": name, "roles": [role]}, now)
    return secret


def disable(session: Session, actor: Actor, name: str, now: datetime) -> None:
    """Ends every session of the sign-in and lets it open no other. Again: changes nothing.

    Raises `NotFound`, `NotAllowed`, and `Refused` for the last one who can manage sign-ins.
    """
    account = _to_manage(session, actor, name)
    if not account.active:
        return
    _keep_an_administrator(session, [_id(account)])
    account.active = False
    _end_sessions(session, account)
    audit.record(session, actor, ADMINISTERS, "account", account.id, {"active": True}, {"active": False}, now)


def enable(session: Session, actor: Actor, name: str, now: datetime) -> None:
    """Lets a disabled sign-in in again, with its old password and roles."""
    account = _to_manage(session, actor, name)
    if account.active:
        return
    account.active = True
    account.version += 1
    audit.record(session, actor, ADMINISTERS, "account", account.id, {"active": False}, {"active": True}, now)


def reset_password(session: Session, actor: Actor, name: str, now: datetime) -> str:
    """Gives a sign-in a made-up password, which is returned and has to be changed at the next sign-in.

    Ends every session of it. Raises `NotFound`, `NotAllowed`.
    """
    account = _to_manage(session, actor, name)
    secret = made_up()
    account.password_hash = hashed(secret)
    account.must_change_password = True
    _end_sessions(session, account)
    audit.record(session, actor, ADMINISTERS, "account", account.id, None, {"password": "reset"}, now)
    return secret


def set_roles(session: Session, actor: Actor, name: str, roles: Sequence[str], now: datetime) -> None:
    """Gives a sign-in exactly these roles; they count from its next click on.

    Raises `NotFound`, `NotAllowed`, and `Refused` when nobody who can manage sign-ins would be left.
    """
    account = _to_manage(session, actor, name)
    given = _roles(session, actor, roles)
    before = rbac.granted_to(session, _id(account))
    after = merge(rbac.grants_of_role(session, one.id) for one in given if one.id is not None)
    lost = [power for power in POWERS if after.get(power) is not Reach.ALL]
    _keep_an_administrator(session, [_id(account)], lost)
    session.execute(delete(AccountRole).where(col(AccountRole.account_id) == account.id))
    rbac.give_role(session, _id(account), [one.id for one in given if one.id is not None])
    account.version += 1
    audit.record(
        session, actor, ADMINISTERS, "account", account.id, {"roles": before.roles}, {"roles": sorted(roles)}, now
    )


def change_password(
    session: Session, actor: Actor, current: str, new: str, now: datetime, keep: int | None = None
) -> None:
    """A person's own new password. Ends their sessions everywhere but the one numbered `keep`.

    Raises `Invalid` (fields `current`, `password`).
    """
    account = _own(session, actor)
    if not matches(current, account.password_hash):
        raise Invalid.of({"current": says("This is not your current password.")})
    check_strength(new, account.name, settings().sign_in.min_password_length)
    if matches(new, account.password_hash):
        raise Invalid.of({"password": says("The new password has to differ from the current one.")})
    account.password_hash = hashed(new)
    account.must_change_password = False
    _end_sessions(session, account, keep)
    audit.record(session, actor, "account.password", "account", account.id, None, {"password": "changed"}, now)


def sign_out_everywhere(session: Session, actor: Actor, now: datetime) -> None:
    """Ends every session of the person, this one included."""
    account = _own(session, actor)
    _end_sessions(session, account)
    audit.record(session, actor, "account.sessions", "account", account.id, None, {"sessions": "ended"}, now)


def set_locale(session: Session, actor: Actor, locale: str) -> None:
    """The language a person reads from here on. Raises `Invalid` for one that there is not."""
    if locale not in LANGUAGES:
        raise Invalid.of({"locale": says("There is no language {name}.", name=locale)})
    _own(session, actor).locale = locale


def _own(session: Session, actor: Actor) -> Account:
    actor.require_to_be_oneself()
    account = session.get(Account, actor.account_id) if actor.account_id is not None else None
    if account is None or not account.active:
        raise NotAllowed(says("Sign in first."))
    return account


def _to_manage(session: Session, actor: Actor, name: str) -> Account:
    """The account of that name, if this person may manage it: nobody manages who may do more than they."""
    actor.require(ADMINISTERS)
    account = session.scalars(select(Account).where(col(Account.name) == normalised(name))).one_or_none()
    if account is None:
        raise NotFound(says("There is no sign-in {name}.", name=name))
    if actor is not SYSTEM and not covers(actor.grants, rbac.granted_to(session, _id(account)).grants):
        raise NotAllowed(says("{name} may do more than you, so you cannot change that sign-in.", name=name))
    return account


def _roles(session: Session, actor: Actor, names: Sequence[str]) -> list[Role]:
    """The roles of these names, if this person may give them: nobody gives what they do not have."""
    found = []
    for name in names:
        role = rbac.role_named(session, name)
        if role is None or role.id is None:
            known = ", ".join(rbac.role_names(session))
            raise NotFound(says("There is no role {name}. The roles are: {known}.", name=name, known=known))
        if actor is not SYSTEM and not covers(actor.grants, rbac.grants_of_role(session, role.id)):
            raise NotAllowed(says("The role {name} may do more than you, so you cannot give it.", name=name))
        found.append(role)
    return found


def active_holders(session: Session) -> dict[str, set[int]]:
    """Who of those active holds each power on all rows, and nobody else changes that before the commit.

    The rows are locked, so that two who demote each other at once cannot both succeed. Who holds the power is
    asked again behind the lock: PostgreSQL answers a locking statement's subquery as of before its wait.
    """
    asked = {
        power: select(col(Account.id)).where(col(Account.active), col(Account.id).in_(rbac.holders(power)))
        for power in POWERS
    }
    every = or_(*(col(Account.id).in_(rbac.holders(power)) for power in POWERS))
    locks = select(col(Account.id)).where(col(Account.active), every).order_by(col(Account.id)).with_for_update()
    session.execute(locks).all()
    return {power: {one for one in session.scalars(each) if one is not None} for power, each in asked.items()}


def keep_somebody(session: Session, before: Mapping[str, set[int]]) -> None:
    """After a change of roles: raises `Refused` if a power that somebody held `before` is nobody's now."""
    session.flush()
    now = active_holders(session)
    if any(rbac.is_last(held, held - now[power]) for power, held in before.items()):
        raise Refused(says("Nobody would be left who can administer. Give somebody else a role that can first."))


def _keep_an_administrator(session: Session, leaving: Sequence[int], powers: Sequence[str] = POWERS) -> None:
    """Raises `Refused` if nobody active would be left with one of the powers once these have lost it."""
    if not powers:
        return
    holding = active_holders(session)
    if any(rbac.is_last(holding[power], leaving) for power in powers):
        raise Refused(says("This is the last one who can manage sign-ins. Give somebody else that role first."))


def _end_sessions(session: Session, account: Account, keep: int | None = None) -> None:
    """Raises the epoch, in the database's own arithmetic, so that no two changes at once share one."""
    raised = session.scalar(
        update(Account)
        .where(col(Account.id) == account.id, col(Account.version) == account.version)
        .values(session_epoch=col(Account.session_epoch) + 1, version=col(Account.version) + 1)
        .returning(col(Account.session_epoch))
        .execution_options(synchronize_session=False)
    )
    if raised is None:
        raise Conflict(says("{name} was changed by somebody else at the same time. Try again.", name=account.name))
    if keep is not None:
        session.execute(
            update(SignIn)
            .where(col(SignIn.id) == keep, col(SignIn.account_id) == account.id)
            .values(session_epoch=raised)
            .execution_options(synchronize_session=False)
        )
    session.flush()
    session.refresh(account)


def _id(account: Account) -> int:
    assert account.id is not None
    return account.id
