"""*Customers* at 1 million rows: CPU of a rerun after a filter changed, beside the same page at 1,000 rows.

Measured inside the run, in the thread that draws the page and asks SQLite, as the median of many reruns. The data
are such that every filter leaves a full page at 1,000 rows too: what differs is the size of the table only.
"""

import gc
import random
import statistics
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

from sqlalchemy import Engine
from streamlit.testing.v1 import AppTest

from crm.domain.customers import Education, Gender, Source, WorkStatus
from crm.store import name_pairs
from crm.store.engine import make_engine
from crm.store.metadata import metadata
from crm.store.session import reading, writing
from tests.bench.figure import Figure

LARGE, SMALL, CONSULTANTS = 1_000_000, 1_000, 4
START = datetime(2024, 1, 1)
REACH, WARM, TIMES = 1.5, 3, 15
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
    """One figure for each filter."""
    engines = {}
    for rows in (SMALL, LARGE):
        engines[rows] = make_engine(f"sqlite:///{folder / f'{rows}.db'}")
        _fill(engines[rows], rows)
    pages = {rows: _page(engine) for rows, engine in engines.items()}
    for name, addresses in CHANGES.items():
        spent: dict[int, list[float]] = {SMALL: [], LARGE: []}
        for turn in range(WARM + TIMES):
            for rows, page in pages.items():
                seconds = _rerun(page, engines[rows], addresses[turn % 2])
                if turn >= WARM:
                    spent[rows].append(seconds)
        small, large = (statistics.median(spent[rows]) for rows in (SMALL, LARGE))
        yield Figure(f"Customers, 1,000,000: {name} (CPU)", large, small, large / small, REACH)
    for engine in engines.values():
        engine.dispose()


def _page(engine: Engine) -> AppTest:
    def script() -> None:
        import time

        import streamlit as st

        from crm.grid.render import render_table
        from crm.services.permissions import SYSTEM
        from crm.tables.customers import CUSTOMERS

        start = time.thread_time()
        render_table(CUSTOMERS, SYSTEM)
        st.session_state.spent = time.thread_time() - start

    page = AppTest.from_function(script, default_timeout=120)
    _rerun(page, engine, {})
    gc.collect()
    gc.freeze()
    return page


def _rerun(page: AppTest, engine: Engine, address: dict[str, Any]) -> float:
    from crm.tables.site import site

    site.connect(reading=partial(reading, engine), writing=partial(writing, engine), now=lambda: datetime.now(UTC))
    page.query_params.clear()
    for key, value in address.items():
        page.query_params[key] = value
    page.run()
    if page.exception or page.error or not page.dataframe:
        raise RuntimeError(f"the page at {address} shows no table: {page.exception or page.error}")
    spent: float = page.session_state.spent
    return spent


def _fill(engine: Engine, count: int) -> None:
    metadata.create_all(engine)
    chance = random.Random(1)
    raw = engine.raw_connection()
    cursor = raw.cursor()
    cursor.execute("BEGIN")
    cursor.executemany(
        "INSERT INTO department (id, code, name, version) VALUES (?, ?, ?, 1)", [(1, 1001, "East"), (2, 1002, "West")]
    )
    cursor.executemany(
        "INSERT INTO employee (id, name, department_code, active, version) VALUES (?, ?, ?, 1, 1)",
        [(number, f"顾问{number}", 1001 + number % 2) for number in range(1, CONSULTANTS + 1)],
    )
    cursor.execute(
        "INSERT INTO import_batch (id, file_name, digest, rows, imported, duplicates, errors, assigned, waiting, "
        "imported_at) VALUES (1, 'all.xlsx', '', 0, 0, 0, 0, 0, 0, ?)",
        (f"{START}.000000",),
    )
    cursor.executemany(
        "INSERT INTO customer (id, name, gender, phone, education, work_status, source, state, consultant_id, "
        "follow_up_due_at, deal_due_at, created_at, import_batch_id, version) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 1, 1)",
        (_customer(number, chance) for number in range(1, count + 1)),
    )
    cursor.execute("COMMIT")
    with writing(engine) as session:
        name_pairs.index_import(session, 1)
    cursor.execute("PRAGMA optimize")
    cursor.close()
    raw.close()


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
    )
