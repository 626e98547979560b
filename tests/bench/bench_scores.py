"""Scores: a class gradebook of 60 × 120, *My grades* after 5 years of daily scores, both as CPU of a page's rerun.

The first student of a class in a minute reads the days of the class for all forty, so that page may take twice as long.

Measured as `bench_grid` does: inside the run, in the thread that draws the page and asks SQLite, as the median of many
reruns.
"""

import gc
import random
import statistics
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

from sqlalchemy import Engine
from sqlmodel import Session
from streamlit.testing.v1 import AppTest

from crm.domain.classes import ClassGroup
from crm.store.engine import make_engine
from crm.store.metadata import metadata
from crm.store.session import writing
from crm.ui.scores import grades
from crm.ui.serving.garbage import keep_cheap
from tests.bench.figure import Figure
from tests.builders import an_account
from tests.school_builders import a_class_group, a_student_in

NOW = datetime.now(UTC)
STUDENTS, DAYS, YEARS = 60, 120, 5
CLASSMATES = 40
GRADEBOOK, MINE = 0.100, 0.050
WARM, TIMES = 3, 15


def run(folder: Path) -> Iterator[Figure]:
    """CPU of the two pages."""
    engine = make_engine(f"sqlite:///{folder / 'thanos.db'}")
    metadata.create_all(engine)
    with writing(engine) as session:
        small = a_scored_class(session, STUDENTS, DAYS)
        me = an_account(session).id
        large = a_scored_class(session, CLASSMATES, YEARS * 365, [me or 0])
    with engine.begin() as connection:
        connection.exec_driver_sql("ANALYZE")
    took = _cpu(engine, "gradebook", small, 0)
    yield Figure(f"class gradebook of {STUDENTS} × {DAYS} (CPU)", took, GRADEBOOK, took / GRADEBOOK, 1.0)
    for what, first, reach in (("", False, 1.0), (": the first of the class in a minute", True, 2.0)):
        took = _cpu(engine, "grades", large, me or 0, first)
        name = f"My grades, {YEARS} years of days, {CLASSMATES} students{what} (CPU)"
        yield Figure(name, took, MINE, took / MINE, reach)
    engine.dispose()


def a_scored_class(session: Session, students: int, days: int, accounts: Sequence[int] = ()) -> int:
    """A class with homework on every day, nearly all of it graded. The first students have these sign-ins."""
    chance = random.Random(days)
    first = (NOW - timedelta(days=days + 5)).date()
    group: ClassGroup = a_class_group(session, starts_on=first, capacity=1000)
    pupils = [
        a_student_in(
            session, group, paid=False, sign_in=False, account_id=accounts[each] if each < len(accounts) else None
        ).id
        for each in range(students)
    ]
    class_id, connection = group.id or 0, session.connection()
    records, rows = metadata.tables["course_record"], metadata.tables["study_record"]
    made = connection.execute(
        records.insert().returning(records.c.id, sort_by_parameter_order=True),
        [
            {
                "class_group_id": class_id,
                "day_number": each + 1,
                "held_on": first + timedelta(days=each),
                "title": f"Lesson {each + 1}",
                "homework_title": f"Exercise {each + 1}",
                "homework_due_on": first + timedelta(days=each + 2),
                "initialised_at": NOW,
                "taken_at": NOW,
                "version": 1,
            }
            for each in range(days)
        ],
    ).scalars()
    connection.execute(
        rows.insert(),
        [
            {
                "course_record_id": day,
                "student_id": pupil,
                "attendance": "present",
                "version": 1,
                "teacher_remark": "Well done, but mind the names of variables.",
                **_scored(chance),
            }
            for day in made
            for pupil in pupils
        ],
    )
    return class_id


def _scored(chance: random.Random) -> dict[str, object]:
    if chance.random() < 0.92:
        return {"score_state": "graded", "score": chance.randint(0, 100), "handed_in_at": NOW}
    state = chance.choice(("not_due", "copied", "failed", "missing"))
    return {"score_state": state, "score": None, "handed_in_at": None}


def _cpu(engine: Engine, page: str, class_id: int, account_id: int, first: bool = False) -> float:
    """The CPU of a rerun; `first`: with nothing kept of the one before, as if nobody had looked for a while."""

    def script(page: str, class_id: int, account_id: int) -> None:
        import time

        import streamlit as st

        from crm.rbac import Actor
        from crm.services.access.permissions import DEFAULT_ROLES
        from crm.ui.scores import class_gradebook, grades

        roles = {each.name: each.grants for each in DEFAULT_ROLES}
        actor = Actor(account_id, "Somebody", roles["student" if page == "grades" else "sales_manager"])
        start = time.thread_time()
        if page == "grades":
            grades.grades(actor)
        else:
            class_gradebook.class_gradebook_of(actor, class_id)
        st.session_state.spent = time.thread_time() - start

    from crm.store import session as sessions
    from crm.ui import session as people

    people.reading = partial(sessions.reading, engine)  # type: ignore[attr-defined]
    at = AppTest.from_function(script, default_timeout=120, args=(page, class_id, account_id))
    spent = []
    for turn in range(WARM + TIMES):
        if first:
            grades.kept_days.clear()
        at.run()
        if at.exception or not at.dataframe:
            raise RuntimeError(f"{page} shows no table: {at.exception}")
        if turn == 0:
            # As in the app: what lives is put aside.
            keep_cheap()
            gc.collect()
        if turn >= WARM:
            spent.append(at.session_state.spent)
    return statistics.median(spent)
