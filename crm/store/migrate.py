"""The schema's way to head, on SQLite and PostgreSQL alike.

`python -m crm migrate` is how people call it. Whoever changes a table runs
`python -m crm.store.migrate "what changed"`, which writes the revision, and reads what it wrote.
"""

import sqlite3
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import Script, ScriptDirectory
from sqlalchemy import Connection, Engine, event, inspect, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DatabaseError

from crm.errors import Unavailable
from crm.i18n import says
from crm.store import kept, name_pairs
from crm.store.engine import WRITES, make_engine
from crm.store.metadata import metadata

HERE = Path(__file__).parent / "migrations"
# Any number, as long as nobody else locks the same one in this database.
LOCK = 727_401_001
PATIENCE_SECONDS = 600


class Migrated(NamedTuple):
    """From which revision (None: an empty database) to which."""

    before: str | None
    after: str


def to_head(url: str) -> Migrated:
    """Bring the database at `url` to the newest schema, in one transaction.

    Processes that start together wait for one another. Raises `Unavailable` when the database cannot be
    reached or written, is of a newer version of this program, or holds tables of somebody else.
    """
    with _connection(url) as connection:
        before = _revision(connection)
        if before is None:
            _require_no_strangers(connection)
        command.upgrade(_config(connection), "head")
        name_pairs.ensure(connection)
        if connection.dialect.name == "sqlite":
            _require_whole(connection)
    return Migrated(before, head())


@contextmanager
def rebuilding(url: str, revision: str) -> Iterator[Connection]:
    """A transaction in which the database at `url` is empty and at `revision`, for the caller to fill.

    At the end it is brought to head; on any error it is what it was. References between rows count at the
    end only (SQLite) or at the end of each statement (PostgreSQL). Raises `Unavailable` as `to_head` does.
    """
    if revision not in _known():
        raise _newer(revision)
    with _connection(url) as connection:
        before = _revision(connection)
        if connection.dialect.name == "postgresql":
            connection.execute(text("SET LOCAL lock_timeout = '30s'"))
        if before is None:
            _require_no_strangers(connection)
        elif before == revision:
            _empty(connection)
        else:
            command.downgrade(_config(connection), "base")
        command.upgrade(_config(connection), revision)
        yield connection
        command.upgrade(_config(connection), "head")
        name_pairs.rebuild(connection)
        if connection.dialect.name == "sqlite":
            _require_whole(connection)


def _empty(connection: Connection) -> None:
    kept.allow_changes(connection)
    if connection.dialect.name == "postgresql":
        names = ", ".join(f'"{table.name}"' for table in metadata.sorted_tables)
        connection.execute(text(f"TRUNCATE {names}"))
    else:
        for table in metadata.sorted_tables:
            connection.execute(table.delete())
    kept.refuse_changes(connection)


def head() -> str:
    """The newest revision that this program knows."""
    return str(_scripts().get_current_head())


def stamp_head(connection: Connection) -> None:
    """Note that a database is at head, for whoever created its tables from the models."""
    MigrationContext.configure(connection).stamp(_scripts(), "head")


def require_head(engine: Engine) -> None:
    """Raise `Unavailable`, with the remedy, unless the database is at exactly this program's schema."""
    with engine.connect() as connection:
        if _revision(connection) != head():
            raise Unavailable(says("The database is not up to date. Run: python -m crm migrate"))


def require_not_newer(engine: Engine) -> None:
    """Raise `Unavailable`, with the remedy, if a newer version of this program wrote the database."""
    with engine.connect() as connection:
        _revision(connection)


def _revision(connection: Connection) -> str | None:
    revision = MigrationContext.configure(connection).get_current_revision()
    if revision is not None and revision not in _known():
        raise _newer(revision)
    return revision


def _known() -> set[str]:
    return {each.revision for each in _scripts().walk_revisions()}


def _newer(revision: str) -> Unavailable:
    return Unavailable(
        says(
            "The database was written by a newer version of this program (revision {revision}). "
            "Update the program, or restore a backup that this version made.",
            revision=revision,
        )
    )


def _require_no_strangers(connection: Connection) -> None:
    ours = sorted(set(inspect(connection).get_table_names()) & set(metadata.tables))
    if ours:
        raise Unavailable(
            says(
                "The database already has a table {table} that is not ours. "
                "Give DATABASE_URL the address of an empty database.",
                table=ours[0],
            )
        )


def _require_whole(connection: Connection) -> None:
    broken = connection.exec_driver_sql("PRAGMA foreign_key_check").first()
    if broken:
        raise Unavailable(
            says("Migration stopped: table {table} refers to rows that are gone. Nothing changed.", table=broken[0])
        )


@contextmanager
def _connection(url: str) -> Iterator[Connection]:
    """A connection in one transaction; whoever else wants to migrate waits for its end."""
    engine = None
    try:
        engine = make_engine(url)
        if engine.dialect.name == "sqlite":
            event.listen(engine, "connect", _let_sqlite_rebuild_tables)
        with engine.execution_options(**{WRITES: True}).begin() as connection:
            if engine.dialect.name == "postgresql":
                connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": LOCK})
            yield connection
    except (OSError, DatabaseError) as error:
        cause = getattr(error, "orig", None) or error
        raise Unavailable(
            says(
                "The database {where} cannot be used: {why}. Check DATABASE_URL, its rights and the free space.",
                where=make_url(url).render_as_string(hide_password=True),
                why=str(cause).strip().splitlines()[0],
            )
        ) from error
    finally:
        if engine is not None:
            engine.dispose()


def _let_sqlite_rebuild_tables(raw: sqlite3.Connection, _record: Any) -> None:
    # To alter a table Alembic copies it, drops it and renames the copy: references to it must not count meanwhile.
    raw.execute("PRAGMA foreign_keys=OFF")
    raw.execute(f"PRAGMA busy_timeout={PATIENCE_SECONDS * 1000}")


def _scripts() -> ScriptDirectory:
    return ScriptDirectory(str(HERE))


def _config(connection: Connection) -> Config:
    config = Config()
    config.set_main_option("script_location", str(HERE))
    config.attributes["connection"] = connection
    return config


def write_revision(message: str, *, from_scratch: bool = False) -> Path:
    """Write the revision that takes head to what the models say now; for developers.

    `from_scratch` replaces all revisions by one first revision, which is only right before a first release.
    """
    if from_scratch:
        for old in (HERE / "versions").glob("*.py"):
            old.unlink()
    number = f"{1 + len(list((HERE / 'versions').glob('*.py'))):04}"
    with TemporaryDirectory() as folder:
        url = f"sqlite:///{folder}/empty.db"
        if number != "0001":
            to_head(url)
        with _connection(url) as connection:
            made = command.revision(_config(connection), message, autogenerate=True, rev_id=number)
    assert isinstance(made, Script)
    path = Path(made.path)
    lines = [line for line in path.read_text("utf-8").splitlines(keepends=True) if "# ###" not in line]
    if from_scratch:
        # Autogenerate knows nothing of triggers.
        up, down = lines.index("def upgrade() -> None:\n"), lines.index("def downgrade() -> None:\n")
        lines[down + 1 : down + 1] = kept.as_a_revision(kept.ALLOW)
        body = max(place for place in range(up, down) if lines[place].strip())
        lines[body + 1 : body + 1] = kept.as_a_revision(kept.REFUSE)
    path.write_text("".join(lines), "utf-8")
    return path


if __name__ == "__main__":
    scratch = sys.argv[1:] == ["--from-scratch"]
    written = write_revision("first school" if scratch else " ".join(sys.argv[1:]), from_scratch=scratch)
    sys.stdout.write(f"Read, correct and test {written}\n")
