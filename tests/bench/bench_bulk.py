"""A bulk action on 10,000 of 100,000 customers, from "all that match" to its account, beside its bare SQL.

The limit is the least that has the same effect in a copy of the same database: find the rows, then one statement
for each table that changes, all committed at once.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Engine, text
from sqlmodel import Session

from crm.grid.acting import Every, Work
from crm.grid.config import TableConfig
from crm.grid.view import View, read_view
from crm.rbac import Actor
from crm.services.access.permissions import PAGES
from crm.store.engine import make_engine
from crm.store.metadata import metadata
from crm.store.session import reading, writing
from crm.tables.customers import CUSTOMERS, MY_CUSTOMERS
from tests import servers
from tests.bench.figure import Figure
from tests.builders import a_consultant

ROWS, MATCHING, REACH, TIMES = 100_000, 10_000, 3.0, 3
NOW = datetime(2025, 3, 6, 4, 0, tzinfo=UTC)
ZONE = ZoneInfo("Asia/Shanghai")
ADMIN = Actor(account_id=None, name="Bench", grants=PAGES.everything())


@dataclass(frozen=True)
class Case:
    """One action, the filter whose matches it is done to, its parameters, and the statements that do the same."""

    table: TableConfig
    action: str
    params: dict[str, Any]
    bare: tuple[str, ...]


THESE = "SELECT id FROM customer WHERE source = 'campus' AND deleted_at IS NULL"
AUDIT = (
    "INSERT INTO audit_entry (at, action, subject, subject_id, before, after, address)"
    f" SELECT {{now}}, 'x', 'customer', id, '', '{{{{}}}}', '' FROM customer WHERE id IN ({THESE})"
)
OPEN = f"closed_at IS NULL AND customer_id IN ({THESE})"
TO_POOL = (
    f"UPDATE assignment SET closed_at = {{now}}, outcome = 'released' WHERE {OPEN}",
    "UPDATE customer SET state = 'public', last_consultant_id = consultant_id, consultant_id = NULL,"
    " follow_up_due_at = NULL, deal_due_at = NULL, extended_until = NULL, version = version + 1 {more}"
    f" WHERE id IN ({THESE})",
)
CASES = (
    Case(CUSTOMERS, "delete", {}, (AUDIT, *(one.replace("{more}", ", deleted_at = {now}") for one in TO_POOL))),
    Case(MY_CUSTOMERS, "release", {}, (AUDIT, *(one.replace("{more}", "") for one in TO_POOL))),
    Case(
        CUSTOMERS,
        "extend",
        {"until": (NOW + timedelta(days=9)).date()},
        (AUDIT, f"UPDATE customer SET extended_until = {{now}}, version = version + 1 WHERE id IN ({THESE})"),
    ),
    Case(
        CUSTOMERS,
        "assign",
        {"consultant_id": 2},
        (
            f"UPDATE assignment SET closed_at = {{now}}, outcome = 'transferred' WHERE {OPEN}",
            "INSERT INTO assignment (customer_id, consultant_id, origin, opened_at, outcome, reason)"
            f" SELECT id, 2, 'transferred', {{now}}, 'following', 'By somebody' FROM customer WHERE id IN ({THESE})",
            "UPDATE customer SET consultant_id = 2, last_consultant_id = consultant_id, follow_up_due_at = {now},"
            f" deal_due_at = {{now}}, version = version + 1 WHERE id IN ({THESE})",
        ),
    ),
)


def run(folder: Path) -> Iterator[Figure]:
    """Each action on either engine."""
    prepared = folder / "prepared.db"
    _prepare(f"sqlite:///{prepared}")
    copies = iter(range(1000))

    def copied() -> str:
        path = folder / f"{next(copies)}.db"
        path.write_bytes(prepared.read_bytes())
        return f"sqlite:///{path}"

    yield from _figures("SQLite", copied)
    with closing(servers.Postgres(folder / "postgres", durable=True)) as server:
        server.execute("CREATE DATABASE prepared")
        _prepare(server.url("prepared"))

        def made() -> str:
            name = f"copy_{next(copies)}"
            server.execute(f"CREATE DATABASE {name} TEMPLATE prepared")
            server.execute("CHECKPOINT")
            return server.url(name)

        yield from _figures("PostgreSQL", made)


def _figures(name: str, copied: Callable[[], str]) -> Iterator[Figure]:
    for case in CASES:
        bare, ours = [], []
        for _ in range(TIMES):
            bare.append(_timed(copied(), lambda engine, case=case: _bare(engine, case)))
            ours.append(_timed(copied(), lambda engine, case=case: _ours(engine, case)))
        least, took = min(bare), min(ours)
        yield Figure(f"bulk, {name}: {case.action} {MATCHING:,} of {ROWS:,}", took, least, took / least, REACH)


def _ours(engine: Engine, case: Case) -> None:
    config = case.table.at(NOW)
    view: View = read_view(config, {"source": ["campus"]})
    action = next(one for one in config.doings if one.name == case.action)
    with reading(engine) as session:
        rows = Every(view).rows(config, session, ADMIN, ZONE)
    work = Work(action, action.run, dict(case.params), rows)
    while work.left:
        work.step(partial(writing, engine), ADMIN, NOW)
    assert len(work.done) == MATCHING, (len(work.done), list(work.refused.values())[:1])


def _bare(engine: Engine, case: Case) -> None:
    now = "CAST('2025-03-06 04:00:00+00' AS timestamptz)"
    if engine.dialect.name == "sqlite":
        now = "'2025-03-06 04:00:00.000000'"
    with writing(engine) as session:
        for statement in case.bare:
            found: Any = session.connection().execute(text(statement.format(now=now)))
            assert found.rowcount == MATCHING, statement


def _timed(url: str, work: Callable[[Engine], None]) -> float:
    engine = make_engine(url)
    try:
        with engine.connect():
            begun = time.perf_counter()
        work(engine)
        return time.perf_counter() - begun
    finally:
        engine.dispose()


def _prepare(url: str) -> None:
    """Customers of two consultants, every tenth of them from a campus talk, each with an open episode."""
    engine = make_engine(url)
    metadata.create_all(engine)
    with writing(engine) as session:
        for _ in range(2):
            a_consultant(session, max_customers=ROWS)
        _fill(session)
    engine.dispose()


def _fill(session: Session) -> None:
    postgres = session.get_bind().dialect.name == "postgresql"
    numbers = (
        f"WITH n AS (SELECT i FROM generate_series(1, {ROWS}) AS s(i)) "
        if postgres
        else f"WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {ROWS}) "
    )

    def at(day: str) -> str:
        return f"CAST('{day} 04:00:00+00' AS timestamptz)" if postgres else f"'{day} 04:00:00.000000'"

    every = f"CASE WHEN i % {ROWS // MATCHING} = 0 THEN 'campus' ELSE 'search' END"
    for statement in (
        numbers + "INSERT INTO customer (id, name, phone, source, state, consultant_id, follow_up_due_at, deal_due_at,"
        f" created_at, version) SELECT i, 'Customer ' || i, '139' || (10000000 + i), {every}, 'private', 1,"
        f" {at('2025-03-20')}, {at('2025-03-20')}, {at('2025-03-05')}, 1 FROM n",
        "INSERT INTO assignment (customer_id, consultant_id, origin, opened_at, outcome, reason)"
        f" SELECT id, 1, 'shared', {at('2025-03-05')}, 'following', '' FROM customer",
    ):
        session.connection().execute(text(statement))
    session.commit()
    session.connection().execute(text("ANALYZE"))
