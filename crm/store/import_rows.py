"""Many customers from a sheet into the database in a few statements, on either engine."""

import json
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from itertools import islice
from typing import Any

import psycopg
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError, OperationalError
from sqlmodel import Session

from crm.store.assign_rows import CACHE_KIB
from crm.store.session import is_postgres

ROWS_A_STEP = 10_000
# A number without meaning of its own: imports take turns, so that two of the same people cannot block each other.
_TURN = 0x7_4A_0001


def take_turn(session: Session) -> None:
    """Wait until no other import writes. On SQLite there is only one writer anyway."""
    if is_postgres(session):
        session.execute(text("SELECT pg_advisory_xact_lock(:turn)"), {"turn": _TURN})


def known(session: Session, column: str, values: Sequence[str]) -> set[str]:
    """Which of the values of `phone`, `qq` or `wechat` belong to a live customer."""
    return {value for value, _id in _found(session, column, values)}


def owners(session: Session, column: str, values: Sequence[str]) -> dict[str, int]:
    """The live customer of each known value of `phone` or `qq`."""
    return dict(_found(session, column, values))


def _found(session: Session, column: str, values: Sequence[str]) -> list[tuple[str, int]]:
    if not values:
        return []
    given: list[str] | str
    if is_postgres(session):
        among, given = "= ANY(:values)", list(values)
    else:
        among, given = "IN (SELECT value FROM json_each(:values))", json.dumps(list(values))
    asked = f"SELECT {column}, id FROM customer WHERE {column} {among} AND {column} IS NOT NULL AND deleted_at IS NULL"
    return list(session.execute(text(asked), {"values": given}))


def insert(session: Session, table: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> Iterator[int]:
    """Insert many rows of plain values: executemany on SQLite, COPY on PostgreSQL. Yields how many are done.

    Raises SQLAlchemy's `IntegrityError` if one of them breaks a rule of the table.
    """
    listed = ", ".join(columns)
    connection = session.connection()
    steps = _steps(rows)
    if not is_postgres(session):
        connection.exec_driver_sql(f"PRAGMA cache_size = -{CACHE_KIB}")
        statement = f"INSERT INTO {table} ({listed}) VALUES ({', '.join('?' * len(columns))})"
        for done, some in steps:
            connection.exec_driver_sql(statement, some)
            yield done
        return
    statement = f"COPY {table} ({listed}) FROM STDIN"
    driver: psycopg.Connection[Any] = connection.connection.driver_connection  # type: ignore[assignment]
    try:
        with driver.cursor() as cursor, cursor.copy(statement.encode()) as copy:
            for done, some in steps:
                for row in some:
                    copy.write_row(row)
                yield done
    except psycopg.IntegrityError as error:
        raise IntegrityError(statement, None, error) from error
    except psycopg.Error as error:
        raise OperationalError(statement, None, error) from error


def _steps(rows: Iterable[Sequence[Any]]) -> Iterator[tuple[int, list[Any]]]:
    left, done = iter(rows), 0
    while some := list(islice(left, ROWS_A_STEP)):
        done += len(some)
        yield done, some


def moment(session: Session, value: datetime) -> str:
    """A moment as a plain value for `insert`."""
    utc = value.astimezone(UTC)
    return f"{utc:%Y-%m-%d %H:%M:%S.%f}" + ("+00" if is_postgres(session) else "")


def ids_of(session: Session, batch: int) -> list[int]:
    """The ids of the customers that came in with a batch, in the order in which they were inserted."""
    asked = "SELECT id FROM customer WHERE import_batch_id = :batch ORDER BY id"
    return list(session.scalars(text(asked), {"batch": batch}))


def insert_courses(session: Session, pairs: Sequence[tuple[int, int]]) -> None:
    """Courses of interest, as (customer, course)."""
    if pairs:
        rows = [{"customer": customer, "course": course} for customer, course in pairs]
        session.connection().execute(
            text("INSERT INTO customer_course (customer_id, course_id) VALUES (:customer, :course)"), rows
        )
