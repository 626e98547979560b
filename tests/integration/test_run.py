"""`python -m crm run`: everything under one roof, and nothing left of it."""

import os
import re
import signal
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import psutil
import pytest
from sqlmodel import func, select

from crm.domain.accounts import Account
from crm.domain.customers import Customer
from crm.settings import ROOT
from crm.store.engine import make_engine
from crm.store.session import reading
from tests.servers import free_port, linux_only, wait_for

START_SECONDS = 180.0


class House:
    """One `python -m crm run`, with what it printed so far."""

    def __init__(self, var: Path, *options: str) -> None:
        self.var, self.port = var, free_port()
        self.printed = var.parent / f"printed-{self.port}.txt"
        with self.printed.open("wb") as output:
            self.process = psutil.Popen(
                [sys.executable, "-m", "crm", "run", "--port", str(self.port), *options],
                cwd=ROOT,
                env={**os.environ, "THANOS_VAR": str(var), "LANG": "C.UTF-8", "PYTHONUNBUFFERED": "1"},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
            )

    @property
    def text(self) -> str:
        """What it printed."""
        return self.printed.read_text("utf-8")

    def wait_until_it_says(self, words: str) -> None:
        """Wait for a line; fails when it ends before."""
        wait_for(lambda: words in self.text or self.process.poll() is not None, f"no {words!r}", START_SECONDS)
        assert words in self.text, self.text

    def family(self) -> list[psutil.Process]:
        """Itself and everything that it started."""
        return [self.process, *self.process.children(recursive=True)]

    def child(self, word: str) -> psutil.Process:
        """The process with that word in its command."""
        return next(each for each in self.family() if any(word in part for part in each.cmdline()))

    def end(self, number: int = signal.SIGINT) -> int:
        """Send a signal and wait for the end; the exit status."""
        self.process.send_signal(number)
        return int(self.process.wait(60))


@pytest.fixture
def houses(tmp_path: Path) -> Iterator[list[House]]:
    """Whatever a test starts ends with it."""
    started: list[House] = []
    yield started
    for house in started:
        for process in house.family() if house.process.is_running() else []:
            process.kill()


def gone(processes: list[psutil.Process]) -> bool:
    """Whether none of them runs any more."""
    return not any(each.is_running() and each.status() != psutil.STATUS_ZOMBIE for each in processes)


def test_a_school_runs_until_ctrl_c_and_is_there_again_the_next_time(houses: list[House], tmp_path: Path) -> None:
    first = House(tmp_path / "var")
    houses.append(first)
    first.wait_until_it_says("Ctrl-C")
    family = first.family()

    with urllib.request.urlopen(f"http://127.0.0.1:{first.port}/_stcore/health", timeout=10) as answer:
        assert answer.read() == b"ok"
    assert f"http://localhost:{first.port}" in first.text
    assert re.search(r"Sales manager: manager", first.text)
    assert "password" in first.text
    commands = [" ".join(each.cmdline()) for each in family]
    assert any("crm.ui.web" in command for command in commands)
    assert any("-m jobs" in command for command in commands)
    assert any("redis-server" in command for command in commands)

    assert first.end() == 0
    assert first.text.endswith("Stopping ... (Ctrl-C again: at once)\n")
    wait_for(lambda: gone(family), "processes are left", 10)
    before = _count(tmp_path / "var")

    second = House(tmp_path / "var")
    houses.append(second)
    second.wait_until_it_says("Ctrl-C")
    assert "Filling" not in second.text
    assert "Sales manager: manager" in second.text
    second.end(signal.SIGTERM)
    assert _count(tmp_path / "var") == before > 1000


def test_an_empty_school_has_a_first_administrator_and_is_run_once(houses: list[House], tmp_path: Path) -> None:
    house = House(tmp_path / "var", "--no-demo")
    houses.append(house)
    house.wait_until_it_says("Ctrl-C")

    assert re.search(r"first administrator signs in as admin with the password \S+,", house.text)
    assert "Demo sign-ins" not in house.text

    second = House(tmp_path / "var", "--no-demo")
    houses.append(second)

    assert second.process.wait(60) == 1
    assert second.text.count("\n") == 1
    assert f"already running on {tmp_path}/var (http://localhost:{house.port}" in second.text
    assert house.process.is_running()
    house.end()
    engine = make_engine(f"sqlite:///{tmp_path}/var/thanos.db")
    with reading(engine) as session:
        assert session.exec(select(Account.name)).all() == ["admin"]
    engine.dispose()


@linux_only
def test_what_dies_is_started_again_and_a_killed_supervisor_leaves_nothing(houses: list[House], tmp_path: Path) -> None:
    house = House(tmp_path / "var", "--no-demo")
    houses.append(house)
    house.wait_until_it_says("Ctrl-C")
    jobs, redis = house.child("jobs"), house.child("redis-server")

    jobs.kill()
    house.wait_until_it_says("The process jobs has ended (status -9). It starts again")
    wait_for(lambda: len([1 for each in house.family() if "jobs" in each.cmdline()]) == 1, "jobs are not back")
    redis.kill()
    house.wait_until_it_says("Redis has ended. It starts again")
    wait_for(lambda: any("redis-server" in part for each in house.family() for part in each.cmdline()), "no Redis")

    family = house.family()
    house.process.kill()
    wait_for(lambda: gone(family), "processes are left")


def test_a_taken_port_is_one_line_with_the_remedy(sqlite_url: str) -> None:
    with closing(socket.socket()) as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]

        said = _refused("--port", str(port))

    assert f"Port {port} is taken" in said
    assert f"make run PORT={port + 1}" in said


@pytest.mark.parametrize("port", ["abc", "99999", "-1", "8501.5"])
def test_a_port_that_is_none_is_one_line(sqlite_url: str, port: str) -> None:
    assert _refused("--port", port) == (
        f"PORT is '{port}', but a port is a number from 1 to 65535, such as: make run PORT=8501\n"
    )


def test_a_folder_that_cannot_be_written_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("THANOS_VAR", "/proc/thanos")

    said = _refused("--port", str(free_port()))

    assert "The folder /proc/thanos cannot be written" in said
    assert "THANOS_VAR" in said


def test_a_database_of_a_newer_version_is_one_line(database_url: str) -> None:
    engine = make_engine(database_url)
    with engine.begin() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    engine.dispose()

    said = _refused("--port", str(free_port()))

    assert "newer version of this program (revision 9999)" in said


def _refused(*options: str) -> str:
    """What a run that does not come up says: one line on standard error, nothing else."""
    done = subprocess.run(
        [sys.executable, "-m", "crm", "run", *options],
        capture_output=True,
        text=True,
        cwd=ROOT,
        env={**os.environ, "LANG": "C.UTF-8"},
        timeout=120,
        check=False,
    )
    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr.count("\n") == 1
    return done.stderr


def _count(var: Path) -> int:
    engine = make_engine(f"sqlite:///{var}/thanos.db")
    with reading(engine) as session:
        found = session.exec(select(func.count()).select_from(Customer)).one()
    engine.dispose()
    return found
