"""The nightly run at 1 million customers, 80,000 of them due, and how long anybody else waits meanwhile.

The limit is the least that any way of doing it would write: one UPDATE of the same rows and one INSERT ... SELECT
of their episodes, in one transaction, on a copy of the same database. Best of three, each on a copy of its own,
because whatever else the machine does only ever adds to a wait.
"""

import multiprocessing
import random
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from functools import partial
from multiprocessing.synchronize import Event
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, text

from crm.domain.expiry import scheduled
from crm.services.access.permissions import SYSTEM
from crm.services.customers.expiry import expire
from crm.settings import settings
from crm.store.engine import WRITES, make_engine
from crm.store.metadata import metadata
from crm.store.session import reading, writing
from tests import servers
from tests.bench.figure import Figure

CUSTOMERS, DUE, CONSULTANTS = 1_000_000, 80_000, 500
NOW = datetime(2025, 3, 6, 19, 30, tzinfo=UTC)
REACH, LONGEST_WAIT, TRIES = 4.0, 0.25, 3


def run(folder: Path) -> Iterator[Figure]:
    """The figures on SQLite, then on PostgreSQL."""
    yield from _on_sqlite(folder)
    yield from _on_postgres(folder)


def _on_sqlite(folder: Path) -> Iterator[Figure]:
    full = folder / "full.db"
    with _engine(f"sqlite:///{full}") as engine:
        _fill(engine)

    def copied(name: str) -> str:
        # The last connection has closed, so everything is in the one file.
        shutil.copyfile(full, folder / name)
        return f"sqlite:///{folder / name}"

    yield from _figures("SQLite", copied)


def _on_postgres(folder: Path) -> Iterator[Figure]:
    with closing(servers.Postgres(folder / "postgres", durable=True)) as server:
        server.execute("CREATE DATABASE filled")
        with _engine(server.url("filled")) as engine:
            _fill(engine)
            with engine.execution_options(isolation_level="AUTOCOMMIT").connect() as connection:
                connection.execute(text("VACUUM ANALYZE"))

        def copied(name: str) -> str:
            name = name.removesuffix(".db")
            server.execute(f"CREATE DATABASE {name} TEMPLATE filled STRATEGY FILE_COPY", "CHECKPOINT")
            return server.url(name)

        yield from _figures("PostgreSQL", copied)


def _figures(name: str, copied: Callable[[str], str]) -> Iterator[Figure]:
    """Both figures on one engine; `copied` makes a copy of the filled database and gives its address."""
    with _engine(copied("bare.db")) as engine:
        bare = _bare(engine)
    tried = [_ours(copied(f"ours{number}.db")) for number in range(TRIES)]
    took, longest = min(took for took, _wait in tried), min(wait for _took, wait in tried)
    yield Figure(f"expiry, {name}: {DUE:,} of {CUSTOMERS:,} due", took, bare, took / bare, REACH)
    yield Figure(f"expiry, {name}: longest wait of another writer", longest, LONGEST_WAIT, longest / LONGEST_WAIT, 1.0)


def _ours(url: str) -> tuple[float, float]:
    """How long one run took, and how long somebody else waited at most."""
    with _engine(url) as engine, _somebody_else_writing(url) as waits:
        start = time.perf_counter()
        done = expire(partial(writing, engine), SYSTEM, now=NOW, open_reading=partial(reading, engine))
        took = time.perf_counter() - start
    assert (done.no_follow_up + done.no_deal, done.skipped) == (DUE, 0), done
    return took, float(waits())


def _bare(engine: Engine) -> float:
    run_at = scheduled(NOW, settings().zone)
    due = "state = 'private' AND (follow_up_due_at <= :run OR deal_due_at <= :run)"
    with _transaction(engine) as connection:
        connection.execute(text("CREATE TABLE closed (customer_id INTEGER, consultant_id INTEGER, outcome TEXT)"))
    start = time.perf_counter()
    with _transaction(engine) as connection:
        connection.execute(
            text(f"INSERT INTO closed SELECT id, consultant_id, 'no_follow_up' FROM customer WHERE {due}"),
            {"run": _bound(engine, run_at)},
        )
        changed = connection.execute(
            text(
                "UPDATE customer SET state = 'public', last_consultant_id = consultant_id, consultant_id = NULL,"
                f" follow_up_due_at = NULL, deal_due_at = NULL, version = version + 1 WHERE {due}"
            ),
            {"run": _bound(engine, run_at)},
        )
    assert changed.rowcount == DUE
    return time.perf_counter() - start


@contextmanager
def _somebody_else_writing(url: str) -> Iterator[Any]:
    """A process that changes one customer after another; yields a function that gives its longest wait."""
    context = multiprocessing.get_context("spawn")
    ready, stop, longest = context.Event(), context.Event(), context.Value("d", 0.0)
    process = context.Process(target=_keep_writing, args=(url, ready, stop, longest))
    process.start()
    ready.wait(30)
    try:
        yield lambda: longest.value
    finally:
        stop.set()
        process.join(30)


def _keep_writing(url: str, ready: Event, stop: Event, longest: Any) -> None:
    chance = random.Random(3)
    with _engine(url) as engine:
        while not stop.is_set():
            start = time.perf_counter()
            with _transaction(engine) as connection:
                connection.execute(
                    text("UPDATE customer SET note = 'called' WHERE id = :id"), {"id": chance.randint(1, CUSTOMERS)}
                )
            if ready.is_set():
                longest.value = max(longest.value, time.perf_counter() - start)
            ready.set()
            time.sleep(0.01)


@contextmanager
def _engine(url: str) -> Iterator[Engine]:
    engine = make_engine(url)
    try:
        yield engine
    finally:
        engine.dispose()


@contextmanager
def _transaction(engine: Engine) -> Iterator[Connection]:
    with engine.execution_options(**{WRITES: True}).begin() as connection:
        yield connection


def _bound(engine: Engine, moment: datetime) -> Any:
    utc = moment.astimezone(UTC)
    return utc if engine.dialect.name == "postgresql" else f"{utc:%Y-%m-%d %H:%M:%S.%f}"


def _fill(engine: Engine) -> None:
    """Four tenths with a consultant, a fifth of those due; half in the pool; the rest waits."""
    postgres = engine.dialect.name == "postgresql"
    yes = "true" if postgres else "1"
    old, past, soon = (_literal(day, postgres) for day in ("2025-02-20", "2025-03-06", "2025-03-20"))
    # Spread over the whole table as customers of a school are, not in one block.
    spread = f"(CAST(i AS BIGINT) * 7919) % {CUSTOMERS}"
    private, public = f"{spread} < {CUSTOMERS * 4 // 10}", f"{spread} < {CUSTOMERS * 9 // 10}"
    consultant = f"1 + (i % {CONSULTANTS})"
    statements = (
        "INSERT INTO department (id, code, name, version) VALUES (1, 1001, 'Sales', 1)",
        _numbered(CONSULTANTS, postgres)
        + "INSERT INTO account (id, name, display_name, password_hash, active, must_change_password, session_epoch,"
        f" created_at, version) SELECT i, 'person' || i, 'Person', '!', {yes}, NOT {yes}, 0, {old}, 1 FROM n",
        _numbered(CONSULTANTS, postgres)
        + "INSERT INTO employee (id, name, department_code, account_id, active, version)"
        f" SELECT i, 'Person ' || i, 1001, i, {yes}, 1 FROM n",
        _numbered(CUSTOMERS, postgres)
        + "INSERT INTO customer (id, name, phone, company, state, consultant_id, follow_up_due_at, deal_due_at,"
        " created_at, version) SELECT i, 'Customer ' || i, '139' || (10000000 + i), 'A company of some name',"
        f" CASE WHEN {private} THEN 'private' WHEN {public} THEN 'public' ELSE 'waiting' END,"
        f" CASE WHEN {private} THEN {consultant} END,"
        f" CASE WHEN {spread} < {DUE} THEN {past} WHEN {private} THEN {soon} END,"
        f" CASE WHEN {private} THEN {soon} END, {old}, 1 FROM n",
        "INSERT INTO assignment (customer_id, consultant_id, origin, opened_at, closed_at, outcome, reason)"
        f" SELECT id, coalesce(consultant_id, 1 + (id % {CONSULTANTS})), 'shared', {old},"
        f" CASE WHEN state = 'public' THEN {old} END,"
        " CASE WHEN state = 'public' THEN 'no_deal' ELSE 'following' END, '' FROM customer WHERE state <> 'waiting'",
        "ANALYZE",
    )
    with _transaction(engine) as connection:
        metadata.create_all(connection)
        for statement in statements:
            connection.execute(text(statement))


def _numbered(count: int, postgres: bool) -> str:
    if postgres:
        return f"WITH n AS (SELECT i FROM generate_series(1, {count}) AS s(i)) "
    return f"WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {count}) "


def _literal(day: str, postgres: bool) -> str:
    return f"CAST('{day} 04:00:00+00' AS timestamptz)" if postgres else f"'{day} 04:00:00.000000'"
