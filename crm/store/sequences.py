"""PostgreSQL's counters, after rows came in with keys of their own."""

from sqlalchemy import Connection, text

from crm.store.metadata import metadata


def mend_sequences(connection: Connection) -> None:
    """Set every counter behind the highest key of its table, so that the next row gets a free one."""
    for table in metadata.sorted_tables:
        key = table.autoincrement_column
        if key is not None:
            connection.execute(
                text(
                    f"SELECT setval(pg_get_serial_sequence('{table.name}', '{key.name}'), max({key.name}))"
                    f' FROM "{table.name}" HAVING max({key.name}) IS NOT NULL'
                )
            )
