"""Initialising 200 course records of 40 students each, beside the bare insert of as many study records."""

import time
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from sqlalchemy import Engine, text

from crm.rbac import Actor
from crm.services.access.permissions import PAGES
from crm.services.classes import course_records
from crm.store.engine import make_engine
from crm.store.metadata import metadata
from crm.store.session import writing
from tests import servers
from tests.bench.figure import Figure
from tests.school_builders import a_class_group, a_course_record, a_student
from tests.teaching import in_class

DAYS, STUDENTS, REACH, TIMES = 200, 40, 3.0, 5
NOW = datetime(2025, 3, 6, 4, 0, tzinfo=UTC)
FIRST = date(2025, 3, 3)
ADMIN = Actor(account_id=None, name="Bench", grants=PAGES.everything())
BARE = (
    "INSERT INTO study_record (course_record_id, student_id, attendance, score_state, version)"
    " SELECT r.id, s.id, 'present', 'not_due', 1 FROM course_record r CROSS JOIN student s"
)


def run(folder: Path) -> Iterator[Figure]:
    """On either engine."""
    yield _figure("SQLite", f"sqlite:///{folder / 'bench.db'}")
    with closing(servers.Postgres(folder / "postgres", durable=True)) as server:
        server.execute("CREATE DATABASE bench")
        yield _figure("PostgreSQL", server.url("bench"))


def _figure(name: str, url: str) -> Figure:
    engine = make_engine(url)
    metadata.create_all(engine)
    with writing(engine) as session:
        group = a_class_group(session, starts_on=FIRST)
        for _each in range(STUDENTS):
            in_class(session, a_student(session, sign_in=False), group)
        for each in range(DAYS):
            a_course_record(session, group, FIRST + timedelta(days=each), day_number=each + 1)
    bare = min(_timed(engine, _bare) for _each in range(TIMES))
    ours = min(_timed(engine, _ours) for _each in range(TIMES))
    engine.dispose()
    return Figure(f"teaching, {name}: initialising {DAYS} x {STUDENTS}", ours, bare, ours / bare, REACH)


def _timed(engine: Engine, work: Callable[[Engine], None]) -> float:
    with writing(engine) as session:
        session.connection().execute(text("DELETE FROM study_record"))
        session.connection().execute(text("UPDATE course_record SET initialised_at = NULL"))
    begun = time.perf_counter()
    work(engine)
    return time.perf_counter() - begun


def _bare(engine: Engine) -> None:
    with writing(engine) as session:
        session.connection().execute(text(BARE))


def _ours(engine: Engine) -> None:
    with writing(engine) as session:
        told = course_records.initialise_many(session, ADMIN, list(range(1, DAYS + 1)), NOW)
    assert len(told) == DAYS
