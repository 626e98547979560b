"""Imports beside other work: all of a sheet or nothing of it, and nobody comes in twice."""

import threading
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, event, text
from sqlmodel import Session, col, func, select

from crm import settings as settings_module
from crm.domain.customers import Customer, CustomerState
from crm.domain.episodes import Assignment
from crm.domain.imports import ImportBatch
from crm.domain.records import AuditEntry, Notification
from crm.domain.staff import ConsultantQuota
from crm.errors import Refused, Unavailable
from crm.i18n import Says
from crm.services import imports
from crm.services.access.permissions import SYSTEM
from crm.services.imports import Checked, ImportResult
from crm.store.engine import make_engine
from crm.store.metadata import metadata
from crm.store.session import reading, writing
from tests import servers
from tests.builders import NOON, a_consultant, a_customer
from tests.sheets import a_sheet


def checked(engine: Engine, numbers: Sequence[int], file_name: str = "sheet.xlsx") -> Checked:
    rows = [(f"Customer {number}", 1, 13800000000 + number, None) for number in numbers]
    with reading(engine) as session:
        return imports.check_sheet(session, SYSTEM, a_sheet(rows, name=file_name), file_name, NOON)


def run(engine: Engine, sheet: Checked, progress: Callable[[float, Says], None] | None = None) -> ImportResult:
    with writing(engine) as session:
        return imports.run_import(session, SYSTEM, sheet, NOON, progress)


def with_consultants(engine: Engine, **values: Any) -> None:
    with writing(engine) as session:
        for _each in range(3):
            a_consultant(session, max_customers=10_000, **values)


def count(session: Session, table: Any) -> int:
    return session.exec(select(func.count()).select_from(table)).one()


@pytest.mark.parametrize("at", [0.0, 0.3, 0.7, 0.94])
def test_an_import_that_breaks_anywhere_leaves_nothing(engine: Engine, at: float) -> None:
    with_consultants(engine)
    sheet = checked(engine, range(50))

    def break_off(done: float, _what: Says) -> None:
        if done >= at:
            raise ConnectionError("the browser went away")

    with pytest.raises(ConnectionError):
        run(engine, sheet, break_off)

    with reading(engine) as session:
        for table in (Customer, Assignment, ImportBatch, Notification, AuditEntry):
            assert count(session, table) == 0
        assert session.exec(select(func.sum(ConsultantQuota.served))).one() == 0
    assert run(engine, sheet).imported == 50


def test_two_sheets_at_once_bring_everybody_in_once(engine: Engine) -> None:
    with_consultants(engine)
    sheets = [checked(engine, range(100), "one"), checked(engine, range(99, -101, -1)[:150], "two")]
    results: list[ImportResult] = []
    start = threading.Barrier(2)

    def work(sheet: Checked) -> None:
        start.wait()
        results.append(run(engine, sheet))

    threads = [threading.Thread(target=work, args=(sheet,)) for sheet in sheets]
    for each in threads:
        each.start()
    for each in threads:
        each.join()

    with reading(engine) as session:
        assert count(session, Customer) == 150
        assert session.exec(select(func.count(func.distinct(Customer.phone)))).one() == 150
        assert count(session, Assignment) == 150
    assert sum(result.imported for result in results) == 150
    assert sum(result.duplicates for result in results) == 100


def test_the_same_sheet_confirmed_twice_at_once_comes_in_once(engine: Engine) -> None:
    with_consultants(engine)
    sheets = [checked(engine, range(50)), checked(engine, range(50))]
    told: list[str] = []
    start = threading.Barrier(2)

    def work(sheet: Checked) -> None:
        start.wait()
        try:
            told.append(str(run(engine, sheet).imported))
        except Refused as error:
            told.append(str(error))

    threads = [threading.Thread(target=work, args=(sheet,)) for sheet in sheets]
    for each in threads:
        each.start()
    for each in threads:
        each.join()

    assert sorted(told) == ["50", "This sheet has just been imported as number 1. Nothing came in twice."]


@pytest.mark.postgres
def test_whom_somebody_is_just_entering_is_waited_for_and_left_out(postgres_url: str) -> None:
    engine = make_engine(postgres_url)
    with_consultants(engine)
    sheet = checked(engine, range(20))
    results: list[ImportResult] = []
    importing = threading.Thread(target=lambda: results.append(run(engine, sheet)))

    with writing(engine) as session:
        a_customer(session, phone="13800000007")
        importing.start()
        importing.join(0.7)
        still_waiting = importing.is_alive()
    importing.join(20)
    engine.dispose()

    assert still_waiting
    assert (results[0].imported, [row.number for row in results[0].late]) == (19, [9])
    assert results[0].assigned == 19


@pytest.mark.redis
def test_redis_dying_during_an_import_changes_nothing(
    engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with_consultants(engine)
    sheets = [checked(engine, range(start, start + 40), str(start)) for start in (0, 40, 80)]
    with closing(Dying(tmp_path)) as redis:
        monkeypatch.setenv("REDIS_URL", redis.url)
        settings_module.settings.cache_clear()
        first = run(engine, sheets[0])
        second = run(engine, sheets[1], lambda _done, _what: redis.die())
        third = run(engine, sheets[2])

    assert [result.assigned for result in (first, second, third)] == [40, 40, 40]
    with reading(engine) as session:
        held = session.exec(
            select(func.count()).where(Customer.state == CustomerState.PRIVATE).group_by(col(Customer.consultant_id))
        ).all()
        assert sorted(held) == [40, 40, 40]


class Dying:
    """A Redis of one's own that can die once."""

    def __init__(self, folder: Path) -> None:
        self._server: servers.Redis | None = servers.Redis(folder / "redis")
        self.url = self._server.url

    def die(self) -> None:
        if self._server:
            self._server.kill()
            self._server = None

    close = die


def test_nothing_is_left_behind_for_the_next_import(engine: Engine) -> None:
    with_consultants(engine)

    for start in (0, 10, 20):
        assert run(engine, checked(engine, range(start, start + 10), str(start))).imported == 10

    with engine.connect() as connection:
        names = connection.execute(text("SELECT name FROM customer ORDER BY id")).scalars().all()
    assert names == [f"Customer {number}" for number in range(30)]


@pytest.mark.postgres
def test_postgresql_dying_during_an_import_is_said_and_leaves_nothing(tmp_path: Path) -> None:
    with closing(servers.Postgres(tmp_path / "postgres" / "data")) as server:
        engine = make_engine(server.url())
        with engine.begin() as connection:
            metadata.create_all(connection)
        with_consultants(engine)
        sheet = checked(engine, range(50))

        def stop(done: float, _what: Says) -> None:
            if done:
                server.stop()

        with pytest.raises(Unavailable, match="Nothing was written"):
            run(engine, sheet, stop)

        server.start()
        with reading(engine) as session:
            assert count(session, Customer) == count(session, ImportBatch) == 0
        assert run(engine, sheet).assigned == 50
        engine.dispose()


def test_a_full_disk_is_said_and_leaves_nothing(sqlite_url: str) -> None:
    engine = make_engine(sqlite_url)
    with_consultants(engine)
    sheet = checked(engine, range(2_000))

    @event.listens_for(engine, "begin")
    def _little_room(connection: Connection) -> None:
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar_one()
        connection.exec_driver_sql(f"PRAGMA max_page_count = {pages + 20}")

    with pytest.raises(Unavailable, match=r"The disk is full\. Nothing was written\."):
        run(engine, sheet)

    event.remove(engine, "begin", _little_room)
    engine.dispose()
    with reading(engine) as session:
        assert count(session, Customer) == count(session, ImportBatch) == 0
    assert run(engine, sheet).imported == 2_000
    engine.dispose()
