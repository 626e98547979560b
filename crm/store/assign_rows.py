"""Many customers to their consultants in a few statements, on either engine."""

from collections.abc import Sequence
from datetime import datetime
from itertools import chain
from typing import Any

import psycopg
from sqlalchemy import ColumnElement, bindparam, func, select, text, update
from sqlalchemy.exc import OperationalError
from sqlmodel import Session, SQLModel, col

from crm.domain.base import Moment
from crm.domain.customers import Customer, CustomerState
from crm.domain.deadlines import Deadlines
from crm.store.many_rows import is_one_of
from crm.store.session import is_postgres

_ROWS = SQLModel.metadata.tables["customer"]
_UNSEEN = {"synchronize_session": False}

MANY = 2_000
"""From so many rows on it pays to load them into a table first (PostgreSQL), and to keep indexes in memory (SQLite)."""
STEP = 10_000
"""So many rows at once at most: SQLite takes 32,766 values in one statement."""
CACHE_KIB = 65_536

_CHANGED = """
state = 'private', follow_up_due_at = :follow_up, deal_due_at = :deal, waiting_reason = NULL, version = version + 1
"""

_UPDATE = f"""
UPDATE customer SET {_CHANGED}, consultant_id = given.consultant_id FROM {{given}}
WHERE customer.id = given.customer_id AND state = 'waiting' AND deleted_at IS NULL
"""

# In the other form SQLite goes through everybody who waits for the sake of one.
_UPDATE_SQLITE = f"""
UPDATE customer SET {_CHANGED}, consultant_id = (SELECT consultant_id FROM given WHERE customer_id = customer.id)
WHERE id IN (SELECT customer_id FROM given) AND state = 'waiting' AND deleted_at IS NULL
"""

_INSERT = """
INSERT INTO assignment (customer_id, consultant_id, origin, opened_at, outcome, reason, opened_by_id)
SELECT customer_id, consultant_id, 'shared', :now, 'following', reason, :by
FROM {given}
"""

_UNNEST = """unnest(CAST(:customers AS integer[]), CAST(:consultants AS integer[]), CAST(:reasons AS text[]))
AS given (customer_id, consultant_id, reason)"""


Given = tuple[int, int, str]
"""A customer's id, the consultant's, and the stored reason why."""


def waiting_ids(session: Session, among: Sequence[int] | None, limit: int) -> list[int]:
    """The customers that wait, locked: the `limit` who came first, or all of `among`, in its order."""
    asked = select(_ROWS.c.id).where(*_waiting(session, among)).with_for_update()
    if among is None:
        return list(session.connection().scalars(asked.order_by(_ROWS.c.id).limit(limit)))
    there = set(session.connection().scalars(asked))
    return [each for each in dict.fromkeys(among) if each in there]


def count_waiting(session: Session, at_most: int | None = None) -> int:
    """How many wait; with `at_most` it stops counting there."""
    found = select(col(Customer.id)).where(*_waiting(session, None)).limit(at_most).subquery()
    return session.scalar(select(func.count()).select_from(found)) or 0


def keep_waiting(session: Session, among: Sequence[int] | None, reason: str) -> None:
    """Note on everybody who waits (or on those `among`) why. Rows that say so already are left alone."""
    session.execute(
        update(Customer)
        .where(*_waiting(session, among), col(Customer.waiting_reason).is_distinct_from(reason))
        .values(waiting_reason=reason),
        execution_options=_UNSEEN,
    )


def give(session: Session, rows: Sequence[Given], due: Deadlines, now: datetime, by: int | None) -> int:
    """Make up to `STEP` waiting customers private and open their episodes. Returns how many customers changed.

    The caller has locked them (`waiting_ids`), so anything but `len(rows)` is a mistake of the caller's.
    """
    moments = {"follow_up": due.follow_up_due_at, "deal": due.deal_due_at}
    made = {"now": now, "by": by}
    source, lists = "given", {}
    if is_postgres(session) and len(rows) < MANY:
        customers, consultants, reasons = map(list, zip(*rows, strict=True))
        source, lists = _UNNEST, {"customers": customers, "consultants": consultants, "reasons": reasons}
    else:
        _stage(session, rows)
    connection = session.connection()
    update_them = _UPDATE.format(given=source) if is_postgres(session) else _UPDATE_SQLITE
    changed = connection.execute(_timed(update_them), {**moments, **lists}).rowcount
    connection.execute(_timed(_INSERT.format(given=source)), {**made, **lists})
    return changed


def _stage(session: Session, rows: Sequence[Given]) -> None:
    """The rows in a table of this transaction's own, named `given`."""
    connection = session.connection()
    columns = "(customer_id INTEGER PRIMARY KEY, consultant_id INTEGER, reason TEXT)"
    if is_postgres(session):
        connection.exec_driver_sql(f"CREATE TEMP TABLE IF NOT EXISTS given {columns} ON COMMIT DROP")
        connection.exec_driver_sql("TRUNCATE given")
        driver: Any = connection.connection.driver_connection
        try:
            with driver.cursor() as cursor, cursor.copy("COPY given FROM STDIN") as copy:
                for row in rows:
                    copy.write_row(row)
        except psycopg.Error as error:
            raise OperationalError("COPY given", None, error) from error
        # Without it the planner takes the table for a small one.
        connection.exec_driver_sql("ANALYZE given")
        return
    if len(rows) >= MANY:
        connection.exec_driver_sql(f"PRAGMA cache_size = -{CACHE_KIB}")
    connection.exec_driver_sql(f"CREATE TEMP TABLE IF NOT EXISTS given {columns}")
    connection.exec_driver_sql("DELETE FROM temp.given")
    # One statement, so that other threads work meanwhile; executemany would ask them for the lock at every row.
    values = ", ".join(["(?, ?, ?)"] * len(rows))
    connection.exec_driver_sql(f"INSERT INTO temp.given VALUES {values}", tuple(chain.from_iterable(rows)))


def _waiting(session: Session, among: Sequence[int] | None) -> list[ColumnElement[bool]]:
    wanted: list[ColumnElement[bool]] = [
        col(Customer.state) == CustomerState.WAITING,
        col(Customer.deleted_at).is_(None),
    ]
    if among is not None:
        wanted.append(is_one_of(session, _ROWS.c.id, among))
    return wanted


def _timed(statement: str) -> Any:
    moments = {name for name in ("follow_up", "deal", "now") if f":{name}" in statement}
    return text(statement).bindparams(*(bindparam(name, type_=Moment()) for name in moments))
