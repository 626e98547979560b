"""Migrations lead to exactly the schema that the models declare, on both engines, whoever starts first."""

import subprocess
import sys
import threading
from itertools import count
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, Engine, inspect, text

from crm.errors import Unavailable
from crm.store.engine import WRITES, make_engine
from crm.store.metadata import metadata
from crm.store.migrate import head, rebuilding, require_head, to_head
from crm.store.name_pairs import declared_by_models
from tests import servers

_numbers = count(1)


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def empty_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The address of a database without any table."""
    return _empty(request.param, request, tmp_path)


def _empty(dialect: str, request: pytest.FixtureRequest, folder: Path) -> str:
    if dialect == "sqlite":
        return f"sqlite:///{folder}/empty.db"
    server: servers.Postgres = request.getfixturevalue("postgres_server")
    name = f"empty_{next(_numbers)}"
    server.execute(f"CREATE DATABASE {name} TEMPLATE template0")
    return server.url(name)


def test_head_is_what_the_models_declare(engine: Engine, request: pytest.FixtureRequest, tmp_path: Path) -> None:
    url = _empty(engine.dialect.name, request, tmp_path)

    to_head(url)

    migrated = make_engine(url)
    with migrated.connect() as ours, engine.connect() as declared:
        context = MigrationContext.configure(ours, opts={"include_name": declared_by_models})
        assert compare_metadata(context, metadata) == []
        assert _described(ours) ^ _described(declared) == set()
    migrated.dispose()


def test_a_second_migration_changes_nothing(empty_url: str) -> None:
    first = to_head(empty_url)

    second = to_head(empty_url)

    assert (first.before, first.after) == (None, head())
    assert (second.before, second.after) == (head(), head())


# Four of one that has imported all it needs: no import keeps any of them from being as early as the others.
FOUR = """
import os, sys
import alembic.command
from crm.store.migrate import to_head
children = []
for _ in range(4):
    children.append(os.fork())
    if not children[-1]:
        to_head(sys.argv[1])
        sys.exit()
sys.exit(any([os.waitpid(child, 0)[1] for child in children]))
"""


def test_processes_that_start_together_wait_for_one_another(empty_url: str) -> None:
    ran = subprocess.run([sys.executable, "-c", FOUR, empty_url], capture_output=True, text=True)

    assert (ran.returncode, ran.stderr) == (0, "")


def test_a_database_of_a_newer_version_is_left_alone(empty_url: str) -> None:
    to_head(empty_url)
    _execute(empty_url, "UPDATE alembic_version SET version_num = '9999'")

    with pytest.raises(Unavailable, match=r"newer version of this program \(revision 9999\).*Update the program"):
        to_head(empty_url)

    assert _scalar(empty_url, "SELECT version_num FROM alembic_version") == "9999"


def test_a_database_of_somebody_else_is_left_alone(empty_url: str) -> None:
    _execute(empty_url, "CREATE TABLE customer (theirs INTEGER)")

    with pytest.raises(Unavailable, match="already has a table customer that is not ours"):
        to_head(empty_url)


def test_a_database_behind_is_told_how_to_get_to_head(empty_url: str) -> None:
    engine = make_engine(empty_url)

    with pytest.raises(Unavailable, match="python -m crm migrate"):
        require_head(engine)

    to_head(empty_url)
    require_head(engine)
    engine.dispose()


def test_a_payment_of_the_first_schema_keeps_its_verdict(empty_url: str) -> None:
    at = "2026-03-01 09:00:00+00:00"

    with rebuilding(empty_url, "0001") as connection:
        for statement in (
            "INSERT INTO account (id, name, display_name, password_hash, active, must_change_password,"
            f" session_epoch, created_at, version) VALUES (1, 'a', 'A', 'x', true, false, 0, '{at}', 1)",
            "INSERT INTO customer (id, name, phone, state, created_at, version)"
            f" VALUES (1, 'B', '13800138000', 'enrolled', '{at}', 1)",
            "INSERT INTO payment (customer_id, kind, state, amount_cents, recorded_at, recorded_by_id, version)"
            f" VALUES (1, 'deposit', 'confirmed', 50000, '{at}', 1, 1), (1, 'tuition', 'pending', 9, '{at}', 1, 1)",
        ):
            connection.execute(text(statement))

    assert _scalar(empty_url, "SELECT count(*) FROM payment WHERE decided_at = recorded_at") == 1
    assert _scalar(empty_url, "SELECT count(*) FROM payment WHERE state = 'pending' AND decided_at IS NULL") == 1


def test_a_failing_migration_leaves_nothing_behind(empty_url: str) -> None:
    _execute(empty_url, "CREATE TABLE theirs (id INTEGER)")
    _execute(empty_url, "CREATE INDEX ix_employee_department_code ON theirs (id)")

    with pytest.raises(Unavailable, match="ix_employee_department_code"):
        to_head(empty_url)

    engine = make_engine(empty_url)
    assert inspect(engine).get_table_names() == ["theirs"]
    engine.dispose()


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("postgresql://nobody:secret@127.0.0.1:1/thanos", "postgresql://nobody:***@127.0.0.1:1/thanos cannot be used"),
        ("sqlite:////proc/nowhere/thanos.db", "sqlite:////proc/nowhere/thanos.db cannot be used"),
    ],
)
def test_a_database_out_of_reach_is_named_without_its_password(url: str, said: str) -> None:
    with pytest.raises(Unavailable) as raised:
        to_head(url)

    assert said in str(raised.value)
    assert "secret" not in str(raised.value)
    assert "\n" not in str(raised.value)


def test_a_writer_waits_for_a_migration_and_the_other_way_round(sqlite_url: str, tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/busy.db"
    engine = make_engine(url).execution_options(**{WRITES: True})
    with engine.begin() as writer:
        writer.exec_driver_sql("CREATE TABLE theirs (id INTEGER)")
        migration = threading.Thread(target=to_head, args=(url,))
        migration.start()
        migration.join(0.3)
        assert migration.is_alive()

    migration.join(20)

    assert not migration.is_alive()
    require_head(engine)
    engine.dispose()


def _described(connection: Connection) -> set[tuple[object, ...]]:
    """Columns, constraints, indexes and triggers as the engine itself describes them; the order of columns aside."""
    if connection.dialect.name == "postgresql":
        return _rows(
            connection,
            "SELECT table_name, column_name, data_type, character_maximum_length, is_nullable, column_default "
            "FROM information_schema.columns WHERE table_schema = 'public' AND table_name <> 'alembic_version'",
            "SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid) FROM pg_constraint "
            "WHERE connamespace = 'public'::regnamespace AND conrelid::regclass::text <> 'alembic_version'",
            "SELECT indexdef FROM pg_indexes WHERE schemaname = 'public' AND tablename <> 'alembic_version'",
            "SELECT pg_get_triggerdef(oid) FROM pg_trigger WHERE NOT tgisinternal",
            "SELECT prosrc FROM pg_proc WHERE pronamespace = 'public'::regnamespace",
        )
    seen = inspect(connection)
    described = _rows(
        connection,
        "SELECT sql FROM sqlite_master WHERE type <> 'table' AND sql IS NOT NULL",
        "SELECT name, 'numbers once' FROM sqlite_master WHERE type = 'table' AND sql LIKE '%AUTOINCREMENT%'",
    )
    for table in set(seen.get_table_names()) - {"alembic_version"}:
        described |= {(table, c["name"], str(c["type"]), c["nullable"], c["default"]) for c in seen.get_columns(table)}
        for constraints in (
            seen.get_check_constraints(table),
            seen.get_unique_constraints(table),
            seen.get_foreign_keys(table),
            [seen.get_pk_constraint(table)],
        ):
            described |= {(table, str(sorted(one.items(), key=str))) for one in constraints}
    return described


def _rows(connection: Connection, *queries: str) -> set[tuple[object, ...]]:
    return {tuple(row) for query in queries for row in connection.execute(text(query))}


def _execute(url: str, statement: str) -> None:
    engine = make_engine(url)
    with engine.begin() as connection:
        connection.execute(text(statement))
    engine.dispose()


def _scalar(url: str, query: str) -> object:
    engine = make_engine(url)
    with engine.connect() as connection:
        value: object = connection.scalar(text(query))
    engine.dispose()
    return value
