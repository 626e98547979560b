"""A page of rows as the frame that the editor shows: the key as index, only columns that this person may see."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import pandas as pd
from sqlmodel import Session

from crm.grid.config import Action, Column, TableConfig
from crm.grid.edits import TICK, Cells, Snapshot
from crm.grid.fields import Kind, facts, path
from crm.grid.filters import related_labels
from crm.grid.values import Rule, shown_value, written_value
from crm.rbac import Actor

OPEN = "_open"
DTYPES: Mapping[Kind, str] = {
    "number": "Int64",
    "decimal": "Float64",
    "money": "Float64",
    "yes_no": "boolean",
    "date": "date32[pyarrow]",
    "moment": "timestamp[us, tz=UTC][pyarrow]",
}


@dataclass(frozen=True)
class Shown:
    """What is drawn: the frame, the snapshot behind it, and for each editable column how it is read."""

    frame: pd.DataFrame
    snapshot: Snapshot
    columns: tuple[Column, ...]
    rules: Mapping[str, Rule]
    options: Mapping[str, Mapping[Any, str]]
    names: Mapping[Any, str]


def kind_of(config: TableConfig, column: Column) -> Kind:
    """The column's kind: declared, else the model's, else text."""
    if column.kind is not None:
        return column.kind
    fact = facts(config.model).get(column.name)
    return fact.kind if fact is not None and not column.computed else "text"


def visible(config: TableConfig, actor: Actor) -> tuple[Column, ...]:
    """The columns that the actor may see."""
    return tuple(column for column in config.columns if column.see is None or actor.may(column.see))


def editable(config: TableConfig, actor: Actor) -> dict[str, Rule]:
    """How each column that the actor may edit reads what is typed."""
    if config.save is None:
        return {}
    return {
        column.name: Rule.of(facts(config.model)[column.name], column.kind)
        for column in visible(config, actor)
        if column.edit is not None and not column.computed and actor.may(column.edit)
    }


def permitted(config: TableConfig, actor: Actor) -> tuple[Action, ...]:
    """The actions that the actor may take."""
    return tuple(action for action in config.actions if actor.may(action.needs))


def shown(
    config: TableConfig, session: Session, actor: Actor, rows: Sequence[Any], ticked: frozenset[Any], now: datetime
) -> Shown:
    """The rows as a frame. Types are fixed by kind, so that a page of empty cells looks like any other."""
    rules, columns = editable(config, actor), visible(config, actor)
    actions = permitted(config, actor)
    ids = tuple(getattr(row, config.key) for row in rows)
    data: dict[str, Any] = {}
    options: dict[str, Mapping[Any, str]] = {}
    if actions:
        data[TICK] = pd.Series([key in ticked for key in ids], dtype="bool")
    if config.detail is not None or config.edit is not None:
        data[OPEN] = pd.Series([":material/open_in_new:"] * len(ids), dtype="str")
    for action in actions:
        if action.each:
            data[f"_{action.name}"] = pd.Series([str(action.label)] * len(ids), dtype="str")
    for column in columns:
        data[column.name], named = _cells(config, column, session, actor, rows, ids, now, column.name in rules)
        if named is not None:
            options[column.name] = named
    frame = pd.DataFrame(data, index=range(len(ids)))
    frame.index = pd.Index(list(ids), name=config.key)
    return Shown(
        frame,
        Snapshot(
            ids,
            tuple(getattr(row, config.version, 0) for row in rows),
            tuple(
                {
                    TICK: key in ticked,
                    **{name: written_value(rule.kind, getattr(row, name)) for name, rule in rules.items()},
                }
                for key, row in zip(ids, rows, strict=True)
            ),
        ),
        columns,
        rules,
        options,
        {key: name_of(config, row) for key, row in zip(ids, rows, strict=True)},
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


def name_of(config: TableConfig, row: Any) -> str:
    """What a person calls the row: its first plain column, else its key."""
    for column in config.columns:
        if not column.computed and kind_of(config, column) == "text":
            value = getattr(row, column.name)
            named = column.show(value) if column.show is not None and value else value
            return str(named or "") or f"#{getattr(row, config.key)}"
    return f"#{getattr(row, config.key)}"


def _cells(
    config: TableConfig,
    column: Column,
    session: Session,
    actor: Actor,
    rows: Sequence[Any],
    ids: Sequence[Any],
    now: datetime,
    edits: bool,
) -> tuple["pd.Series[Any]", Mapping[Any, str] | None]:
    kind = kind_of(config, column)
    if column.look_up is not None:
        found = column.look_up(session, rows, now)
        values = [found.get(key) for key in ids]
    elif column.value is not None:
        values = [column.value(row, now) for row in rows]
    else:
        values = [getattr(row, column.name) for row in rows]
    if column.show is not None and not edits:
        return pd.Series([None if value is None else str(column.show(value)) for value in values], dtype="str"), None
    if kind == "relation":
        here = path(config.model, column.name)
        keys = None if edits else sorted({value for value in values if value is not None})
        named = related_labels(session, actor, here, column.shows, column.choose if edits else None, keys)
        if not edits:
            return pd.Series([named.get(value) for value in values], dtype="str"), None
        absent = [value for value in dict.fromkeys(values) if value is not None and value not in named]
        if absent:
            named |= related_labels(session, actor, here, column.shows, None, absent)
        return pd.Series([written_value(kind, value) for value in values], dtype=_key_type(values)), named
    if edits or kind in ("number", "decimal", "yes_no"):
        return pd.Series([written_value(kind, value) for value in values], dtype=DTYPES.get(kind, "str")), None
    return pd.Series([shown_value(kind, value) for value in values], dtype="str"), None


def _key_type(values: Sequence[Any]) -> str:
    return "str" if any(isinstance(value, str) for value in values) else "Int64"
