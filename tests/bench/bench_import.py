"""A sheet of 100,000 rows and 15 columns into a school of 100,000: looked at, stored, shared out, all told.

The limit is the least that any way of doing it would do: calamine reads the same file, and its rows go into the
same table with one `executemany` (SQLite) or one COPY (PostgreSQL). Each runs in a fresh process.
"""

import multiprocessing
import random
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import psutil
import xlsxwriter
from sqlalchemy import text
from sqlmodel import Session

from crm.domain.base import Moment
from crm.services.access.permissions import SYSTEM
from crm.services.imports import check_sheet, run_import
from crm.store.engine import make_engine
from crm.store.metadata import metadata
from crm.store.session import is_postgres, reading, writing
from crm.xlsx.fields import STORED
from tests import servers
from tests.bench.figure import Figure
from tests.builders import a_consultant
from tests.sheets import HEADERS

ROWS, EXISTING, CONSULTANTS = 100_000, 100_000, 50
NOW = datetime(2025, 3, 6, 4, 0, tzinfo=UTC)
REACH_SQLITE, REACH_POSTGRES, MEGABYTES = 3.0, 4.0, 700
COLUMNS = (*HEADERS, "微信", "邮箱", "学历", "毕业院校", "专业", "工作经验", "工作状态", "公司", "薪资", "来源", "备注")


def run(folder: Path) -> Iterator[Figure]:
    """Time and memory on SQLite, then on PostgreSQL."""
    sheet = folder / "customers.xlsx"
    _write_sheet(sheet)
    prepared = folder / "prepared.db"
    _prepare(f"sqlite:///{prepared}")
    for name in ("bare", "ours"):
        (folder / f"{name}.db").write_bytes(prepared.read_bytes())
    yield from _figures(folder, sheet, "SQLite", REACH_SQLITE, lambda name: f"sqlite:///{folder / name}.db")
    with closing(servers.Postgres(folder / "postgres", durable=True)) as server:
        server.execute("CREATE DATABASE ours")
        _prepare(server.url("ours"))
        server.execute("CREATE DATABASE bare TEMPLATE ours", "CHECKPOINT")
        yield from _figures(folder, sheet, "PostgreSQL", REACH_POSTGRES, server.url)


def _figures(folder: Path, sheet: Path, name: str, reach: float, url: Callable[[str], str]) -> Iterator[Figure]:
    bare, _ = _apart(_bare, url("bare"), sheet, folder)
    took, megabytes = _apart(_ours, url("ours"), sheet, folder)
    yield Figure(f"import, {name}: {ROWS:,} × {len(COLUMNS)} into {EXISTING:,}", took, bare, took / bare, reach)
    yield Figure(f"import, {name}: memory of the process tree, MB", megabytes, MEGABYTES, megabytes / MEGABYTES, 1.0)


def _apart(work: Callable[..., None], url: str, sheet: Path, folder: Path) -> tuple[float, float]:
    """Seconds that `work` told, and the most megabytes that its process and all below it had together."""
    context = multiprocessing.get_context("spawn")
    here, there = context.Pipe()
    process = context.Process(target=work, args=(there, url, sheet, folder))
    process.start()
    most = 0
    while not here.poll(0.05):
        most = max(most, _resident(process.pid))
        if not process.is_alive() and not here.poll():
            raise RuntimeError(f"{work.__name__} failed on {url}")
    took: float = here.recv()
    process.join()
    return took, most / 2**20


def _resident(pid: int | None) -> int:
    total = 0
    try:
        top = psutil.Process(pid)
        for process in (top, *top.children(recursive=True)):
            total += process.memory_info().rss
    except psutil.NoSuchProcess:
        pass
    return total


def _ours(pipe: Connection, url: str, sheet: Path, _folder: Path) -> None:
    engine = make_engine(url)
    start = time.perf_counter()
    with reading(engine) as session:
        checked = check_sheet(session, SYSTEM, sheet, sheet.name, NOW)
    with writing(engine) as session:
        result = run_import(session, SYSTEM, checked, NOW)
    took = time.perf_counter() - start
    assert (result.imported, result.assigned) == (ROWS, ROWS), result
    engine.dispose()
    pipe.send(took)


def _bare(pipe: Connection, url: str, sheet: Path, _folder: Path) -> None:
    from python_calamine import CalamineWorkbook

    engine = make_engine(url)
    start = time.perf_counter()
    rows = CalamineWorkbook.from_path(sheet).get_sheet_by_index(0).to_python()
    took = time.perf_counter() - start
    assert len(rows) == ROWS + 1
    del rows
    given = [_row(number) for number in range(EXISTING, EXISTING + ROWS)]
    with writing(engine) as session:
        session.execute(text("SELECT 1"))
        start = time.perf_counter()
        _insert(session, given)
        session.commit()
        took += time.perf_counter() - start
    engine.dispose()
    pipe.send(took)


def _row(number: int) -> tuple[Any, ...]:
    """A customer as it is stored, with the state that follows."""
    chance = random.Random(number)
    return (
        f"{chance.choice('王李张刘陈杨黄赵吴周')}{chance.choice('伟芳娜秀英敏静丽强磊军洋勇艳杰娟涛明超')}",
        chance.choice(("male", "female")),
        str(13_000_000_000 + number),
        str(100_000_000 + number),
        f"wx_{number}",
        f"user{number}@example.com",
        chance.choice(("bachelor", "college", "master")),
        f"第{chance.randrange(300)}大学",
        chance.choice(("计算机", "会计", "英语", "法律")),
        chance.choice(("over_five", "one_to_three", "student")),
        chance.choice(("employed", "unemployed")),
        f"公司{chance.randrange(5_000)}",
        chance.randrange(3, 40) * 1000,
        chance.choice(("douyin", "referral", "search")),
        f"备注{chance.randrange(100_000)}",
        "waiting",
        NOW - timedelta(days=30),
        1,
    )


def _insert(session: Session, rows: list[tuple[Any, ...]]) -> None:
    columns = ", ".join((*STORED, "state", "created_at", "version"))
    connection = session.connection()
    if is_postgres(session):
        driver: Any = connection.connection.driver_connection
        with driver.cursor() as cursor, cursor.copy(f"COPY customer ({columns}) FROM STDIN") as copy:
            for row in rows:
                copy.write_row(row)
        return
    moment = Moment().process_bind_param(rows[0][-2], session.get_bind().dialect)
    given = [(*row[:-2], f"{moment:%Y-%m-%d %H:%M:%S.%f}", 1) for row in rows]
    marks = ", ".join("?" * len(given[0]))
    connection.exec_driver_sql(f"INSERT INTO customer ({columns}) VALUES ({marks})", given)


def _prepare(url: str) -> None:
    """A school with consultants that have room for all, and customers who are enrolled, so that they keep still."""
    engine = make_engine(url)
    with engine.begin() as connection:
        metadata.create_all(connection)
    with writing(engine) as session:
        for number in range(CONSULTANTS):
            a_consultant(session, weight=5 + number % 20, max_customers=ROWS)
        _insert(session, [(*row[:15], "enrolled", *row[16:]) for row in map(_row, range(EXISTING))])
    with engine.execution_options(isolation_level="AUTOCOMMIT").connect() as connection:
        if url.startswith("sqlite"):
            connection.exec_driver_sql("COMMIT")
            connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
            connection.exec_driver_sql("BEGIN")
        else:
            connection.exec_driver_sql("VACUUM ANALYZE")
    engine.dispose()


def _write_sheet(file: Path) -> None:
    codes = {"male": 1, "female": 2}
    book = xlsxwriter.Workbook(file)
    sheet = book.add_worksheet("客户")
    sheet.write_row(0, 0, COLUMNS)
    for line in range(ROWS):
        name, gender, phone, qq, *rest = _row(EXISTING + line)[:15]
        number = int(phone) if line % 2 else phone
        sheet.write_row(line + 1, 0, (name, codes[gender], number, int(qq), *rest))
    book.close()
