"""The audit log: who did what to what, when and from where. Written in the doer's own transaction.

Values are kept of staff and permission data only. Of customers, ids and names of fields: never
a phone number or anything else by which somebody could be reached.
"""

import json
from collections.abc import Collection, Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import func, select
from sqlalchemy.orm import Session
from sqlmodel import col

from crm.domain.records import AuditEntry
from crm.errors import Denial
from crm.rbac import Actor
from crm.store.many_rows import insert_many

REFUSED = "refused"
SAME_REFUSAL = timedelta(minutes=10)
MOST_ROWS = 100
"""So many numbers of rows are kept of one refusal; how many there were is kept too."""


def record(
    session: Session,
    actor: Actor,
    action: str,
    subject: str,
    subject_id: int | None,
    before: Mapping[str, Any] | None,
    after: Mapping[str, Any] | None,
    now: datetime,
) -> None:
    """Adds one entry: `action` is the permission used ("customers.assign"), `subject` the table's name.

    `before` and `after` hold only what changed.
    """
    session.add(_entry(actor, action, subject, subject_id, before, after, now))


def named_only(values: Mapping[str, Any], fields: Collection[str]) -> dict[str, Any]:
    """The values as they are kept where some are about a person: of these `fields`, only that they were given."""
    named = sorted(key for key in values if key in fields)
    kept = {key: value for key, value in values.items() if key not in fields}
    return {**kept, "fields": named} if named else kept


def record_refusals(session: Session, actor: Actor, denials: Iterable[Denial], now: datetime) -> None:
    """Notes what somebody was denied, one entry a permission; what `new_refusals` leaves out is not repeated."""
    for refusal in new_refusals(session, actor, denials, now):
        session.add(_entry(actor, REFUSED, refusal.permission, refusal.key, None, refusal.rows, now))


def record_many(
    session: Session,
    actor: Actor,
    action: str,
    subject: str,
    changes: Iterable[tuple[int, Mapping[str, Any] | None, Mapping[str, Any] | None]],
    now: datetime,
) -> None:
    """`record` for many subjects, (id, before, after) each, with one insert."""
    listed = list(changes)
    same = {
        "at": now,
        "account_id": actor.account_id,
        "action": action,
        "subject": subject,
        "address": actor.address,
    }
    columns: dict[str, list[Any]] = {
        "subject_id": [each for each, _before, _after in listed],
        "before": [_text(before) for _each, before, _after in listed],
        "after": [_text(after) for _each, _before, after in listed],
    }
    insert_many(session, "audit_entry", same, columns)


def exported(
    session: Session, actor: Actor, table: str, permission: str, kept: Mapping[str, Any], now: datetime
) -> None:
    """Adds one entry: the actor took rows of a table home. Raises `NotAllowed` without the permission."""
    actor.require(permission)
    actor.require_to_be_oneself()
    record(session, actor, permission, table, None, None, kept, now)


class Refusal(NamedTuple):
    """What is kept of denials of one permission: the row where it was one, the numbers of the rows where several."""

    permission: str
    key: int | None
    rows: Mapping[str, Any] | None


def new_refusals(session: Session, actor: Actor, denials: Iterable[Denial], now: datetime) -> list[Refusal]:
    """The denials as they are kept, but for those of the same person that were noted in the last ten minutes."""
    keys: dict[str, dict[int, None]] = {}
    for denial in denials:
        rows = keys.setdefault(denial.action[:64], {})
        if denial.key is not None:
            rows[denial.key] = None
    refusals = [
        Refusal(permission, next(iter(rows), None), None)
        if len(rows) < 2
        else Refusal(permission, None, {"count": len(rows), "rows": sorted(rows)[:MOST_ROWS]})
        for permission, rows in keys.items()
    ]
    return [refusal for refusal in refusals if not _noted_lately(session, actor, refusal, now)]


def _noted_lately(session: Session, actor: Actor, refusal: Refusal, now: datetime) -> bool:
    asked = select(func.count()).where(
        col(AuditEntry.account_id) == actor.account_id,
        col(AuditEntry.action) == REFUSED,
        col(AuditEntry.subject) == refusal.permission,
        col(AuditEntry.subject_id).is_not_distinct_from(refusal.key),
        col(AuditEntry.after) == _text(refusal.rows),
        col(AuditEntry.at) > now - SAME_REFUSAL,
    )
    return bool(session.scalar(asked))


def _entry(
    actor: Actor,
    action: str,
    subject: str,
    subject_id: int | None,
    before: Mapping[str, Any] | None,
    after: Mapping[str, Any] | None,
    now: datetime,
) -> AuditEntry:
    return AuditEntry(
        at=now,
        account_id=actor.account_id,
        action=action,
        subject=subject,
        subject_id=subject_id,
        before=_text(before),
        after=_text(after),
        address=actor.address,
    )


def _text(values: Mapping[str, Any] | None) -> str:
    return json.dumps(dict(values), ensure_ascii=False, sort_keys=True, default=str) if values else ""
