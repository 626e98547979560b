"""Many customers from a sheet into the database in a few statements, on either engine."""

import json
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

import psycopg
from sqlalchemy import bindparam, text
from sqlalchemy.exc import OperationalError
from sqlmodel import Session

from crm.domain.base import Moment
from crm.store.session import is_postgres

ROWS_A_STEP = 10_000
COLUMNS = (
    "name",
    "gender",
    "phone",
    "qq",
    "wechat",
    "email",
    "education",
    "graduation_school",
    "major",
    "experience",
    "work_status",
    "company",
    "salary",
    "source",
    "note",
)
"""What a row carries, in this order; after them the referring customer's id."""

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


def new_ids(session: Session, count: int) -> list[int]:
    """Ids for so many customers, rising, that nobody else gets."""
    if is_postgres(session):
        asked = "SELECT nextval(pg_get_serial_sequence('customer', 'id')) FROM generate_series(1, :count)"
        return list(session.scalars(text(asked), {"count": count}))
    last: int = session.scalar(text("SELECT coalesce(max(id), 0) FROM customer")) or 0
    return list(range(last + 1, last + count + 1))


def insert(
    session: Session, ids: Sequence[int], rows: Sequence[Sequence[Any]], *, batch: int, now: datetime, by: int | None
) -> Iterator[int]:
    """Insert customers who wait, `rows` being values of COLUMNS and the referring customer's id.

    Rows whose phone or QQ a live customer has are left out. Yields how many rows are done, as it goes on.
    """
    steps = range(0, len(rows), ROWS_A_STEP)
    if is_postgres(session):
        yield from _copy(session, ids, rows, steps, {"batch": batch, "now": now, "by": by})
        return
    moment = Moment().process_bind_param(now, session.get_bind().dialect)
    statement = (
        f"INSERT INTO customer (id, {', '.join(COLUMNS)}, referred_by_id, state, import_batch_id, created_at,"
        f" created_by_id, version) VALUES ({', '.join('?' * (len(COLUMNS) + 2))}, 'waiting', {int(batch)},"
        f" '{moment:%Y-%m-%d %H:%M:%S.%f}', {'NULL' if by is None else int(by)}, 1) ON CONFLICT DO NOTHING"
    )
    connection = session.connection()
    for start in steps:
        part = slice(start, start + ROWS_A_STEP)
        given = [(number, *row) for number, row in zip(ids[part], rows[part], strict=True)]
        connection.exec_driver_sql(statement, given)
        yield start + len(given)


def _copy(
    session: Session, ids: Sequence[int], rows: Sequence[Sequence[Any]], steps: range, shared: dict[str, Any]
) -> Iterator[int]:
    """By COPY into a table of this transaction, and from there to those whom nobody else has entered meanwhile."""
    connection = session.connection()
    listed = ", ".join(("id", *COLUMNS, "referred_by_id"))
    connection.exec_driver_sql(
        f"CREATE TEMP TABLE import_row ON COMMIT DROP AS SELECT {listed} FROM customer WITH NO DATA"
    )
    driver: psycopg.Connection[Any] = connection.connection.driver_connection  # type: ignore[assignment]
    statement = f"COPY import_row ({listed}) FROM STDIN"
    try:
        with driver.cursor() as cursor, cursor.copy(statement) as copy:
            for start in steps:
                part = slice(start, start + ROWS_A_STEP)
                for number, row in zip(ids[part], rows[part], strict=True):
                    copy.write_row((number, *row))
                yield min(start + ROWS_A_STEP, len(rows)) // 2
    except psycopg.Error as error:
        raise OperationalError(statement, None, error) from error
    connection.execute(
        text(
            f"INSERT INTO customer ({listed}, state, import_batch_id, created_at, created_by_id, version)"
            f" SELECT {listed}, 'waiting', :batch, :now, CAST(:by AS integer), 1 FROM import_row ORDER BY id"
            " ON CONFLICT DO NOTHING"
        ).bindparams(bindparam("now", type_=Moment())),
        shared,
    )
    connection.exec_driver_sql("DROP TABLE import_row")
    yield len(rows)


def inserted(session: Session, batch: int) -> set[int]:
    """The ids of the customers that came in with a batch."""
    return set(session.scalars(text("SELECT id FROM customer WHERE import_batch_id = :batch"), {"batch": batch}))


def insert_courses(session: Session, pairs: Sequence[tuple[int, int]]) -> None:
    """Courses of interest, as (customer, course)."""
    if pairs:
        rows = [{"customer": customer, "course": course} for customer, course in pairs]
        session.connection().execute(
            text("INSERT INTO customer_course (customer_id, course_id) VALUES (:customer, :course)"), rows
        )
