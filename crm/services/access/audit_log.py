"""The audit log as something to read. There is no way to change it: it is only ever added to (`audit`)."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from sqlalchemy import select
from sqlmodel import Session, col
from sqlmodel import select as select_rows
from sqlmodel.sql.expression import SelectOfScalar

from crm.domain.accounts import Account
from crm.domain.records import AuditEntry
from crm.i18n import Says, listed, says
from crm.rbac import Actor
from crm.services.access.audit import REFUSED
from crm.services.access.audit_words import FIELDS, NO, SUBJECTS, VALUES, YES
from crm.services.access.permissions import PAGES
from crm.services.customers.scopes import by_account

VIEW = "audit.view"

ENTRIES = by_account(col(AuditEntry.id), col(AuditEntry.account_id))
"""Entries by who did it: oneself, those of one's department, everybody and the system."""

# What is recorded without a permission of a page: one's own sign-in, and what was denied.
_OTHERS = {
    REFUSED: says("Refused"),
    "account.password": says("Own password"),
    "account.sessions": says("Own sessions"),
}
# What was given without being kept is a list of names of fields.
_NAMES = ("fields", "added")


def entries(_session: Session, actor: Actor) -> SelectOfScalar[AuditEntry]:
    """The log, as far as the actor's reach goes. Raises `NotAllowed`."""
    actor.require(VIEW)
    return select_rows(AuditEntry).where(ENTRIES.where(actor, VIEW))


def doers(_session: Session, actor: Actor) -> SelectOfScalar[Account]:
    """The people whose entries the actor may read: the choices of a filter."""
    actor.require(VIEW)
    by_them = select(col(AuditEntry.account_id)).where(ENTRIES.where(actor, VIEW))
    return select_rows(Account).where(col(Account.id).in_(by_them))


def actions(_session: Session, actor: Actor) -> Mapping[str, Says]:
    """Every action that may be in the log, with its words."""
    actor.require(VIEW)
    return {name: action(name) for name in (*_OTHERS, *PAGES.permissions)}


def action(name: str) -> Says:
    """What was done, in words: the page and the action there."""
    page, _, one = name.partition(".")
    declared = PAGES.pages.get(page)
    if name in _OTHERS:
        return _OTHERS[name]
    if declared is None or one not in declared.actions:
        return says("{text}", text=name)
    return says("{page}: {action}", page=declared.title, action=declared.actions[one])


def subject(entry: AuditEntry, _now: object) -> str:
    """What it was done to: the kind and the number of the row; of a refusal, the permission."""
    words = SUBJECTS.get(entry.subject)
    name = str(words or (action(entry.subject) if entry.subject in PAGES.permissions else entry.subject))
    return name if entry.subject_id is None else f"{name} {entry.subject_id}"


def values(text: str) -> str:
    """What was kept of before or after, a line for the screen: "May sign in: no · Roles: finance, student"."""
    if not text:
        return ""
    kept = json.loads(text)
    return " · ".join(
        f"{_field(name)}: {_plain([_field(one) for one in value] if name in _NAMES else value)}"
        for name, value in kept.items()
    )


def _field(name: str) -> str:
    if name in PAGES.permissions:
        return str(action(name))
    return str(FIELDS[name]) if name in FIELDS else name.replace("_", " ")


def _plain(value: Any) -> str:
    return listed(_parts(value))


def _parts(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        yield from (f"{_field(name)}={_plain(one)}" for name, one in value.items())
    elif isinstance(value, list):
        yield from (_plain(one) for one in value)
    elif value is None:
        yield "–"
    elif isinstance(value, bool):
        yield str(YES if value else NO)
    else:
        yield str(VALUES.get(str(value), value))
