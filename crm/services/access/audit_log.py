"""The audit log as something to read. There is no way to change it: it is only ever added to (`audit`)."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import select
from sqlmodel import Session, col
from sqlmodel import select as select_rows
from sqlmodel.sql.expression import SelectOfScalar

from crm.domain.accounts import Account
from crm.domain.records import AuditEntry
from crm.domain.staff import Employee
from crm.i18n import Says, labelled, listed, says
from crm.rbac import Actor
from crm.services.access.audit import REFUSED
from crm.services.access.audit_words import FIELDS, NO, STAFF, SUBJECTS, VALUES, YES
from crm.services.access.permissions import PAGES
from crm.services.customers.scopes import by_account
from crm.store.many_rows import is_one_of

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
NOBODY: Mapping[str, str] = {}


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


def subjects(session: Session, rows: Sequence[AuditEntry], _now: object) -> dict[int, str]:
    """What each entry is about, in words, by its id (`subject`)."""
    staff = _staff(session, (row.subject_id for row in rows if row.subject == "employee"))
    return {row.id: subject(row, staff) for row in rows if row.id is not None}


def before(session: Session, rows: Sequence[AuditEntry], _now: object) -> dict[int, str]:
    """What was kept of before, in words, by the entry's id (`values`)."""
    return _kept(session, {row.id: row.before for row in rows if row.id is not None})


def after(session: Session, rows: Sequence[AuditEntry], _now: object) -> dict[int, str]:
    """What was kept of after, in words, by the entry's id (`values`)."""
    return _kept(session, {row.id: row.after for row in rows if row.id is not None})


def _kept(session: Session, texts: Mapping[int, str]) -> dict[int, str]:
    kept = [json.loads(text) for text in texts.values() if text]
    fields = [(name, value) for one in kept for name, value in one.items() if _of_staff(name, value)]
    staff = _staff(session, (number for _name, value in fields for number in _numbers(value)))
    return {key: values(text, staff) for key, text in texts.items()}


def _of_staff(name: str, value: Any) -> bool:
    # Of an import it is kept how many were assigned, and not to whom.
    return name in STAFF and (name != "assigned" or isinstance(value, dict))


def _numbers(value: Any) -> Iterator[int]:
    """The numbers of staff in a value that was kept: one, a list of them, or how many each by number."""
    for each in value if isinstance(value, list | dict) else [value]:
        if str(each).isdecimal():
            yield int(each)


def _staff(session: Session, ids: Iterable[int | None]) -> dict[str, str]:
    """The names of employees that are still there, by their number as a text."""
    wanted = {each for each in ids if each is not None}
    if not wanted:
        return {}
    asked = select(col(Employee.id), col(Employee.name)).where(is_one_of(session, col(Employee.id), sorted(wanted)))
    return {str(key): name for key, name in session.execute(asked)}


def subject(entry: AuditEntry, staff: Mapping[str, str] = NOBODY) -> str:
    """What it was done to: the kind and the name or the number of the row; of a refusal, the permission."""
    words = SUBJECTS.get(entry.subject)
    name = str(words or (action(entry.subject) if entry.subject in PAGES.permissions else entry.subject))
    if entry.subject_id is None:
        return name
    number = str(entry.subject_id)
    return f"{name} {staff.get(number, number) if entry.subject == 'employee' else number}"


def values(text: str, staff: Mapping[str, str] = NOBODY) -> str:
    """What was kept of before or after, a line for the screen: "May sign in: no · Roles: finance, student".

    `staff` are the names of employees by number, for the fields that keep numbers of them.
    """
    if not text:
        return ""
    kept = json.loads(text)
    return " · ".join(labelled(_field(name), _plain(_named(name, value, staff))) for name, value in kept.items())


def _named(name: str, value: Any, staff: Mapping[str, str]) -> Any:
    if name in _NAMES:
        return [_field(one) for one in value]
    if not _of_staff(name, value):
        return value
    if isinstance(value, dict):
        return {staff.get(key, key): count for key, count in value.items()}
    return [staff.get(str(one), one) for one in value] if isinstance(value, list) else staff.get(str(value), value)


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
