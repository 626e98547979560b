"""Backup and restore: the whole database and what students handed in, in one file, for either engine.

A school that began on a laptop moves to PostgreSQL by a backup here and a restore there.
"""

import errno
import os
from collections.abc import Iterator
from contextlib import suppress
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

import psycopg
from sqlalchemy import Connection, Engine, inspect, text
from sqlalchemy.exc import DataError, IntegrityError, OperationalError

from crm.errors import Refused, Unavailable
from crm.i18n import says
from crm.services.backup import values
from crm.services.backup.archive import Reader, TableEntry, Writer, opened, refuse, refuse_row
from crm.store.engine import make_engine
from crm.store.homework_files import path_of, put_back
from crm.store.metadata import metadata
from crm.store.migrate import head, rebuilding, require_head
from crm.store.sequences import mend_sequences

CHUNK = 5_000


class HandedIn(NamedTuple):
    """How many handed-in files a backup holds, and how many that rows name were not there to be held."""

    files: int
    gone: int


def backup(url: str, file: Path) -> HandedIn:
    """Write the database at `url` into `file`, as it is at one moment, and the files that its students handed in.

    Others go on writing meanwhile: a file is never changed, and stays for the night after it was replaced.
    Only its owner can read the file, which holds everything. It appears when it is whole: an error or a
    full disk leaves none. Raises `Refused` if it exists, `Unavailable` if the database or the disk is not.
    """
    if file.exists():
        raise Refused(says("{file} exists already. Choose another name.", file=str(file)))
    part = file.with_name(f".{file.name}.{os.getpid()}.part")
    engine = make_engine(url)
    try:
        require_head(engine)
        os.close(os.open(part, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
        with Writer(part, head()) as writer, _snapshot(engine) as connection:
            for table in metadata.sorted_tables:
                columns = {column.name: values.kind(column) for column in table.columns}
                keys = [column.name for column in table.primary_key]
                writer.table(table.name, columns, _rows(connection, table.name, columns, keys))
            names = _handed_in(connection)
            files = writer.files((name, path) for name in names if (path := path_of(name)) is not None)
            writer.close()
        _settle(part, file)
        return HandedIn(files, len(names) - files)
    except OperationalError as error:
        raise Unavailable(
            says("The database cannot be read: {why}. No backup was written.", why=_first_line(error.orig))
        ) from error
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise Unavailable(
                says("The disk is full. No backup was written. Free some space and try again.")
            ) from error
        raise Unavailable(
            says("{file} cannot be written: {why}. No backup was written.", file=str(file), why=error.strerror or "")
        ) from error
    finally:
        engine.dispose()
        with suppress(OSError):
            part.unlink(missing_ok=True)


def _handed_in(connection: Connection) -> list[str]:
    asked = text("SELECT homework_file FROM study_record WHERE homework_file IS NOT NULL ORDER BY homework_file")
    return [row[0] for row in connection.execute(asked)]


def check(file: Path) -> None:
    """Read all of a backup and change nothing. Raises `Unreadable` for a file that is no whole backup."""
    with opened(file):
        pass


def restore(url: str, file: Path, *, replace: bool = False) -> int:
    """Make the database at `url` what it was in `file`, brought to this program's schema: all or nothing.

    The files that were handed in are put back before, which changes nothing for a database that does not name them:
    what is named by none goes with the nightly clean-up. Returns how many the backup has.
    Everybody has to sign in again. A database in use is refused unless `replace` says that it may go.
    Raises `Unreadable` for a file that is damaged, hostile or no backup, `Refused` for a newer program's.
    """
    with opened(file) as archive:
        if not replace and _in_use(url):
            raise Refused(
                says(
                    "The database is in use: restoring replaces everything in it. Back it up first, then add --replace,"
                    " or give DATABASE_URL the address of an empty one."
                )
            )
        for one, parts in archive.files():
            put_back(one.name, one.size, parts)
        with rebuilding(url, archive.manifest.revision) as connection:
            _require_same_tables(connection, archive)
            for table in archive.manifest.tables:
                _load(connection, archive, table)
            # A session that has ended since the backup must not come back to life.
            connection.execute(text("UPDATE sign_in SET ended_at = seen_at WHERE ended_at IS NULL"))
            if connection.dialect.name == "postgresql":
                mend_sequences(connection)
        return archive.manifest.files.rows if archive.manifest.files is not None else 0


def _snapshot(engine: Engine) -> Connection:
    """A connection whose every query sees the same moment. SQLite in WAL mode does so by itself."""
    if engine.dialect.name == "sqlite":
        return engine.connect()
    return engine.connect().execution_options(
        isolation_level="REPEATABLE READ", postgresql_readonly=True, stream_results=True, yield_per=CHUNK
    )


def _rows(connection: Connection, table: str, columns: dict[str, str], keys: list[str]) -> Iterator[list[Any]]:
    postgres = connection.dialect.name == "postgresql"
    converts = [values.to_json(kind, postgres=postgres) for kind in columns.values()]
    changed = [(place, convert) for place, convert in enumerate(converts) if convert]
    found = connection.exec_driver_sql(f"SELECT {_names(columns)} FROM {_names([table])} ORDER BY {_names(keys)}")
    for some in found.partitions(CHUNK):
        for row in some:
            line = list(row)
            for place, convert in changed:
                line[place] = convert(line[place])
            yield line


def _settle(part: Path, file: Path) -> None:
    """Give the finished file its name, once the disk has it."""
    with part.open("rb") as written:
        os.fsync(written.fileno())
    part.rename(file)


def _in_use(url: str) -> bool:
    engine = make_engine(url)
    try:
        with engine.connect() as connection:
            there = set(inspect(connection).get_table_names())
            return any(
                connection.execute(text(f"SELECT 1 FROM {_names([table])} LIMIT 1")).first()
                for table in ("account", "department", "customer")
                if table in there
            )
    except OperationalError as error:
        raise Unavailable(says("The database cannot be reached: {why}.", why=_first_line(error.orig))) from error
    finally:
        engine.dispose()


def _require_same_tables(connection: Connection, archive: Reader) -> None:
    found = inspect(connection)
    ours = {
        name: {column["name"] for column in found.get_columns(name)}
        for name in set(found.get_table_names()) & set(metadata.tables)
    }
    if ours != {table.name: set(table.columns) for table in archive.manifest.tables}:
        refuse(archive.path, says("its tables are not those of its revision"))


def _load(connection: Connection, archive: Reader, table: TableEntry) -> None:
    try:
        if connection.dialect.name == "postgresql":
            _copy(connection, archive, table)
        else:
            _insert(connection, archive, table)
    except (IntegrityError, DataError, psycopg.IntegrityError, psycopg.DataError):
        refuse(archive.path, says("table {table} breaks a rule of the database", table=table.name))
    except psycopg.Error as error:
        raise Unavailable(
            says("The database cannot be written: {why}. Nothing was changed.", why=_first_line(error))
        ) from error


def _copy(connection: Connection, archive: Reader, table: TableEntry) -> None:
    # One COPY is one statement, at whose end foreign keys are checked: rows may refer to later rows.
    cursor = connection.connection.cursor()
    with cursor.copy(f"COPY {_names([table.name])} ({_names(table.columns)}) FROM STDIN") as copy:
        for row in _converted(archive, table, postgres=True):
            copy.write_row(row)


def _insert(connection: Connection, archive: Reader, table: TableEntry) -> None:
    places = ", ".join("?" for _column in table.columns)
    statement = f"INSERT INTO {_names([table.name])} ({_names(table.columns)}) VALUES ({places})"
    rows = _converted(archive, table, postgres=False)
    while some := list(islice(rows, CHUNK)):
        connection.exec_driver_sql(statement, some)


def _converted(archive: Reader, table: TableEntry, *, postgres: bool) -> Iterator[tuple[Any, ...]]:
    try:
        converts = [values.from_json(kind, postgres=postgres) for kind in table.columns.values()]
    except KeyError:
        refuse_row(archive.path, table.name, 0)
    for number, row in enumerate(archive.rows(table), start=1):
        try:
            yield tuple([convert(value) for convert, value in zip(converts, row, strict=True)])
        except ValueError:
            refuse_row(archive.path, table.name, number)


def _names(names: Any) -> str:
    return ", ".join(f'"{name}"' for name in names)


def _first_line(error: object) -> str:
    return str(error).strip().splitlines()[0]
