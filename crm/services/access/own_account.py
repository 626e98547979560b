"""What a person changes of their own sign-in: password, language, sessions."""

from datetime import datetime

from sqlalchemy.orm import Session

from crm.domain.accounts import Account
from crm.errors import Invalid, NotAllowed
from crm.i18n import LANGUAGES, says
from crm.rbac import Actor
from crm.services.access import audit
from crm.services.access.passwords import check_strength, hashed, matches
from crm.services.access.sessions import end_every
from crm.settings import settings


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
    end_every(session, account, keep)
    audit.record(session, actor, "account.password", "account", account.id, None, {"password": "changed"}, now)


def sign_out_everywhere(session: Session, actor: Actor, now: datetime) -> None:
    """Ends every session of the person, this one included."""
    account = _own(session, actor)
    end_every(session, account)
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
