"""An index of the pairs of characters in customers' names, so that two characters find a name among a million.

PostgreSQL has an index on an expression; SQLite a full-text table beside `customer`, which triggers keep in the same
transaction. It is derived, so no revision speaks of it: `ensure` makes it where it is missing. Rows that bring their
import's number are indexed by the import at once (`index_import`): row by row they would take ten times as long.
SQLite's only grows: what it says of a former name or of a row that is gone is harmless, since whoever searches
compares the name itself too, and a text that is to be forgotten must be told exactly or the table breaks.
"""

from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Select,
    Table,
    column,
    event,
    func,
    literal_column,
    select,
    table,
    text,
)
from sqlalchemy.dialects.postgresql import array
from sqlmodel import Session, col

from crm.domain.customers import Customer

NAME = "customer_name_pairs"
LONGEST = 64
# Names are short: the pairs beyond these are cut only where there are any.
USUAL = 16


def _pairs_sqlite(name: str) -> str:
    first, rest = (
        " || ' ' || ".join(f"substr({name}, {place}, 2)" for place in places)
        for places in (range(1, USUAL), range(USUAL, LONGEST))
    )
    return f"{first} || CASE WHEN length({name}) > {USUAL} THEN ' ' || {rest} ELSE '' END"


def _pairs_postgresql(name: str) -> str:
    # Every second pair, beginning with the first character, then with the second.
    return " || ".join(
        f"string_to_array(regexp_replace({start}, '(..)', '\\1' || chr(1), 'g'), chr(1))"
        for start in (f"lower({name}::text)", f"substr(lower({name}::text), 2)")
    )


_LEARN = f"INSERT INTO {NAME} (rowid, pairs) VALUES (new.id, {_pairs_sqlite('new.name')});"
_ALL = f"INSERT INTO {NAME} (rowid, pairs) SELECT id, {_pairs_sqlite('name')} FROM customer"
_SQLITE = (
    f"CREATE VIRTUAL TABLE IF NOT EXISTS {NAME} USING fts5"
    "(pairs, content='', detail=none, columnsize=0, tokenize='unicode61 remove_diacritics 0')",
    f"CREATE TRIGGER IF NOT EXISTS {NAME}_new AFTER INSERT ON customer WHEN new.import_batch_id IS NULL "
    f"BEGIN {_LEARN} END",
    f"CREATE TRIGGER IF NOT EXISTS {NAME}_changed AFTER UPDATE OF name ON customer WHEN new.name <> old.name "
    f"BEGIN {_LEARN} END",
)
_POSTGRESQL = f"CREATE INDEX IF NOT EXISTS {NAME} ON customer USING gin (({_pairs_postgresql('name')}))"


def ensure(connection: Connection) -> None:
    """Make the index where it is missing, and fill it."""
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql(_POSTGRESQL)
        return
    known = connection.exec_driver_sql("SELECT 1 FROM sqlite_master WHERE name = ?", (NAME,)).first()
    for statement in _SQLITE:
        connection.exec_driver_sql(statement)
    if known is None:
        connection.exec_driver_sql(_ALL)


def rebuild(connection: Connection) -> None:
    """Fill the index anew, whatever it held: after rows came in that no trigger saw."""
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql(f"DROP TABLE IF EXISTS {NAME}")
    ensure(connection)


def index_import(session: Session, batch: int) -> None:
    """Index the names that an import has just brought."""
    if session.get_bind().dialect.name == "sqlite":
        session.connection().exec_driver_sql(f"{_ALL} WHERE import_batch_id = ?", (batch,))


def containing(session: Session, typed: str) -> Select[Any] | None:
    """The ids of the customers whose name may contain `typed`: every one that does, and hardly another.

    None where the index does not help: less than two letters or digits in a row.
    """
    pairs = [typed[place : place + 2] for place in range(len(typed) - 1)]
    pairs = [pair for pair in dict.fromkeys(pairs) if pair.isalnum()]
    if not pairs:
        return None
    if session.get_bind().dialect.name == "postgresql":
        wanted = [func.lower(pair) for pair in pairs]
        held: ColumnElement[Any] = literal_column(f"({_pairs_postgresql('customer.name')})")
        return select(col(Customer.id)).where(held.op("@>")(array(wanted)))
    found = table(NAME, column("rowid"))
    words = " AND ".join(f'"{pair}"' for pair in pairs)
    return select(found.c.rowid).where(text(f"{NAME} MATCH :words").bindparams(words=words))


def declared_by_models(name: str | None, _kind: str, _parents: object) -> bool:
    """Whether a table or an index is one that the models declare: for Alembic, to leave this one alone."""
    return name is None or not name.startswith(NAME)


def _made(_table: Table, connection: Connection, **_more: object) -> None:
    ensure(connection)


event.listen(Customer.__table__, "after_create", _made)  # type: ignore[attr-defined]
