"""Saving changes: each row through the table's own service, all in one transaction, a savepoint a row."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy.exc import IntegrityError
from sqlmodel import Session

from crm.errors import Conflict, Invalid, NotFound, ThanosError
from crm.grid.config import TableConfig
from crm.grid.edits import Change, Fault
from crm.grid.fields import attribute
from crm.i18n import says
from crm.rbac import Actor


@dataclass(frozen=True)
class Contest:
    """A row that somebody else changed since it was seen: their values, mine, and the version now."""

    id: Any
    version: int
    theirs: Mapping[str, Any]
    mine: Mapping[str, Any]


@dataclass(frozen=True)
class Saved:
    """What became of the changes. `versions` maps each saved row to its new version."""

    versions: Mapping[Any, int] = field(default_factory=dict)
    cells: int = 0
    faults: tuple[Fault, ...] = ()
    contests: tuple[Contest, ...] = ()


def save_all(config: TableConfig, session: Session, actor: Actor, changes: Sequence[Change], now: datetime) -> Saved:
    """Saves what can be saved, row by row; what cannot is told per cell and harms no other row.

    Where a row is refused for some of its cells only, its other cells are saved.
    """
    versions: dict[Any, int] = {}
    cells = 0
    faults: list[Fault] = []
    contests: list[Contest] = []
    for change in changes:
        left = dict(change.fields)
        while left:
            try:
                with session.begin_nested():
                    versions[change.id] = _save(config, session, actor, Change(change.id, change.version, left), now)
                cells += len(left)
                break
            except Conflict as conflict:
                contests.append(_contest(config, session, actor, change, conflict))
                break
            except Invalid as invalid:
                bad = [name for name in left if name in invalid.fields] or list(left)
                faults += [Fault(change.id, name, left[name], invalid.fields.get(name, invalid.says)) for name in bad]
                left = {name: value for name, value in left.items() if name not in bad}
            except ThanosError as error:
                faults += [Fault(change.id, name, value, error.says) for name, value in left.items()]
                break
            except IntegrityError:
                why = says("The database refuses this value: another row has it, or it breaks a rule.")
                faults += [Fault(change.id, name, value, why) for name, value in left.items()]
                break
    return Saved(versions, cells, tuple(faults), tuple(contests))


def one_row(config: TableConfig, session: Session, actor: Actor, row_id: Any) -> Any:
    """The row of that key as the actor may see it. Raises `NotFound`, whether it is not there or not theirs."""
    found = config.rows(session, actor).order_by(None).where(attribute(config.model, config.key) == row_id)
    row = session.scalars(found.execution_options(populate_existing=True)).first()
    if row is None:
        raise NotFound(says("There is no such record, or you may not see it."), config.permission, row_id)
    return row


def _save(config: TableConfig, session: Session, actor: Actor, change: Change, now: datetime) -> int:
    if config.save is None:
        raise Invalid(says("This table cannot be edited."))
    return config.save(session, actor, change.id, change.version, dict(change.fields), now)


def _contest(config: TableConfig, session: Session, actor: Actor, change: Change, conflict: Conflict) -> Contest:
    try:
        row = one_row(config, session, actor, change.id)
    except NotFound:
        return Contest(change.id, change.version, {}, change.fields)
    theirs = {name: conflict.theirs.get(name, getattr(row, name, None)) for name in change.fields}
    return Contest(change.id, getattr(row, config.version), theirs, change.fields)
