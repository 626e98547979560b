"""Checks of what must be unique or whole: numbers, money, sheets, notices, and rows that refer to others."""

from collections.abc import Callable, Iterator

from sqlalchemy import Table, text
from sqlmodel import Session

from crm.domain import normalise
from crm.i18n import Says, says
from crm.services.doctor.ask import SHOWN, Check, ask, moment, more, not_digits
from crm.store.metadata import metadata


def _twice(column: str) -> Check:
    return Check(
        "customer",
        f"""
        SELECT min(id) AS first, max(id) AS last FROM customer
        WHERE {column} IS NOT NULL AND deleted_at IS NULL GROUP BY {column} HAVING count(*) > 1
        """,
        lambda row: says(
            "customer {first} and customer {last} have the same {field}. Delete the one that is not needed.",
            first=str(row.first),
            last=str(row.last),
            field=column,
        ),
    )


ENROLLED_UNPAID = Check(
    "customer",
    """
    SELECT id FROM customer c
    WHERE state = 'enrolled' AND EXISTS (SELECT 1 FROM payment)
      AND NOT EXISTS (SELECT 1 FROM payment p WHERE p.customer_id = c.id AND p.state = 'confirmed')
    """,
    lambda row: says(
        "customer {id}: is enrolled without a confirmed payment. Record and confirm the payment.", id=str(row.id)
    ),
)

IMPORT_SUM = Check(
    "import_batch",
    "SELECT id, rows, imported, duplicates, errors FROM import_batch WHERE imported + duplicates + errors <> rows",
    lambda row: says(
        "import_batch {id}: {imported} imported, {duplicates} duplicates and {errors} wrong rows are not the"
        " {rows} rows of the sheet. Correct the counts.",
        id=str(row.id),
        imported=row.imported,
        duplicates=row.duplicates,
        errors=row.errors,
        rows=row.rows,
    ),
)

IMPORT_COUNT = Check(
    "import_batch",
    """
    SELECT b.id, b.imported, coalesce(c.found, 0) AS found FROM import_batch b
    LEFT JOIN (SELECT import_batch_id, count(*) AS found FROM customer
               WHERE import_batch_id IS NOT NULL GROUP BY import_batch_id) AS c ON c.import_batch_id = b.id
    WHERE b.undone_at IS NULL AND coalesce(c.found, 0) <> b.imported
    """,
    lambda row: says(
        "import_batch {id}: says {imported} customers were imported, but {found} carry its number."
        " Correct imported, or import_batch_id of the customers.",
        id=str(row.id),
        imported=row.imported,
        found=row.found,
    ),
)

NOTICE_STUCK = Check(
    "notification",
    """
    SELECT id, channel, state, created_at FROM notification
    WHERE (state = 'pending' AND coalesce(next_try_at, created_at) < :an_hour_ago)
       OR (state = 'sending' AND coalesce(next_try_at, created_at) < :an_hour_ago)
    """,
    lambda row: says(
        "notification {id}: should have left by {channel} over an hour ago. Start the jobs: python -m jobs",
        id=str(row.id),
        channel=str(row.channel),
    ),
)

JOB_STUCK = Check(
    "job_run",
    "SELECT id, job, alive_at FROM job_run WHERE outcome = 'running' AND alive_at < :an_hour_ago",
    lambda row: says(
        "job_run {id}: {job} runs, but gave no sign of life since {alive}. Start the jobs again: python -m jobs",
        id=str(row.id),
        job=str(row.job),
        alive=moment(row.alive_at),
    ),
)

CHECKS = (_twice("phone"), _twice("qq"), ENROLLED_UNPAID, IMPORT_SUM, IMPORT_COUNT, NOTICE_STUCK, JOB_STUCK)


def orphans(session: Session) -> Iterator[Says]:
    """Rows that refer to a row which is not there, for every foreign key of every table."""
    for table in metadata.sorted_tables:
        for key in sorted(table.foreign_keys, key=lambda one: one.parent.name):
            yield from ask(session, _orphan(table, key.parent.name, key.column.table.name, key.column.name), {})


def _orphan(table: Table, column: str, parent: str, parent_column: str) -> Check:
    names = [one.name for one in table.primary_key]
    keys = ", ".join(f'c."{name}"' for name in names)
    return Check(
        table.name,
        f"""
        SELECT {keys}, c."{column}" AS gone FROM "{table.name}" c
        WHERE c."{column}" IS NOT NULL
          AND NOT EXISTS (SELECT 1 FROM "{parent}" p WHERE p."{parent_column}" = c."{column}")
        """,
        lambda row: says(
            "{table} {id}: {column} is {gone}, but {parent} has no such row. Correct it, or restore a backup.",
            table=table.name,
            id=", ".join(str(value) for value in row[: len(names)]),
            column=column,
            gone=str(row.gone),
            parent=parent,
        ),
    )


def numbers(session: Session, *, postgres: bool) -> Iterator[Says]:
    """Phones and QQ numbers that are not stored in the normal form, so that a duplicate goes unseen.

    The database sorts out the plain ones, which are nearly all; only the others are looked at here.
    """
    odd = {
        "phone": f"({not_digits('phone', postgres=postgres)} OR length(phone) <> 11 OR phone < '13')",
        "qq": f"({not_digits('qq', postgres=postgres)} OR qq < '1' OR length(qq) NOT BETWEEN 5 AND 12)",
    }
    for column, normal in (("phone", normalise.phone), ("qq", normalise.qq)):
        found = session.execute(
            text(f"SELECT id, {column} AS value FROM customer WHERE {column} IS NOT NULL AND {odd[column]}")
        )
        wrong = [row.id for row in found if not _is(normal, row.value)]
        for number in wrong[:SHOWN]:
            yield says(
                "customer {id}: {field} is not stored in its normal form, so a duplicate of it goes unseen."
                " Open the customer and enter it again.",
                id=str(number),
                field=column,
            )
        if len(wrong) > SHOWN:
            yield more("customer", len(wrong) - SHOWN)


def _is(normal: Callable[[str], str | None], value: str) -> bool:
    try:
        return normal(value) == value
    except normalise.Wrong:
        return False
