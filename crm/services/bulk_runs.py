"""How far somebody's last action on many rows came: the audit log has an entry with each of its steps."""

import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import select
from sqlmodel import Session, col

from crm.domain.records import AuditEntry
from crm.rbac import Actor
from crm.services.access import audit

NEWS = timedelta(hours=1)
"""So long somebody who comes back is told of it. Who may read the audit log finds it there at any time."""


class Ran(NamedTuple):
    """How far it came: the action by its name, of how many rows so many were done or refused, and when."""

    action: str
    rows: int
    done: int
    refused: int
    at: datetime


def note(session: Session, actor: Actor, table: str, permission: str, kept: Mapping[str, Any], now: datetime) -> None:
    """Adds how far the run is now, in the transaction of the step that brought it there."""
    actor.require(permission)
    audit.record(session, actor, permission, table, None, None, kept, now)


def last(session: Session, actor: Actor, table: str, now: datetime) -> Ran | None:
    """The actor's own last run on the table within the hour; None where there was none."""
    asked = (
        select(col(AuditEntry.after), col(AuditEntry.at))
        .where(
            col(AuditEntry.subject) == table,
            col(AuditEntry.subject_id).is_(None),
            col(AuditEntry.account_id) == actor.account_id,
            col(AuditEntry.at) > now - NEWS,
        )
        .order_by(col(AuditEntry.id).desc())
    )
    for after, at in session.execute(asked):
        kept = json.loads(after or "{}")
        if "done" in kept:
            return Ran(kept["action"], kept["rows"], kept["done"], kept["refused"], at)
    return None
