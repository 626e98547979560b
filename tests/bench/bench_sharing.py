"""100,000 customers who wait, shared out among 500 consultants, committed, with history, reasons and notices.

The limit is the bare UPDATE of the same rows in a copy of the same database: one statement that knows
beforehand who gets whom. Beside it, how far anybody ever is from the exact share.
"""

import math
import random
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from sqlalchemy import Engine, text
from sqlmodel import Session

from crm.domain.sharing import Round, Taking, share
from crm.services.access.permissions import SYSTEM
from crm.services.sharing.assignment import share_out
from crm.store.engine import make_engine
from crm.store.metadata import metadata
from crm.store.redis import Proposals
from crm.store.session import writing
from tests import servers
from tests.bench.figure import Figure
from tests.builders import a_consultant

CUSTOMERS, CONSULTANTS, CAP = 100_000, 500, 200
NOW = datetime(2025, 3, 6, 4, 0, tzinfo=UTC)
REACH = 2.5
SETS, PREFIX = 300, 1_000
BELOW_1 = math.nextafter(1.0, 0.0)
TURNS = 3


def run(folder: Path) -> Iterator[Figure]:
    """The deviation, then the time: on SQLite without and with Redis and with caps that fill up, on PostgreSQL."""
    begun = time.perf_counter()
    worst = max(_worst(weights) for weights in _sets())
    took = time.perf_counter() - begun
    yield Figure(f"sharing: largest deviation, {SETS} sets of weights ({took:.1f} s)", worst, 1.0, worst, BELOW_1)
    redis = servers.Redis(folder / "redis")
    try:
        yield from _on_sqlite(folder, redis)
        yield from _on_postgres(folder, redis)
    finally:
        redis.kill()


def _on_sqlite(folder: Path, redis: servers.Redis) -> Iterator[Figure]:
    for kind, cap in (("weights", None), ("caps", CAP)):
        prepared, copy = folder / f"{kind}.db", folder / "copy.db"
        _prepare(f"sqlite:///{prepared}", cap)

        def fresh(prepared: Path = prepared, copy: Path = copy) -> str:
            for old in folder.glob("copy.db*"):
                old.unlink()
            copy.write_bytes(prepared.read_bytes())
            return f"sqlite:///{copy}"

        yield from _figures(kind, "SQLite", redis, fresh)


def _on_postgres(folder: Path, redis: servers.Redis) -> Iterator[Figure]:
    with closing(servers.Postgres(folder / "postgres", durable=True)) as server:
        server.execute("CREATE DATABASE prepared")
        _prepare(server.url("prepared"), None)

        def fresh() -> str:
            server.execute("DROP DATABASE IF EXISTS copy")
            server.execute("CREATE DATABASE copy TEMPLATE prepared")
            server.execute("CHECKPOINT")
            return server.url("copy")

        yield from _figures("weights", "PostgreSQL", redis, fresh)


def _figures(kind: str, engine: str, redis: servers.Redis, fresh: Callable[[], str]) -> Iterator[Figure]:
    """Each way several times in turn, the best of each: other work on the machine disturbs now one, now another."""
    nobody, asked = Proposals("redis://127.0.0.1:1/0"), Proposals(redis.url)
    ways: dict[str, Callable[[Session], None]] = {
        "bare": _bare,
        "without Redis": lambda session: _ours(session, nobody),
        "with Redis": lambda session: _ours(session, asked),
    }
    took = {way: min(times) for way, times in _in_turn(ways, fresh).items()}
    nobody.close()
    asked.close()
    what = "all caps fill up" if kind == "caps" else "odd weights"
    for way in ("without Redis", "with Redis"):
        work = f"sharing, {engine} {way}: {CUSTOMERS:,} among {CONSULTANTS}, {what}"
        yield Figure(work, took[way], took["bare"], took[way] / took["bare"], REACH)


def _in_turn(ways: dict[str, Callable[[Session], None]], fresh: Callable[[], str]) -> dict[str, list[float]]:
    times: dict[str, list[float]] = {way: [] for way in ways}
    for _ in range(TURNS):
        for way, work in ways.items():
            times[way].append(_timed(fresh(), work))
    return times


def _ours(session: Session, proposals: Proposals) -> None:
    shared = share_out(session, None, now=NOW, by=SYSTEM, redis=proposals)
    assert shared.assigned == CUSTOMERS, shared


def _bare(session: Session) -> None:
    day = (
        "CAST('2025-03-{} 04:00:00+00' AS timestamptz)"
        if session.get_bind().dialect.name == "postgresql"
        else "'2025-03-{} 04:00:00.000000'"
    )
    changed = session.connection().execute(
        text(
            f"UPDATE customer SET state = 'private', consultant_id = 1 + (id * 7919) % {CONSULTANTS},"
            f" follow_up_due_at = {day.format('09')}, deal_due_at = {day.format(21)}, version = version + 1"
            " WHERE state = 'waiting' AND deleted_at IS NULL"
        )
    )
    assert changed.rowcount == CUSTOMERS


def _timed(url: str, work: Callable[[Session], None]) -> float:
    engine = make_engine(url)
    try:
        with engine.connect():
            begun = time.perf_counter()
        with writing(engine) as session:
            work(session)
        return time.perf_counter() - begun
    finally:
        engine.dispose()


def _prepare(url: str, cap: int | None) -> None:
    chance = random.Random(7)
    engine = make_engine(url)
    metadata.create_all(engine)
    with writing(engine) as session:
        for _ in range(CONSULTANTS):
            a_consultant(session, weight=chance.randint(1, 100), max_customers=cap or CUSTOMERS)
        _customers(session)
    _settle(engine)


def _customers(session: Session) -> None:
    rows = [
        {
            "name": f"Customer {number}",
            "phone": f"139{number:08}",
            "qq": str(10_000_000 + number),
            "company": "A company of some name",
            "note": "Met at the campus talk in spring, wants to hear of evening classes.",
            "state": "waiting",
            "created_at": NOW,
            "version": 1,
        }
        for number in range(CUSTOMERS)
    ]
    session.connection().execute(metadata.tables["customer"].insert(), rows)


def _settle(engine: Engine) -> None:
    """Everything in its place, so that no part that is timed pays for what came before."""
    with engine.execution_options(isolation_level="AUTOCOMMIT").connect() as connection:
        if engine.dialect.name == "postgresql":
            connection.execute(text("VACUUM ANALYZE"))
    if engine.dialect.name == "sqlite":
        raw = engine.raw_connection()
        raw.execute("ANALYZE")  # type: ignore[attr-defined]
        raw.execute("PRAGMA wal_checkpoint(TRUNCATE)")  # type: ignore[attr-defined]
        raw.close()
    engine.dispose()


def _sets() -> Iterator[list[int]]:
    """Random sets of 3 to 50 weights, and every tenth one skewed."""
    chance = random.Random(2025)
    for number in range(SETS):
        if number % 10:
            yield [chance.randint(1, 100) for _ in range(chance.randint(3, 50))]
        else:
            yield [chance.choice([100, 500, 1000]), *[1] * chance.randint(2, 100)]


def _worst(weights: list[int]) -> float:
    picks, _ = share(Round(), [Taking(each, weight, PREFIX) for each, weight in enumerate(weights)], PREFIX)
    total, steps = sum(weights), np.arange(1, PREFIX + 1)[:, None]
    counts = (np.array([pick.id for pick in picks])[:, None] == np.arange(len(weights))).cumsum(axis=0)
    return float(np.abs(counts * total - np.array(weights) * steps).max() / total)
