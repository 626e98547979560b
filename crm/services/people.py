"""The people who sign in, as a list: their roles, when they were last here, and their open sessions."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import func, select
from sqlmodel import Session, col
from sqlmodel import select as select_rows
from sqlmodel.sql.expression import SelectOfScalar

from crm.domain.accounts import Account, SignIn
from crm.domain.staff import Employee
from crm.i18n import Says
from crm.rbac import Actor, Scope
from crm.rbac import store as rbac

VIEW = "people.view"

ACCOUNTS = Scope(
    key=col(Account.id),
    own=lambda owner: col(Account.id).in_(select(col(Employee.account_id)).where(col(Employee.id) == owner)),
    department=lambda code: col(Account.id).in_(
        select(col(Employee.account_id)).where(col(Employee.department_code) == code)
    ),
)
"""Sign-ins: one's own, those of one's department, everybody's."""


def sign_ins(_session: Session, actor: Actor) -> SelectOfScalar[Account]:
    """The sign-ins, as far as the actor's reach goes. Raises `NotAllowed`."""
    actor.require(VIEW)
    return select_rows(Account).where(ACCOUNTS.where(actor, VIEW))


def roles_of(session: Session, rows: Sequence[Account], _now: datetime) -> dict[int, str]:
    """The titles of each person's roles, in the reader's language."""
    titles = rbac.titles_by_account(session, [row.id for row in rows if row.id is not None])
    return {key: ", ".join(str(Says.loaded(title)) for title in found) for key, found in titles.items()}


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
        .where(
            col(SignIn.account_id).in_([row.id for row in rows]),
            col(SignIn.token_digest).is_not(None),
            col(SignIn.ended_at).is_(None),
            col(SignIn.expires_at) > now,
            col(SignIn.session_epoch) == Account.session_epoch,
            col(Account.active),
        )
        .group_by(col(SignIn.account_id))
    )
    found.update((row[0], row[1]) for row in session.execute(asked))
    return found
