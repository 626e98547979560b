"""A page of rows as the frame that the editor shows: the key as index, only columns that this person may see."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

import pandas as pd
from sqlmodel import Session

from crm.grid.cells import TEXT, column_of, drawn, kind_of
from crm.grid.config import Action, Column, TableConfig, Tone
from crm.grid.edits import TICK, Cells, Snapshot
from crm.grid.fields import facts
from crm.grid.locks import Closed, closed
from crm.grid.seeing import visible
from crm.grid.values import Rule
from crm.rbac import Actor

OPEN, LOCK = "_open", "_lock"


@dataclass(frozen=True)
class Shown:
    """What is drawn: the frame, the snapshot behind it, and for each editable column how it is read.

    `tones` has the colours of a column's badges by their text, `closed` why cells may not be edited, by row and field.
    `more` are the columns that have more choices than `options` lists.
    """

    frame: pd.DataFrame
    snapshot: Snapshot
    columns: tuple[Column, ...]
    rules: Mapping[str, Rule]
    options: Mapping[str, Mapping[Any, str]]
    names: Mapping[Any, str]
    tones: Mapping[str, Mapping[str, Tone | None]] = field(default_factory=dict)
    closed: Closed = field(default_factory=dict)
    more: frozenset[str] = frozenset()


def editable(config: TableConfig, actor: Actor) -> dict[str, Rule]:
    """How each column that the actor may edit reads what is typed."""
    if config.save is None:
        return {}
    return {
        column.name: Rule.of(facts(config.model)[column.name], column.kind)
        for column in visible(config, actor)
        if column.edit is not None and column.name in facts(config.model) and actor.may(column.edit)
    }


def permitted(config: TableConfig, actor: Actor) -> tuple[Action, ...]:
    """The actions that the actor may take."""
    return tuple(action for action in config.doings if actor.may(action.needs))


def shown(
    config: TableConfig,
    session: Session,
    actor: Actor,
    rows: Sequence[Any],
    ticked: frozenset[Any],
    now: datetime,
    hidden: frozenset[str] = frozenset(),
) -> Shown:
    """The rows as a frame without the `hidden` columns.

    Types are fixed by kind, so that a page of empty cells looks like any other.
    """
    rules = {name: rule for name, rule in editable(config, actor).items() if name not in hidden}
    columns = tuple(column for column in visible(config, actor) if column.name not in hidden)
    actions = permitted(config, actor)
    ids = tuple(getattr(row, config.key) for row in rows)
    data: dict[str, Any] = {}
    options: dict[str, Mapping[Any, str]] = {}
    tones: dict[str, Mapping[str, Tone | None]] = {}
    written: dict[str, Sequence[Any]] = {}
    more: set[str] = set()
    locked = closed(config, session, actor, rows, tuple(rules))
    if actions:
        data[TICK] = column_of([key in ticked for key in ids], bool)
    if config.detail is not None or (config.edit is not None and actor.may(config.edit.needs)):
        data[OPEN] = column_of([":material/open_in_new:"] * len(ids), TEXT)
    if config.locked is not None and rules:
        data[LOCK] = column_of([":material/lock:" if key in locked else None for key in ids], TEXT)
    for action in actions:
        if action.each:
            data[f"_{action.name}"] = column_of([str(action.label)] * len(ids), TEXT)
    for column in columns:
        made = drawn(config, column, session, actor, rows, now, column.name in rules)
        data[column.name], tones[column.name] = made.cells, made.tones
        if column.name in rules:
            written[column.name] = made.written
        if made.options is not None:
            options[column.name] = made.options
        if made.more:
            more.add(column.name)
    # Nobody else holds these columns, so they need not be copied.
    frame = pd.DataFrame(
        data, index=pd.Index(list(ids), name=config.key), columns=pd.Index(list(data), dtype=object), copy=False
    )
    return Shown(
        frame,
        Snapshot(
            ids,
            tuple(getattr(row, config.version, 0) for row in rows),
            tuple(
                {TICK: key in ticked, **{name: values[place] for name, values in written.items()}}
                for place, key in enumerate(ids)
            ),
        ),
        columns,
        rules,
        options,
        names_of(config, session, actor, rows),
        tones,
        locked,
        frozenset(more),
    )


def standing(shown: Shown, kept: Cells) -> Shown:
    """The same drawing with the cells of `kept` at the values given there, in the frame and in the snapshot."""
    if not kept:
        return shown
    frame = shown.frame.copy()
    cells = list(shown.snapshot.cells)
    for position, values in kept.items():
        cells[position] = {**cells[position], **values}
        for name, value in values.items():
            frame.at[shown.snapshot.ids[position], name] = value
    return replace(shown, frame=frame, snapshot=replace(shown.snapshot, cells=tuple(cells)))


def naming(config: TableConfig, actor: Actor) -> str:
    """The field by which people know a row: the first plain text that the actor may see, else the key."""
    fields = facts(config.model)
    texts = (
        column.name
        for column in visible(config, actor)
        if column.name in fields and not column.computed and kind_of(config, column) == "text"
    )
    return next(texts, config.key)


def names_of(config: TableConfig, session: Session, actor: Actor, rows: Sequence[Any]) -> dict[Any, str]:
    """What the actor calls these rows, by key: by their `naming` field as the table shows it, else by their number."""
    keys = [getattr(row, config.key) for row in rows]
    called = config.called(session, keys) if config.called is not None else {}
    known_by = _known_by(config, actor)
    return {
        key: str(called[key]) if key in called else _name(config, known_by, row)
        for key, row in zip(keys, rows, strict=True)
    }


def _known_by(config: TableConfig, actor: Actor) -> Column | None:
    """The column that names a row; None: its number does."""
    known_by = naming(config, actor)
    return next((column for column in config.columns if column.name == known_by != config.key), None)


def _name(config: TableConfig, known_by: Column | None, row: Any) -> str:
    value = getattr(row, known_by.name) if known_by else None
    named = known_by.show(value) if known_by and known_by.show is not None and value else value
    return str(named or "") or f"#{getattr(row, config.key)}"
