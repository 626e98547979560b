"""*Customers* at 1 million rows: a rerun after a filter changed, beside the same page at 1,000 rows and at none.

Measured inside the run, in the thread that draws the page: its CPU, as the median of many reruns. On PostgreSQL the CPU
that the server's processes spent meanwhile is added; told in hundredths of a second only, it is a mean.
Beyond an empty page counts what a person waits for: the time until the page is drawn.
The data are such that a filter leaves a full page at 1,000 rows too: what differs is the size of the table only.
A search may leave less.
"""

import gc
import random
import statistics
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, suppress
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import psutil
from sqlalchemy import Connection, Engine
from streamlit.testing.v1 import AppTest

from crm.domain.customers import Education, Gender, Source, WorkStatus
from crm.store import name_pairs
from crm.store.engine import make_engine
from crm.store.metadata import metadata
from crm.store.session import reading, writing
from crm.ui.serving.garbage import keep_cheap
from tests import servers
from tests.bench.figure import Figure

LARGE, SMALL, EMPTY, CONSULTANTS = 1_000_000, 1_000, 0, 4
START = datetime(2024, 1, 1)
REACH, WARM, TIMES = 1.5, 3, 15
BEYOND = 0.060
"""Seconds that the slowest may take beyond a page without any row."""
SURNAMES, GIVEN = "王李张刘陈杨黄赵吴周", "伟芳娜敏静丽强磊军洋"
FIRST_DAY = "2024-01-01..2024-01-01"

# What changes -> the addresses between which it changes.
CHANGES: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "state": ({"state": "public"}, {"state": "private"}),
    "source": ({"source": "search"}, {"source": "advert"}),
    "education": ({"education": "college"}, {"education": "bachelor"}),
    "consultant": ({"consultant": "1"}, {"consultant": "2"}),
    "department": ({"department": "1001"}, {"department": "1002"}),
    "day": ({"created_at": FIRST_DAY}, {}),
    "search of two characters": ({"q": "王伟"}, {"q": "李芳"}),
    "search of rare characters": ({"q": "伟77"}, {"q": "芳88"}),
    "search by a phone's beginning": ({"q": "1380"}, {"q": "1381"}),
    "order": ({"sort": "created_at"}, {}),
    "order by consultant": ({"sort": "consultant_id"}, {"sort": "-consultant_id"}),
    "order by state": ({"sort": "state"}, {"sort": "-state"}),
    "page": ({"page": "2"}, {"page": "9"}),
    "state beside source": ({"source": "search", "state": "public"}, {"source": "search"}),
}


def run(folder: Path) -> Iterator[Figure]:
    """One figure for each filter, and the slowest beyond an empty page, on both engines."""
    yield from _measured(
        "SQLite", {rows: f"sqlite:///{folder / f'{rows}.db'}" for rows in (EMPTY, SMALL, LARGE)}, _none
    )
    with closing(servers.Postgres(folder / "postgres", durable=True)) as server:
        server.execute(*(f"CREATE DATABASE of_{rows}" for rows in (EMPTY, SMALL, LARGE)))
        addresses = {rows: server.url(f"of_{rows}") for rows in (EMPTY, SMALL, LARGE)}
        yield from _measured("PostgreSQL", addresses, partial(_cpu_of, psutil.Process(server.pid)))


def _none() -> float:
    return 0.0


def _cpu_of(server: psutil.Process) -> float:
    """The CPU that the server has spent so far, with its processes that are there or have ended."""
    children = server.children(recursive=True)
    spent = 0.0
    for child in children:
        # One that ends meanwhile is among those that have ended, which are asked for afterwards.
        with suppress(psutil.NoSuchProcess):
            times = child.cpu_times()
            spent += times.user + times.system
    own = server.cpu_times()
    return spent + own.user + own.system + own.children_user + own.children_system


def _measured(where: str, addresses_of: dict[int, str], server_cpu: Callable[[], float]) -> Iterator[Figure]:
    engines = {rows: make_engine(address) for rows, address in addresses_of.items()}
    for rows, engine in engines.items():
        _fill(engine, rows)
    pages = {rows: _page(engine, rows) for rows, engine in engines.items()}
    beyond = 0.0
    for name, addresses in CHANGES.items():
        worked: dict[int, list[float]] = {rows: [] for rows in engines}
        waited: dict[int, list[float]] = {rows: [] for rows in engines}
        for turn in range(WARM + TIMES):
            for rows, page in pages.items():
                before = server_cpu()
                cpu, seconds = _rerun(page, engines[rows], addresses[turn % 2], rows)
                if turn >= WARM:
                    worked[rows].append(cpu + server_cpu() - before)
                    waited[rows].append(seconds)
        typical = statistics.median if server_cpu is _none else statistics.fmean
        small, large = (typical(worked[rows]) for rows in (SMALL, LARGE))
        beyond = max(beyond, statistics.median(waited[LARGE]) - statistics.median(waited[EMPTY]))
        yield Figure(f"1,000,000 customers: {name} ({where}, CPU)", large, small, large / small, REACH)
    yield Figure(f"1,000,000 customers: beyond an empty page ({where})", beyond, BEYOND, beyond / BEYOND, 1.0)
    for engine in engines.values():
        engine.dispose()


def _page(engine: Engine, rows: int) -> AppTest:
    def script() -> None:
        import time

        import streamlit as st

        from crm.grid.render import render_table
        from crm.services.access.permissions import SYSTEM
        from crm.tables.customers import CUSTOMERS

        worked, waited = time.thread_time(), time.perf_counter()
        render_table(CUSTOMERS, SYSTEM)
        st.session_state.spent = (time.thread_time() - worked, time.perf_counter() - waited)

    page = AppTest.from_function(script, default_timeout=120)
    _rerun(page, engine, {}, rows)
    # As in the app: what lives is put aside.
    keep_cheap()
    gc.collect()
    return page


def _rerun(page: AppTest, engine: Engine, address: dict[str, Any], rows: int) -> tuple[float, float]:
    """Draws the page at that address. Returns the CPU and the time that it took in its thread."""
    from crm.tables.site import site

    site.connect(reading=partial(reading, engine), writing=partial(writing, engine), now=lambda: datetime.now(UTC))
    page.query_params.clear()
    for key, value in address.items():
        page.query_params[key] = value
    page.run()
    if page.exception or page.error or bool(page.dataframe) != bool(rows):
        raise RuntimeError(f"the page at {address} shows no table, or one of no rows: {page.exception or page.error}")
    spent: tuple[float, float] = page.session_state.spent
    return spent


def _fill(engine: Engine, count: int) -> None:
    metadata.create_all(engine)
    chance = random.Random(1)
    with engine.begin() as connection:
        _into(connection, "department", "id code name version", [(1, 1001, "East", 1), (2, 1002, "West", 1)])
        staff = [(number, f"顾问{number}", 1001 + number % 2, True, 1) for number in range(1, CONSULTANTS + 1)]
        _into(connection, "employee", "id name department_code active version", staff)
        sheet = [(1, "all.xlsx", "", 0, 0, 0, 0, 0, 0, f"{START}.000000")]
        counted = "rows imported duplicates errors assigned waiting"
        _into(connection, "import_batch", f"id file_name digest {counted} imported_at", sheet)
        _into(
            connection,
            "customer",
            "id name gender phone education work_status source state consultant_id follow_up_due_at deal_due_at "
            "created_at import_batch_id version",
            (_customer(number, chance) for number in range(1, count + 1)),
        )
    with writing(engine) as session:
        name_pairs.index_import(session, 1)
    with engine.connect() as connection:
        connection.exec_driver_sql("ANALYZE")
        connection.commit()
    if engine.dialect.name == "postgresql":
        # Before its own housekeeping does, in the middle of what is measured.
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.exec_driver_sql("VACUUM ANALYZE")


def _into(connection: Connection, table: str, columns: str, rows: Iterable[tuple[Any, ...]]) -> None:
    names = columns.split()
    cursor = connection.connection.cursor()
    if connection.dialect.name == "sqlite":
        marks = ", ".join("?" for _ in names)
        cursor.executemany(f"INSERT INTO {table} ({', '.join(names)}) VALUES ({marks})", rows)
    else:
        with cursor.copy(f"COPY {table} ({', '.join(names)}) FROM STDIN") as sheet:
            for row in rows:
                sheet.write_row(row)
    cursor.close()


def _customer(number: int, chance: random.Random) -> tuple[Any, ...]:
    state = chance.choices(("waiting", "private", "public", "enrolled"), (5, 45, 40, 10))[0]
    held = state == "private"
    at = START + timedelta(seconds=number * 30)
    due = str(at + timedelta(days=3)) + ".000000" if held else None
    return (
        number,
        f"{chance.choice(SURNAMES)}{chance.choice(GIVEN)}{number}",
        chance.choice(list(Gender)).value,
        # A fixed walk over all numbers: who came first has no smaller one.
        f"138{number * 7_919_317 % 100_000_000:08}",
        chance.choice(list(Education)[2:6]).value,
        chance.choice(list(WorkStatus)).value,
        chance.choice(list(Source)[:6]).value,
        state,
        chance.randint(1, CONSULTANTS) if held else None,
        due,
        due,
        f"{at}.000000",
        1,
        1,
    )
