"""The people who sign in, as a list and one by one: roles, sign-in state, sessions, and what may be done about them."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, func, select
from sqlmodel import Session, col
from sqlmodel import select as select_rows
from sqlmodel.sql.expression import SelectOfScalar

from crm.domain.accounts import Account, SignIn
from crm.domain.staff import Department, Employee
from crm.errors import NotAllowed, NotFound, hearing_denials
from crm.i18n import Says, listed, says
from crm.rbac import Actor
from crm.rbac import store as rbac
from crm.services.access import accounts, audit, sessions, sign_in
from crm.services.access.passwords import must_choose
from crm.services.access.permissions import ADMINISTERS
from crm.services.access.sessions import OpenSession, still_open
from crm.services.customers.scopes import ACCOUNTS
from crm.services.staff import leaving

VIEW = "people.view"


@dataclass(frozen=True, slots=True)
class Person:
    """One sign-in, with whom it belongs to.

    `roles` are names, `titles` their titles. `locked_until` is set while wrong tries keep it out. `keeps_out` tells
    why this reader may change nothing of it; then sessions and customers are left out.
    """

    id: int
    version: int
    name: str
    display_name: str
    active: bool
    must_change_password: bool
    roles: tuple[str, ...]
    titles: tuple[Says, ...]
    locked_until: datetime | None
    employee_id: int | None
    employee: str | None
    department: str | None
    keeps_out: Says | None
    sessions: Sequence[OpenSession] = ()
    holds: int = 0


def sign_ins(_session: Session, actor: Actor) -> SelectOfScalar[Account]:
    """The sign-ins, as far as the actor's reach goes. Raises `NotAllowed`."""
    actor.require(VIEW)
    return select_rows(Account).where(ACCOUNTS.where(actor, VIEW))


def person(session: Session, actor: Actor, account_id: int, now: datetime) -> Person:
    """One of them. Raises `NotAllowed`, and `NotFound` also for one out of reach."""
    actor.require(VIEW)
    asked = select(Account).where(col(Account.id) == account_id, ACCOUNTS.where(actor, VIEW))
    account = session.scalars(asked, execution_options={"populate_existing": True}).one_or_none()
    if account is None:
        raise NotFound(says("There is no such sign-in, or it is not yours to open."), VIEW, account_id)
    belongs = select(col(Employee.id), col(Employee.name), col(Department.name)).join(
        Department, col(Department.code) == col(Employee.department_code)
    )
    whose = session.execute(belongs.where(col(Employee.account_id) == account_id)).one_or_none()
    keeps_out = _keeps_out(session, actor, account)
    open_to_me = keeps_out is None
    return Person(
        id=account_id,
        version=account.version,
        name=account.name,
        display_name=account.display_name or account.name,
        active=account.active,
        must_change_password=must_choose(account.must_change_password, account.password_hash),
        roles=rbac.granted_to(session, account_id).roles,
        titles=tuple(Says.loaded(title) for title in rbac.titles_by_account(session, [account_id])[account_id]),
        locked_until=sign_in.locked_until(session, [account.name], now).get(account.name),
        employee_id=whose[0] if whose else None,
        employee=whose[1] if whose else None,
        department=whose[2] if whose else None,
        keeps_out=keeps_out,
        sessions=sessions.open_of(session, account_id, now) if open_to_me else (),
        holds=leaving.holds(session, account_id) if open_to_me else 0,
    )


def end_session(session: Session, actor: Actor, name: str, sign_in_id: int, now: datetime) -> None:
    """Ends one session of that sign-in; it opens nothing at its next click. Over already: changes nothing.

    Raises `NotFound`, `NotAllowed`.
    """
    account = accounts.to_manage(session, actor, name)
    assert account.id is not None
    if sessions.end_one(session, account.id, sign_in_id, now):
        audit.record(
            session, actor, ADMINISTERS, "account", account.id, {"session": sign_in_id}, {"session": "ended"}, now
        )


def end_sessions(session: Session, actor: Actor, name: str, now: datetime) -> None:
    """Ends every session of that sign-in. Raises `NotFound`, `NotAllowed`."""
    account = accounts.to_manage(session, actor, name)
    sessions.end_every(session, account)
    audit.record(session, actor, ADMINISTERS, "account", account.id, None, {"sessions": "ended"}, now)


def unlock(session: Session, actor: Actor, name: str, now: datetime) -> None:
    """Lets a sign-in that too many wrong tries keep out try again at once. Raises `NotFound`, `NotAllowed`."""
    account = accounts.to_manage(session, actor, name)
    forgotten = sign_in.forget_attempts(session, account.name)
    if forgotten:
        before, after = {"wrong tries": forgotten}, {"wrong tries": 0}
        audit.record(session, actor, ADMINISTERS, "account", account.id, before, after, now)


def roles_of(session: Session, rows: Sequence[Account], _now: datetime) -> dict[int, str]:
    """The titles of each person's roles, in the reader's language."""
    titles = rbac.titles_by_account(session, [row.id for row in rows if row.id is not None])
    return {key: listed(map(Says.loaded, found)) for key, found in titles.items()}


def role_filter(session: Session, actor: Actor) -> Mapping[int, Says]:
    """Every role, by id: the choices of a filter."""
    actor.require(VIEW)
    return {key: Says.loaded(title) for key, title in rbac.all_titles(session).items()}


def has_a_role(role_ids: Sequence[int]) -> ColumnElement[bool]:
    """Sign-ins that have one of these roles."""
    return col(Account.id).in_(rbac.accounts_with(role_ids))


def states(session: Session, rows: Sequence[Account], now: datetime) -> dict[int, str]:
    """In what state each sign-in is: enabled or not, kept out by wrong tries, with a password to choose."""
    locked = sign_in.locked_until(session, [row.name for row in rows], now)
    return {row.id: " · ".join(map(str, _state(row, row.name in locked))) for row in rows if row.id is not None}


def last_sign_in(session: Session, rows: Sequence[Account], _now: datetime) -> dict[int, datetime]:
    """When each person last signed in, as far back as sessions are kept."""
    asked = (
        select(col(SignIn.account_id), func.max(col(SignIn.created_at)))
        .where(col(SignIn.account_id).in_([row.id for row in rows]))
        .group_by(col(SignIn.account_id))
    )
    return {row[0]: row[1] for row in session.execute(asked)}


def open_sessions(session: Session, rows: Sequence[Account], now: datetime) -> dict[int, int]:
    """How many sessions of each person open something now."""
    found: dict[int, int] = defaultdict(int)
    asked = (
        select(col(SignIn.account_id), func.count())
        .join(Account, col(Account.id) == SignIn.account_id)
        .where(col(SignIn.account_id).in_([row.id for row in rows]), still_open(now))
        .group_by(col(SignIn.account_id))
    )
    found.update((row[0], row[1]) for row in session.execute(asked))
    return found


def _state(account: Account, locked: bool) -> list[Says]:
    told = [says("Enabled") if account.active else says("Disabled")]
    if locked:
        told.append(says("Too many wrong tries"))
    if must_choose(account.must_change_password, account.password_hash):
        told.append(says("Has to choose a password"))
    return told


def _keeps_out(session: Session, actor: Actor, account: Account) -> Says | None:
    # Only asked, not tried: nothing of it belongs in the audit log.
    with hearing_denials():
        try:
            accounts.require_manageable(session, actor, account)
        except (NotAllowed, NotFound) as why:
            return why.says
    return None
