"""The engine: one a process, SQLite or PostgreSQL, made so that writers queue and never deadlock."""

import sqlite3
from functools import cache
from pathlib import Path
from typing import Any

import psycopg
from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import ExceptionContext, make_url
from sqlalchemy.exc import ArgumentError

from crm.errors import Misconfigured, Refused
from crm.i18n import says

BUSY_SECONDS = 10
WRITES = "thanos_writes"


def make_engine(url: str, **options: Any) -> Engine:
    """An engine for `url` (sqlite:///file or postgresql://...). Raises `Misconfigured` on any other.

    Its errors do not hold the values of a statement, which are people's data and would end in a log.
    """
    options.setdefault("hide_parameters", True)
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError):
        raise Misconfigured(
            says("DATABASE_URL is not an address of a database. Use sqlite:///FILE or postgresql://USER@HOST/NAME.")
        ) from None
    backend = parsed.get_backend_name()
    if backend == "sqlite":
        if parsed.database and parsed.database != ":memory:":
            Path(parsed.database).parent.mkdir(parents=True, exist_ok=True)
        engine = (
            create_engine(
                parsed,
                connect_args={"timeout": BUSY_SECONDS, "check_same_thread": False},
                pool_size=10,
                max_overflow=40,
                **options,
            )
            if parsed.database and parsed.database != ":memory:"
            else create_engine(parsed, connect_args={"check_same_thread": False}, **options)
        )
        _tame_sqlite(engine)
        _refuse_what_does_not_fit(engine)
        return engine
    if backend in ("postgresql", "postgres"):
        engine = create_engine(
            parsed.set(drivername="postgresql+psycopg"),
            pool_pre_ping=True,
            pool_size=10,
            max_overflow=40,
            connect_args={"connect_timeout": 5},
            **options,
        )
        _refuse_what_does_not_fit(engine)
        return engine
    raise Misconfigured(
        says("DATABASE_URL names {kind}, which is not supported. Use sqlite:///FILE or postgresql://...", kind=backend)
    )


def _tame_sqlite(engine: Engine) -> None:
    """WAL, foreign keys, and BEGIN IMMEDIATE for whoever means to write.

    A deferred transaction that reads and then writes fails with "locked" under load in spite of the
    busy timeout; an immediate one waits for its turn.
    """

    @event.listens_for(engine, "connect")
    def _connected(raw: sqlite3.Connection, _record: Any) -> None:
        raw.isolation_level = None
        cursor = raw.cursor()
        for pragma in (
            "journal_mode=WAL",
            "synchronous=NORMAL",
            # Kibibytes, with the minus: room for the pages that one large transaction changes.
            "cache_size=-16384",
            "foreign_keys=ON",
            f"busy_timeout={BUSY_SECONDS * 1000}",
        ):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    @event.listens_for(engine, "begin")
    def _begun(connection: Connection) -> None:
        writes = connection.get_execution_options().get(WRITES)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _refuse_what_does_not_fit(engine: Engine) -> None:
    """A value that no column can hold is `Refused`: a key of twenty digits, a text with a NUL or half a character.

    Nobody types them; whoever forges them learns no more than that. The two databases and their drivers each fail
    in a way of their own.
    """

    @event.listens_for(engine, "handle_error")
    def _failed(context: ExceptionContext) -> None:
        if isinstance(context.original_exception, OverflowError | UnicodeEncodeError | psycopg.DataError):
            raise Refused(says("Something here is too large, or has a sign in it that cannot be kept.")) from None


@cache
def engine() -> Engine:
    """The engine of this process, for the database that the settings name."""
    from crm.settings import settings

    return make_engine(settings().database)
