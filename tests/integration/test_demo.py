"""The demo school: refuses a database in use, is the same for the same seed, and obeys every rule."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, text

from crm.errors import Refused
from crm.services.demo import fill

NOW = datetime(2026, 5, 20, 3, 30, tzinfo=UTC)


def rows(engine: Engine, query: str, **values: Any) -> list[Any]:
    with engine.connect() as connection:
        return list(connection.execute(text(query), values))


def test_a_school_has_customers_in_every_state_and_every_outcome(engine: Engine) -> None:
    fill(engine, 600, 1, NOW)

    states = dict(rows(engine, "SELECT state, count(*) FROM customer GROUP BY state"))
    outcomes = {row[0] for row in rows(engine, "SELECT DISTINCT outcome FROM assignment")}
    assert sum(states.values()) == 600
    assert set(states) == {"waiting", "private", "public", "enrolled"}
    assert outcomes == {"following", "no_follow_up", "no_deal", "enrolled", "transferred", "released", "left_school"}


def test_without_customers_there_are_people_roles_and_quotas_the_same_for_the_same_seed(engine: Engine) -> None:
    accounts = fill(engine, 0, 7, NOW)

    quotas = rows(engine, "SELECT employee_id, weight, max_customers FROM consultant_quota ORDER BY 1")
    active = rows(engine, "SELECT count(*) FROM consultant_quota JOIN employee ON id = employee_id WHERE active")[0][0]
    assert rows(engine, "SELECT count(*) FROM customer")[0][0] == 0
    assert active == 12
    assert {one.role for one in accounts} == {
        "administrator",
        "sales_manager",
        "consultant",
        "lecturer",
        "class_teacher",
        "finance",
        "student",
    }
    assert len({weight for _id, weight, _cap in quotas}) == len(quotas)


def test_a_database_in_use_is_refused_and_left_as_it_is(engine: Engine) -> None:
    fill(engine, 0, 1, NOW)

    with pytest.raises(Refused) as refused:
        fill(engine, 10, 1, NOW)

    assert "not empty" in str(refused.value)
    assert rows(engine, "SELECT count(*) FROM customer")[0][0] == 0


def test_nothing_lies_in_the_future_and_some_are_due_today(engine: Engine) -> None:
    fill(engine, 600, 1, NOW)

    last_run = datetime(2026, 5, 19, 18, 0, tzinfo=UTC)
    due = [row[0] for row in rows(engine, "SELECT follow_up_due_at FROM customer WHERE state = 'private'")]
    due = [datetime.fromisoformat(str(one)).replace(tzinfo=UTC) for one in due]
    assert sum(last_run < one <= NOW for one in due) >= 3
    assert sum(NOW < one <= NOW + timedelta(days=1) for one in due) >= 20
    assert not rows(engine, "SELECT 1 FROM follow_up WHERE at > :now", now=NOW.replace(tzinfo=None))
