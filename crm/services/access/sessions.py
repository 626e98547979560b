"""Open sessions of a sign-in: what they are, and ending one or all of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, select, update
from sqlalchemy.orm import Session
from sqlmodel import col

from crm.domain.accounts import Account, SignIn
from crm.errors import Conflict
from crm.i18n import says


@dataclass(frozen=True, slots=True)
class OpenSession:
    """One browser that is signed in: since when, and from where."""

    id: int
    since: datetime
    address: str
    browser: str


def still_open(now: datetime) -> ColumnElement[bool]:
    """Sessions that open something now; to be asked together with their `Account`."""
    return (
        col(SignIn.token_digest).is_not(None)
        & col(SignIn.ended_at).is_(None)
        & (col(SignIn.expires_at) > now)
        & (col(SignIn.session_epoch) == Account.session_epoch)
        & col(Account.active)
    )


def open_of(session: Session, account_id: int, now: datetime) -> Sequence[OpenSession]:
    """The open sessions of a sign-in, the latest first."""
    asked = (
        select(SignIn)
        .join(Account, col(Account.id) == SignIn.account_id)
        .where(col(SignIn.account_id) == account_id, still_open(now))
        .order_by(col(SignIn.created_at).desc(), col(SignIn.id).desc())
    )
    return [
        OpenSession(one.id, one.created_at, one.address, one.browser)
        for one in session.scalars(asked)
        if one.id is not None
    ]


def end_one(session: Session, account_id: int, sign_in_id: int, now: datetime) -> bool:
    """Ends one session of that sign-in; False where it is not theirs, or over already."""
    ended = session.scalar(
        update(SignIn)
        .where(col(SignIn.id) == sign_in_id, col(SignIn.account_id) == account_id, col(SignIn.ended_at).is_(None))
        .values(ended_at=now)
        .returning(col(SignIn.id))
        .execution_options(synchronize_session=False)
    )
    return ended is not None


def end_every(session: Session, account: Account, keep: int | None = None) -> None:
    """Ends every session of the account but the one numbered `keep`: raises its epoch, and its version.

    In the database's own arithmetic, so that no two changes at once share an epoch. Raises `Conflict`.
    """
    session.flush()
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
    session.refresh(account)
