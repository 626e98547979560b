"""Saving changes: each row through the table's own service, all in one transaction, a savepoint a row."""

import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session

from crm.errors import Conflict, Invalid, NotFound, ThanosError
from crm.grid.config import TableConfig
from crm.grid.edits import Change, Fault
from crm.grid.fields import attribute
from crm.grid.form_config import by_name
from crm.grid.locks import Closed, closed
from crm.grid.relations import not_offered, values_of
from crm.grid.seeing import sees, visible
from crm.i18n import Says, says
from crm.rbac import Actor

LOG = logging.getLogger(__name__)


@dataclass(frozen=True)
class Contest:
    """A row that somebody else changed since it was seen: their values, mine, and the version now."""

    id: Any
    version: int
    theirs: Mapping[str, Any]
    mine: Mapping[str, Any]

    def without(self, name: str) -> "Contest":
        """The same once that cell is settled."""
        theirs = {other: value for other, value in self.theirs.items() if other != name}
        return Contest(self.id, self.version, theirs, {other: self.mine[other] for other in theirs})


@dataclass(frozen=True)
class Saved:
    """What became of the changes. `versions` maps each saved row to its new version.

    `undo` are the changes that bring back what was there before, each against the version that was just made: what was
    typed, and what else the service changed of it that this person may edit.
    """

    versions: Mapping[Any, int] = field(default_factory=dict)
    cells: int = 0
    faults: tuple[Fault, ...] = ()
    contests: tuple[Contest, ...] = ()
    undo: tuple[Change, ...] = ()


def save_all(config: TableConfig, session: Session, actor: Actor, changes: Sequence[Change], now: datetime) -> Saved:
    """Saves what can be saved, row by row; what cannot is told per cell and harms no other row.

    Where a row is refused for some of its cells only, its other cells are saved.
    """
    versions: dict[Any, int] = {}
    cells = 0
    faults: list[Fault] = []
    contests: list[Contest] = []
    undo: list[Change] = []
    for change in changes:
        left = dict(change.fields)
        before: dict[str, Any] = {}
        try:
            refused, before = _looked_at(config, session, actor, change)
        except ThanosError as error:
            refused = dict.fromkeys(left, error.says)
        faults += [Fault(change.id, name, left.pop(name), why) for name, why in refused.items()]
        while left:
            try:
                with session.begin_nested():
                    version = _save(config, session, actor, Change(change.id, change.version, left), now)
            except Conflict as conflict:
                contest = _contest(config, session, actor, Change(change.id, change.version, left), conflict)
                contests += [contest] if contest is not None else []
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
            else:
                versions[change.id] = version
                cells += len(left)
                if before.keys() >= left.keys():
                    undo.append(Change(change.id, version, _to_undo(config, session, change.id, left, before)))
                break
    return Saved(versions, cells, tuple(faults), tuple(contests), tuple(undo))


def one_row(config: TableConfig, session: Session, actor: Actor, row_id: Any) -> Any:
    """The row of that key as the actor may see it. Raises `NotFound`, whether it is not there or not theirs."""
    row = _row(config, session, actor, row_id)
    if row is None:
        raise NotFound(says("There is no such record, or you may not see it."), config.permission, row_id)
    return row


def why_closed(config: TableConfig, session: Session, actor: Actor, row: Any, fields: Sequence[str]) -> dict[str, Says]:
    """Field -> why this person may not edit it on this row."""
    rule: Closed = closed(config, session, actor, [row], fields)
    return dict(rule.get(getattr(row, config.key), {}))


def _looked_at(
    config: TableConfig, session: Session, actor: Actor, change: Change
) -> tuple[dict[str, Says], dict[str, Any]]:
    """Which cells of the change are refused by the declaration, and what the row holds if it is what was seen.

    That is all of it that this person may edit, for a service may change more than was typed. A row that is not there,
    or not theirs, is left to the service, which says so.
    """
    row = _row(config, session, actor, change.id) if config.save is not None else None
    if row is None:
        return {}, {}
    refused = why_closed(config, session, actor, row, list(change.fields))
    held = values_of(config, session, row, [*dict.fromkeys((*change.fields, *_editable(config, actor)))])
    open_to = {name: value for name, value in change.fields.items() if name not in refused}
    forged = not_offered(config, session, actor, open_to, held)
    if forged:
        names = ", ".join(sorted(forged))
        LOG.warning("table %s: account %s chose what it is not offered: %s", config.name, actor.account_id, names)
    return refused | forged, held if getattr(row, config.version, None) == change.version else {}


def _editable(config: TableConfig, actor: Actor) -> Iterator[str]:
    """What the actor may edit of a row, in the list or in the form."""
    yield from (column.name for column in visible(config, actor) if column.edit is not None and actor.may(column.edit))
    if config.edit is not None and actor.may(config.edit.needs):
        closed_to = {column.name for column in config.columns if not sees(config, actor, column)}
        yield from (name for name in by_name(config.edit) if name not in closed_to)


def _to_undo(
    config: TableConfig, session: Session, row_id: Any, typed: Mapping[str, Any], before: Mapping[str, Any]
) -> dict[str, Any]:
    """What was typed over, and what else is not as it was any more: minutes that went when absent was chosen."""
    asked = select(config.model).where(attribute(config.model, config.key) == row_id)
    row = session.scalars(asked.execution_options(populate_existing=True)).first()
    after = values_of(config, session, row, list(before)) if row is not None else before
    return {name: value for name, value in before.items() if name in typed or after[name] != value}


def _row(config: TableConfig, session: Session, actor: Actor, row_id: Any) -> Any:
    found = config.rows(session, actor).order_by(None).where(attribute(config.model, config.key) == row_id)
    return session.scalars(found.execution_options(populate_existing=True)).first()


def _save(config: TableConfig, session: Session, actor: Actor, change: Change, now: datetime) -> int:
    if config.save is None:
        raise Invalid(says("This table cannot be edited."))
    return config.save(session, actor, change.id, change.version, dict(change.fields), now)


def _contest(config: TableConfig, session: Session, actor: Actor, change: Change, conflict: Conflict) -> Contest | None:
    """What is to be decided: None where both came to the same values."""
    try:
        row = one_row(config, session, actor, change.id)
    except NotFound:
        return Contest(change.id, change.version, {}, change.fields)
    held = values_of(config, session, row, list(change.fields))
    theirs = {name: conflict.theirs.get(name, held.get(name)) for name in change.fields}
    differ = {name: value for name, value in change.fields.items() if theirs[name] != value}
    if not differ:
        return None
    return Contest(change.id, getattr(row, config.version), {name: theirs[name] for name in differ}, differ)
