"""Signing in and staying signed in: attempts are counted, sessions can be revoked, secrets are kept as digests.

A sign-in takes three steps, because checking a password takes a third of a second that no transaction
should last: `attempt` (counts it, and gives the hash to compare with), the comparison, and `admit`
(a one-time ticket). The browser exchanges the ticket for the session's token by `redeem`.
`signed_in` answers for each run who holds a token, from the account as it is now.
"""

import hashlib
import secrets
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import bindparam, delete, func, or_, select, update
from sqlalchemy.engine import CursorResult
from sqlmodel import Session, col

from crm.domain.accounts import Account, SignIn, SignInAttempt
from crm.domain.base import Moment
from crm.domain.staff import Employee
from crm.errors import Refused
from crm.i18n import Language, says_n
from crm.rbac import Actor
from crm.rbac import store as rbac
from crm.services.access.accounts import normalised
from crm.services.access.passwords import NOBODYS_HASH, must_choose
from crm.settings import settings
from crm.store.session import is_postgres

TICKET_LASTS = timedelta(seconds=60)
FORGOTTEN_AFTER = timedelta(days=30)

# One address may be a whole school, and one name may be tried from many addresses: both get more room
# than one name from one address.
FROM_ANYWHERE = 4
BY_ADDRESS = 10


@dataclass(frozen=True, slots=True)
class Attempt:
    """A sign-in that was counted and awaits its password. `password_hash` is nobody's for an unknown name."""

    id: int
    name_digest: str
    address: str
    account_id: int | None
    password_hash: str


@dataclass(frozen=True, slots=True)
class SignedIn:
    """Somebody's open session, with the account as it is at this moment."""

    sign_in_id: int
    actor: Actor
    account_name: str
    locale: str | None
    must_change_password: bool


def digest(secret: str) -> str:
    """What the database keeps of a secret."""
    return hashlib.sha256(secret.encode()).hexdigest()


def attempt(session: Session, name: str, address: str, now: datetime) -> Attempt:
    """Counts an attempt before the password is looked at, so that many at once are all counted.

    Raises `Refused` when too many failed lately, of that name or from that address, whether or not such
    a name exists. Where the person has signed in before, wrong tries from elsewhere do not count: nobody can
    lock them out of there from afar.
    """
    name = normalised(name)
    address = address[:64]
    tried = SignInAttempt(name_digest=digest(name), address=address, at=now)
    if is_postgres(session):
        for key in sorted((f"name {tried.name_digest}", f"address {address}")):
            session.execute(select(func.pg_advisory_xact_lock(func.hashtext(key))))
    account = session.scalars(select(Account).where(col(Account.name) == name, col(Account.active))).one_or_none()
    _refuse_too_many(session, tried, account is not None and _was_here(session, account, address), now)
    session.add(tried)
    session.flush()
    assert tried.id is not None
    return Attempt(
        id=tried.id,
        name_digest=tried.name_digest,
        address=address,
        account_id=account.id if account else None,
        password_hash=account.password_hash if account else NOBODYS_HASH,
    )


def _was_here(session: Session, account: Account, address: str) -> bool:
    """Whether the account was let in from that address, as far back as sessions are kept."""
    asked = select(col(SignIn.id)).where(col(SignIn.account_id) == account.id, col(SignIn.address) == address)
    return session.scalar(asked.limit(1)) is not None


def _refuse_too_many(session: Session, tried: SignInAttempt, was_here: bool, now: datetime) -> None:
    rules = settings().sign_in
    by_name = col(SignInAttempt.name_digest) == tried.name_digest
    by_address = col(SignInAttempt.address) == tried.address
    window = timedelta(minutes=rules.attempts_minutes)
    for whose, most in (
        (by_name & by_address, rules.attempts),
        *(() if was_here else ((by_name, rules.attempts * FROM_ANYWHERE),)),
        (by_address, rules.attempts * BY_ADDRESS),
    ):
        # The attempt that made the count full has to grow old before there is room again.
        full = session.scalar(
            select(col(SignInAttempt.at))
            .where(whose, col(SignInAttempt.at) > now - window)
            .order_by(col(SignInAttempt.at).desc())
            .offset(most - 1)
            .limit(1)
        )
        if full is not None:
            wait = max(1, -(-(full + window - now).total_seconds() // 60))
            raise Refused(
                says_n(
                    "Too many attempts. Wait {count} minute, then try again.",
                    "Too many attempts. Wait {count} minutes, then try again.",
                    count=int(wait),
                )
            )


def admit(
    session: Session, tried: Attempt, matched: bool, browser: str, now: datetime, language: Language | None = None
) -> str | None:
    """A one-time ticket, good for a minute, or None when the password did not match.

    The account is read again: disabled or given another password meanwhile, it is not admitted.
    A `language` that was chosen at the sign-in is the person's from here on.
    """
    if not matched or tried.account_id is None:
        return None
    account = session.get(Account, tried.account_id, populate_existing=True)
    if account is None or not account.active or account.password_hash != tried.password_hash:
        return None
    forgive(session, tried)
    if language is not None:
        account.locale = language
    ticket = secrets.token_urlsafe(32)
    session.add(
        SignIn(
            account_id=tried.account_id,
            ticket_digest=digest(ticket),
            session_epoch=account.session_epoch,
            created_at=now,
            seen_at=now,
            expires_at=now + timedelta(hours=settings().sign_in.session_hours),
            address=tried.address,
            browser=browser[:200],
        )
    )
    return ticket


def forgive(session: Session, tried: Attempt) -> None:
    """Forgets the attempts of this name from this address: the right password was given."""
    session.execute(
        delete(SignInAttempt).where(
            or_(
                col(SignInAttempt.id) == tried.id,
                (col(SignInAttempt.name_digest) == tried.name_digest) & (col(SignInAttempt.address) == tried.address),
            )
        )
    )


def locked_until(session: Session, names: Sequence[str], now: datetime) -> dict[str, datetime]:
    """Until when sign-ins of these names wait because of wrong tries, from one address or from anywhere."""
    rules = settings().sign_in
    window = timedelta(minutes=rules.attempts_minutes)
    by_digest = {digest(name): name for name in names}
    tries: dict[tuple[str, ...], list[datetime]] = defaultdict(list)
    asked = (
        select(col(SignInAttempt.name_digest), col(SignInAttempt.address), col(SignInAttempt.at))
        .where(col(SignInAttempt.name_digest).in_(by_digest), col(SignInAttempt.at) > now - window)
        .order_by(col(SignInAttempt.at).desc())
    )
    for name_digest, address, at in session.execute(asked):
        tries[name_digest, address].append(at)
        tries[name_digest,].append(at)
    found: dict[str, datetime] = {}
    for key, moments in tries.items():
        most = rules.attempts if len(key) > 1 else rules.attempts * FROM_ANYWHERE
        if len(moments) >= most:
            name = by_digest[key[0]]
            found[name] = max(moments[most - 1] + window, found.get(name, now))
    return found


def forget_attempts(session: Session, name: str) -> int:
    """Lets that name try again at once, from wherever; how many wrong tries are forgotten."""
    gone = session.execute(delete(SignInAttempt).where(col(SignInAttempt.name_digest) == digest(normalised(name))))
    assert isinstance(gone, CursorResult)
    return gone.rowcount


def redeem(session: Session, ticket: str, now: datetime) -> str | None:
    """The session's token for a ticket, once; None for one that is used, too old or made up."""
    token = secrets.token_urlsafe(32)
    used = session.execute(
        update(SignIn)
        .where(
            col(SignIn.ticket_digest) == digest(ticket),
            col(SignIn.token_digest).is_(None),
            col(SignIn.ended_at).is_(None),
            col(SignIn.created_at) > now - TICKET_LASTS,
        )
        .values(ticket_digest=None, token_digest=digest(token), seen_at=now)
        .execution_options(synchronize_session=False)
    )
    assert isinstance(used, CursorResult)
    return token if used.rowcount == 1 else None


# Asked several times a run, so it is put together once.
_WHO = (
    select(
        col(SignIn.id),
        col(Account.id),
        col(Account.name),
        col(Account.display_name),
        col(Account.locale),
        col(Account.must_change_password),
        col(Account.password_hash),
        col(Employee.id),
        col(Employee.department_code),
    )
    .select_from(SignIn)
    .join(Account, col(Account.id) == SignIn.account_id)
    .outerjoin(Employee, (col(Employee.account_id) == Account.id) & col(Employee.active))
    .where(
        col(SignIn.token_digest) == bindparam("digest"),
        col(SignIn.ended_at).is_(None),
        col(SignIn.expires_at) > bindparam("now", type_=Moment),
        col(SignIn.session_epoch) == Account.session_epoch,
        col(Account.active),
    )
)


def signed_in(session: Session, token: str, address: str, now: datetime) -> SignedIn | None:
    """Who holds this token, by the account, staff and roles of this moment; None when it opens nothing (any more)."""
    found = session.execute(_WHO, {"digest": digest(token), "now": now}).one_or_none()
    if found is None:
        return None
    number, account_id, name, display_name, locale, told_to, stored, employee_id, department = found
    assert number is not None and account_id is not None
    granted = rbac.granted_to(session, account_id)
    return SignedIn(
        sign_in_id=number,
        actor=Actor(
            account_id=account_id,
            name=display_name or name,
            grants=granted.grants,
            roles=granted.roles,
            owner_id=employee_id,
            department=department,
            address=address,
        ),
        account_name=name,
        locale=locale,
        must_change_password=must_choose(told_to, stored),
    )


def end(session: Session, token: str, now: datetime) -> None:
    """Signs out: the token opens nothing from here on, wherever a copy of it may be."""
    session.execute(
        update(SignIn)
        .where(col(SignIn.token_digest) == digest(token), col(SignIn.ended_at).is_(None))
        .values(ended_at=now)
        .execution_options(synchronize_session=False)
    )


def forget_old(session: Session, now: datetime) -> None:
    """Removes attempts that no longer count, and sessions that ended or ran out a month ago."""
    window = timedelta(minutes=settings().sign_in.attempts_minutes)
    session.execute(delete(SignInAttempt).where(col(SignInAttempt.at) <= now - window))
    session.execute(delete(SignIn).where(col(SignIn.expires_at) <= now - FORGOTTEN_AFTER))
