"""The demo school: refuses a database in use, is the same for the same seed, and obeys every rule."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, text

from crm.errors import Refused
from crm.i18n import Says
from crm.services import doctor
from crm.services.access.passwords import matches
from crm.services.demo import fill
from crm.services.demo.people import PASSWORD, STAFF
from crm.settings import ROOT
from crm.store.engine import make_engine
from crm.store.metadata import metadata
from crm.store.session import reading

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


def test_the_same_seed_and_moment_make_the_same_school(tmp_path: Path) -> None:
    schools = []
    for name in ("one", "two"):
        engine = a_school(tmp_path / f"{name}.db")
        fill(engine, 300, 5, NOW)
        schools.append([rows(engine, f"SELECT * FROM {table}") for table in ("customer", "assignment", "follow_up")])
        engine.dispose()

    assert schools[0] == schools[1]


@pytest.mark.parametrize(
    ("now", "toml"),
    [
        (datetime(2026, 5, 19, 18, 0, tzinfo=UTC), ""),
        (datetime(2026, 5, 19, 17, 59, 59, tzinfo=UTC), ""),
        (datetime(2026, 3, 9, 12, 0, tzinfo=UTC), '[school]\ntime_zone = "America/New_York"'),
        (NOW, "[rules]\nfollow_up_days = 1\ndeal_days = 2"),
        (NOW, "[rules]\nfollow_up_days = 10\ndeal_days = 5"),
        (NOW, "[rules]\nfollow_up_days = 365\ndeal_days = 365"),
        (NOW, '[rules]\nexpire_at = "14:30:00"'),
    ],
)
def test_a_school_is_sound_at_any_hour_in_any_zone_by_any_lengths(
    tmp_path: Path, use_settings: Callable[[str], None], now: datetime, toml: str
) -> None:
    use_settings(toml)
    engine = a_school(tmp_path / "school.db")

    fill(engine, 400, 9, now)

    with reading(engine) as session:
        assert [str(one) for one in doctor.check(session, now)] == []
    assert rows(engine, "SELECT count(*) FROM customer")[0][0] == 400
    engine.dispose()


def test_sheets_notices_runs_and_audit_agree_with_the_history(engine: Engine) -> None:
    fill(engine, 600, 1, NOW)

    lost = rows(engine, "SELECT closed_at, count(*) FROM assignment WHERE outcome LIKE 'no_%' GROUP BY closed_at")
    runs = {row[0]: dict(Says.loaded(row[1]).values) for row in rows(engine, "SELECT due_at, account FROM job_run")}
    for run, count in lost:
        if run in runs:
            assert runs[run]["no_follow_up"] + runs[run]["no_deal"] == count
    assert len(runs) == 60
    assert rows(engine, "SELECT sum(imported) FROM import_batch") == rows(
        engine, "SELECT count(*) FROM customer WHERE import_batch_id IS NOT NULL"
    )
    assert rows(engine, "SELECT count(*) FROM notification WHERE read_at IS NULL")[0][0] > 0
    assert rows(engine, "SELECT count(*) FROM audit_entry WHERE action = 'import.run'")[0][0] > 20


def test_every_demo_person_signs_in_with_the_password_that_was_printed(engine: Engine) -> None:
    accounts = fill(engine, 0, 1, NOW)

    stored = dict(rows(engine, "SELECT name, password_hash FROM account WHERE active"))
    assert {one.name for one in accounts} == set(stored)
    assert len(set(stored.values())) == 1
    assert matches(accounts[0].password, stored["admin"])


def test_the_students_teachers_know_them_by_the_name_they_sign_in_as(engine: Engine) -> None:
    fill(engine, 500, 7, NOW)

    assert rows(
        engine,
        "SELECT account.display_name = customer.name FROM student JOIN account ON account.id = student.account_id"
        " JOIN customer ON customer.id = student.customer_id GROUP BY 1",
    ) == [(1,)]


def test_no_phone_number_can_be_a_real_persons(engine: Engine) -> None:
    fill(engine, 300, 1, NOW)

    numbers = [row[0] for row in rows(engine, "SELECT phone FROM customer WHERE phone IS NOT NULL")]
    assert all(number.startswith("19900") and len(number) == 11 for number in numbers)


def test_more_customers_than_there_are_numbers_for_are_refused(engine: Engine) -> None:
    with pytest.raises(Refused, match="999,999"):
        fill(engine, 1_000_000, 1, NOW)


def a_school(path: Path) -> Engine:
    engine = make_engine(f"sqlite:///{path}")
    with engine.begin() as connection:
        metadata.create_all(connection)
    return engine


def test_the_documentation_names_everybody_who_can_sign_in() -> None:
    text = (ROOT / "docs" / "demo.md").read_text("utf-8")

    listed = re.findall(r"^\| ((?:`[a-z]+` ?)+) \|", text, re.MULTILINE)
    assert f"`{PASSWORD}`" in text
    assert set(re.findall("[a-z]+", " ".join(listed))) == {one.login for one in STAFF if one.active}
