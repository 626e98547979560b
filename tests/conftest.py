"""What every test stands on: settings of its own, a database of its own, real servers.

`engine` runs a test on SQLite and on PostgreSQL. It is also what `reading()` and `writing()` use in
that test, so nothing has to be passed around. No test sees another's rows, nor this folder's `var`.
"""

import shutil
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

import pytest
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings
from sqlalchemy import Engine
from sqlmodel import Session

from crm import settings as settings_module
from crm.i18n.reader import reader_language, reader_zone
from crm.services.access import passwords
from crm.store import engine as engine_module
from crm.store.engine import make_engine
from crm.store.metadata import metadata
from crm.store.migrate import stamp_head
from crm.store.session import writing
from tests import servers
from tests.postgres_databases import Databases

Part = TypeVar("Part")
# How long an example takes says something of the machine and nothing of the rule.
hypothesis_settings.register_profile("house", deadline=None, suppress_health_check=[HealthCheck.too_slow])
hypothesis_settings.load_profile("house")
ROUNDS = passwords.ROUNDS


@pytest.fixture(autouse=True)
def _own_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """No setting of this machine reaches a test, and none of a test reaches the next."""
    for name in ("DATABASE_URL", "REDIS_URL", "THANOS_SETTINGS", "THANOS_DEMO", "PORT"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("THANOS_VAR", str(tmp_path / "var"))
    # bcrypt is slow by intent; test_sign_in_door holds how slow.
    monkeypatch.setattr(passwords, "ROUNDS", 4)
    _forget()
    # Nor whose language and clock an earlier test of this process read in.
    reader_language.set("en")
    reader_zone.set(None)
    yield
    _forget()


def _forget() -> None:
    """Forget settings and engine, which a process reads once, and what pages keep for a while."""
    if engine_module.engine.cache_info().currsize:
        engine_module.engine().dispose()
    engine_module.engine.cache_clear()
    settings_module.settings.cache_clear()
    if "streamlit" in sys.modules:
        sys.modules["streamlit"].cache_data.clear()
        sys.modules["streamlit"].cache_resource.clear()


@pytest.fixture
def real_rounds(monkeypatch: pytest.MonkeyPatch) -> None:
    """Passwords are hashed as in the product: for tests of what a guess costs."""
    monkeypatch.setattr(passwords, "ROUNDS", ROUNDS)


@pytest.fixture
def use_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """`use_settings('[rules]\\ndeal_days = 20')`: from here on the settings file says that."""

    def use(toml: str) -> None:
        path = tmp_path / "settings-of-this-test.toml"
        path.write_text(toml, "utf-8")
        monkeypatch.setenv("THANOS_SETTINGS", str(path))
        settings_module.settings.cache_clear()

    return use


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SQLite file with every table and no row, to be copied."""
    path = tmp_path_factory.mktemp("sqlite") / "template.db"
    _create_tables(f"sqlite:///{path}")
    return path


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[servers.Postgres]:
    """One PostgreSQL server for all tests of this process. Its database `template` has every table."""
    server = _get(servers.Postgres)
    server.execute("CREATE DATABASE template")
    _create_tables(server.url("template"))
    yield server
    server.close()


@pytest.fixture(scope="session")
def postgres_databases(postgres_server: servers.Postgres) -> Databases:
    """Databases like `template`, to be taken for a test and given back."""
    return Databases(postgres_server)


@pytest.fixture
def sqlite_url(sqlite_template: Path, tmp_path: Path) -> str:
    """The address of a SQLite database with every table and no row."""
    path = tmp_path / "var" / "thanos.db"
    path.parent.mkdir(exist_ok=True)
    shutil.copyfile(sqlite_template, path)
    return f"sqlite:///{path}"


@pytest.fixture
def postgres_url(postgres_server: servers.Postgres, postgres_databases: Databases) -> Iterator[str]:
    """The address of a PostgreSQL database with every table and no row."""
    name = postgres_databases.take()
    yield postgres_server.url(name)
    postgres_databases.give_back(name)


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def database_url(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """The same on both engines, one after the other; DATABASE_URL names it."""
    url: str = request.getfixturevalue(f"{request.param}_url")
    monkeypatch.setenv("DATABASE_URL", url)
    settings_module.settings.cache_clear()
    return url


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    """The engine of this test: SQLite, then PostgreSQL, with every table and no row."""
    yield engine_module.engine()
    engine_module.engine().dispose()


@pytest.fixture
def session(engine: Engine) -> Iterator[Session]:
    """One transaction to write in, committed at the end of the test. Open no second one beside it."""
    with writing(engine) as opened:
        yield opened


@pytest.fixture(scope="session")
def redis_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[servers.Redis]:
    """One Redis server for all tests of this process."""
    server = _get(lambda: servers.Redis(tmp_path_factory.mktemp("redis")))
    yield server
    server.kill()


@pytest.fixture
def redis_url(redis_server: servers.Redis, monkeypatch: pytest.MonkeyPatch) -> str:
    """The address of a real, empty Redis; REDIS_URL names it."""
    redis_server.flush()
    monkeypatch.setenv("REDIS_URL", redis_server.url)
    settings_module.settings.cache_clear()
    return redis_server.url


@pytest.fixture(params=["no redis", pytest.param("redis", marks=pytest.mark.redis)])
def with_and_without_redis(request: pytest.FixtureRequest) -> str:
    """The same test without Redis ("") and with a real one (its address)."""
    return str(request.getfixturevalue("redis_url")) if request.param == "redis" else ""


@pytest.fixture(scope="session")
def chromium_path() -> Path:
    """The Chromium for browser tests."""
    return _get(servers.chromium)


def _get(make: Callable[[], Part]) -> Part:
    """The part, or no test that needs it: said by name at the end, and a failure under CI=true."""
    try:
        return make()
    except servers.Missing as why:
        if servers.CI:
            pytest.fail(str(why), pytrace=False)
        pytest.skip(str(why))


def _create_tables(url: str) -> None:

    made = make_engine(url)
    with made.begin() as connection:
        metadata.create_all(connection)
        # What the models declare is what migrations lead to: test_migrations holds them to each other.
        stamp_head(connection)
    if url.startswith("sqlite"):
        # All into the one file that is copied.
        with made.connect() as connection:
            connection.exec_driver_sql("COMMIT")
            connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
            connection.exec_driver_sql("BEGIN")
    made.dispose()


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """A test that did not run is never silent."""
    reasons = Counter(
        report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
        for report in terminalreporter.stats.get("skipped", [])
    )
    for reason, tests in reasons.items():
        terminalreporter.write_line(f"NOT RUN: {tests} tests. {reason.removeprefix('Skipped: ')}", red=True)
