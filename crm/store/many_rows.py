"""Many rows of one table in one statement, on either engine."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import ARRAY, Integer, bindparam, func, insert, literal, select
from sqlalchemy.orm import Session
from sqlmodel import SQLModel

from crm.store.session import is_postgres

_INTEGERS = ARRAY(Integer)


def insert_many(session: Session, table: str, same: Mapping[str, Any], columns: Mapping[str, Sequence[Any]]) -> None:
    """Insert rows that have the values of `same` in common, and the others, numbers or texts, from `columns`.

    Those are equally long.
    """
    into = SQLModel.metadata.tables[table]
    names = list(columns)
    if not columns[names[0]]:
        return
    # One by one, even in a pipeline, takes either engine several times as long.
    chosen: list[Any] = [literal(value, into.c[name].type) for name, value in same.items()]
    given: Any
    if is_postgres(session):
        lists = [bindparam(None, list(values), type_=ARRAY(into.c[name].type)) for name, values in columns.items()]
        given = func.unnest(*lists).table_valued(*names, name="given").render_derived()
        chosen += [given.c[name] for name in names]
    else:
        rows = json.dumps(list(zip(*columns.values(), strict=True)))
        given = func.json_each(rows).table_valued("value")
        chosen += [func.json_extract(given.c.value, f"$[{place}]") for place in range(len(names))]
    session.connection().execute(insert(into).from_select([*same, *names], select(*chosen)))


def is_one_of(session: Session, column: Any, values: Sequence[int]) -> Any:
    """`column IN values` for any number of values, as one parameter."""
    if is_postgres(session):
        return column == func.any(bindparam(None, list(values), type_=_INTEGERS))
    listed = func.json_each(json.dumps(list(values))).table_valued("value")
    return column.in_(select(listed.c.value))
