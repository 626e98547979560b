"""One column of a page as the frame holds it: values read, computed or looked up, and drawn by their kind."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from typing import Any
from urllib.parse import quote

import pandas as pd
from pandas.api.extensions import ExtensionArray
from sqlalchemy import select
from sqlmodel import Session

from crm.grid.config import Column, TableConfig, Tone
from crm.grid.fields import Kind, attribute, facts, path
from crm.grid.filters import MANY_CHOICES, related_labels
from crm.grid.values import shown_value, written_value
from crm.rbac import Actor

# Types, not their names: pandas takes longer to look a name up than to make the column.
TEXT = pd.StringDtype(na_value=float("nan"))
NUMBER = pd.Int64Dtype()
DTYPES: Mapping[Kind, Any] = {
    "number": NUMBER,
    "decimal": pd.Float64Dtype(),
    "money": pd.Float64Dtype(),
    "yes_no": pd.BooleanDtype(),
    "date": pd.api.types.pandas_dtype("date32[pyarrow]"),
    "moment": pd.api.types.pandas_dtype("timestamp[us, tz=UTC][pyarrow]"),
}
ADDRESSES = ("/", "https://", "http://", "mailto:", "tel:")
"""What the address of a link may begin with: a value of the database is no script."""


@dataclass(frozen=True)
class Drawn:
    """The cells of one column. `options` are its choices where it is edited, `tones` its badges' colours by text.

    `more`: there are more choices than `options` has. `written` is what the cells hold where they are edited.
    """

    cells: ExtensionArray
    options: Mapping[Any, str] | None = None
    tones: Mapping[str, Tone | None] = field(default_factory=dict)
    more: bool = False
    written: Sequence[Any] = ()


def column_of(values: Sequence[Any], dtype: Any) -> ExtensionArray:
    """The values as a column of a frame, without an index of its own."""
    made: ExtensionArray = pd.array(values, dtype=dtype)
    return made


def kind_of(config: TableConfig, column: Column) -> Kind:
    """The column's kind: declared, else the model's, else text."""
    if column.kind is not None:
        return column.kind
    if column.related:
        return path(config.model, column.name).last.kind
    fact = facts(config.model).get(column.name)
    return fact.kind if fact is not None and not column.computed else "text"


def drawn(
    config: TableConfig,
    column: Column,
    session: Session,
    actor: Actor,
    rows: Sequence[Any],
    now: datetime,
    edits: bool,
) -> Drawn:
    """The cells of these rows. Types are fixed by kind, so that a page of empty cells looks like any other."""
    kind = kind_of(config, column)
    values = raw_values(config, column, session, rows, now)
    if edits:
        named, more = _choices(config, column, session, actor, values) if kind == "relation" else (None, False)
        dtype = _key_type(values) if kind == "relation" else DTYPES.get(kind, TEXT)
        written = [written_value(kind, value) for value in values]
        return Drawn(column_of(written, dtype), named, more=more, written=written)
    if column.progress is not None:
        return Drawn(column_of([None if value is None else float(value) for value in values], DTYPES["decimal"]))
    plain = column.show is None and column.tone is None and column.link is None
    if plain and kind in ("number", "decimal", "yes_no"):
        return Drawn(column_of([written_value(kind, value) for value in values], DTYPES[kind]))
    texts = _texts(config, column, session, actor, kind, values)
    if column.tone is not None:
        tones = {text: column.tone(value) for text, value in zip(texts, values, strict=True) if text}
        return Drawn(pd.Series([[text] if text else [] for text in texts], dtype=object).array, None, tones)
    if column.link is not None:
        texts = [_linked(column.link(row), text) for row, text in zip(rows, texts, strict=True)]
    return Drawn(column_of(texts, TEXT))


def raw_values(config: TableConfig, column: Column, session: Session, rows: Sequence[Any], now: datetime) -> list[Any]:
    """What the rows hold in that column, or what is computed or looked up for it, before it is drawn."""
    if column.look_up is not None:
        found = column.look_up(session, rows, now)
        return [found.get(getattr(row, config.key)) for row in rows]
    if column.value is not None:
        return [column.value(row, now) for row in rows]
    if column.related:
        return _reached(config, column.name, session, rows)
    return [getattr(row, column.name) for row in rows]


def _reached(config: TableConfig, dotted: str, session: Session, rows: Sequence[Any]) -> list[Any]:
    """The field of the related rows: one query for each step, whatever the number of rows."""
    here = path(config.model, dotted)
    values = [getattr(row, here.hops[0][0]) for row in rows]
    fields = [step for step, _model, _key in here.hops[1:]] + [here.last.name]
    for (_step, target, key), name in zip(here.hops, fields, strict=True):
        wanted = {value for value in values if value is not None}
        asked = select(attribute(target, key), attribute(target, name)).where(attribute(target, key).in_(wanted))
        found = {pair[0]: pair[1] for pair in session.execute(asked)} if wanted else {}
        values = [found.get(value) for value in values]
    return values


def _texts(
    config: TableConfig, column: Column, session: Session, actor: Actor, kind: Kind, values: Sequence[Any]
) -> list[str | None]:
    if column.show is not None:
        return [None if value is None else str(column.show(value)) for value in values]
    if kind == "relation" and not column.computed:
        keys = sorted({value for value in values if value is not None})
        named = related_labels(session, actor, path(config.model, column.name), column.shows, None, keys)
        return [named.get(value) for value in values]
    return [shown_value(kind, value) for value in values]


def _choices(
    config: TableConfig, column: Column, session: Session, actor: Actor, values: Sequence[Any]
) -> tuple[Mapping[Any, str], bool]:
    """The choices, what the cells hold in any case, and whether there are more than are listed."""
    here = path(config.model, column.name)
    every = related_labels(session, actor, here, column.shows, column.choose)
    named = dict(islice(every.items(), MANY_CHOICES))
    absent = [value for value in dict.fromkeys(values) if value is not None and value not in named]
    beyond = related_labels(session, actor, here, column.shows, None, absent) if absent else {}
    return named | beyond, len(every) > MANY_CHOICES


def _linked(address: str | None, text: str | None) -> str | None:
    """The address with its text behind it, which the column shows in its place. None where there is no safe address."""
    if not address or not text or not address.startswith(ADDRESSES):
        return None
    return address if address.startswith(("mailto:", "tel:")) else f"{address}#{quote(text, safe='')}"


def _key_type(values: Sequence[Any]) -> Any:
    return TEXT if any(isinstance(value, str) for value in values) else NUMBER
