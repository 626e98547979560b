"""The audit log: who did what to what, when and from where. Written in the doer's own transaction.

Values are kept of staff and permission data only. Of customers, ids and names of fields: never
a phone number or anything else by which somebody could be reached.
"""

import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session
from sqlmodel import col

from crm.domain.records import AuditEntry
from crm.rbac import Actor

REFUSED = "refused"
SAME_REFUSAL = timedelta(minutes=10)


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
    session.add(
        AuditEntry(
            at=now,
            account_id=actor.account_id,
            action=action,
            subject=subject,
            subject_id=subject_id,
            before=_text(before),
            after=_text(after),
            address=actor.address,
        )
    )


def record_refusal(session: Session, actor: Actor, permission: str, now: datetime) -> None:
    """Notes that somebody was denied `permission`; the same refusal again within ten minutes is not repeated."""
    if not refused_lately(session, actor, permission, now):
        record(session, actor, REFUSED, permission, None, None, None, now)


def refused_lately(session: Session, actor: Actor, permission: str, now: datetime) -> bool:
    """Whether the same refusal of the same person was noted in the last ten minutes."""
    asked = select(func.count()).where(
        col(AuditEntry.account_id) == actor.account_id,
        col(AuditEntry.action) == REFUSED,
        col(AuditEntry.subject) == permission,
        col(AuditEntry.at) > now - SAME_REFUSAL,
    )
    return bool(session.scalar(asked))


def _text(values: Mapping[str, Any] | None) -> str:
    return json.dumps(dict(values), ensure_ascii=False, sort_keys=True, default=str) if values else ""
