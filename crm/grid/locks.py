"""Which cells a person may not edit although the column may be edited: by the table's rule for single rows."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlmodel import Session

from crm.grid.config import TableConfig
from crm.i18n import Says
from crm.rbac import Actor

Closed = Mapping[Any, Mapping[str, Says]]


def closed(
    config: TableConfig, session: Session, actor: Actor, rows: Sequence[Any], fields: Sequence[str]
) -> dict[Any, dict[str, Says]]:
    """Key -> field -> why this person may not edit it, for these fields. Rows that are open are not in it."""
    if config.locked is None or not rows or not fields:
        return {}
    made: dict[Any, dict[str, Says]] = {}
    for key, why in config.locked(session, actor, rows).items():
        cells = dict.fromkeys(fields, why) if isinstance(why, Says) else {f: why[f] for f in fields if f in why}
        if cells:
            made[key] = cells
    return made
