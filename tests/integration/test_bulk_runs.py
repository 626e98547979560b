"""Who left while an action of several steps ran reads on return how far it came: the log has it with each step."""

import json
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from sqlalchemy import Engine
from sqlmodel import col, select

from crm.domain.customers import Customer
from crm.domain.records import AuditEntry
from crm.errors import NotAllowed, Refused
from crm.grid import acting
from crm.grid.acting import Row, Work
from crm.i18n import says
from crm.services import bulk_runs
from crm.store.session import reading, writing
from crm.tables.customers import CUSTOMERS
from tests.builders import NOON, a_customer, an_account, an_actor

DELETE = CUSTOMERS.doings[-1]


@pytest.fixture
def left(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> tuple[Any, Work]:
    """A manager who left after two of three steps, and the work; the second step was refused as a whole."""
    monkeypatch.setattr(acting, "STEP", 2)
    with writing(engine) as session:
        manager = an_actor(role="sales_manager", account_id=an_account(session).id)
        rows = [Row(a_customer(session).id, "x") for _each in range(5)]
    steps: list[int] = []

    def run(session: Any, actor: Any, keys: Any, now: Any) -> Any:
        account = DELETE.run(session, actor, keys, now)
        steps.append(len(keys))
        if len(steps) == 2:
            raise Refused(says("Not these."))
        return account

    work = Work(DELETE, run, {}, rows)

    def note(session: Any, actor: Any, kept: Any, now: Any) -> None:
        bulk_runs.note(session, actor, "customers", DELETE.needs, kept, now)

    for _step in range(2):
        work.step(partial(writing, engine), manager, NOON, note)
    return manager, work


def test_how_far_it_came_is_in_the_log_with_what_was_done(engine: Engine, left: tuple[Any, Work]) -> None:
    manager, work = left

    with reading(engine) as session:
        asked = select(AuditEntry).where(AuditEntry.subject == "customers")
        (entry,) = session.exec(asked).all()
        gone = session.exec(select(Customer.id).where(col(Customer.deleted_at).is_not(None))).all()

    assert (entry.account_id, entry.action) == (manager.account_id, "customers.delete")
    assert json.loads(entry.after) == {"action": "delete", "rows": 5, "done": 2, "refused": 0}
    assert sorted(gone) == [row.key for row in work.done]


def test_who_comes_back_within_the_hour_is_told_and_nobody_else(engine: Engine, left: tuple[Any, Work]) -> None:
    manager, _work = left

    def told(actor: Any, table: str = "customers", after: timedelta = timedelta(minutes=59)) -> Any:
        with reading(engine) as session:
            return bulk_runs.last(session, actor, table, NOON + after)

    assert told(manager) == bulk_runs.Ran("delete", 5, 2, 0, NOON)
    assert told(manager, after=timedelta(hours=1)) is None
    assert told(manager, "my-customers") is None
    assert told(an_actor(role="sales_manager", account_id=(manager.account_id or 0) + 1)) is None


def test_nobody_notes_what_they_may_not_do(engine: Engine) -> None:
    with pytest.raises(NotAllowed), writing(engine) as session:
        bulk_runs.note(session, an_actor(role="student"), "customers", "customers.delete", {}, NOON)


def test_what_one_step_does_is_not_noted_beside_its_rows(engine: Engine) -> None:
    with writing(engine) as session:
        manager = an_actor(role="sales_manager", account_id=an_account(session).id)
        rows = [Row(a_customer(session).id, "x")]

    Work(DELETE, DELETE.run, {}, rows).step(partial(writing, engine), manager, NOON, lambda *_: pytest.fail())
