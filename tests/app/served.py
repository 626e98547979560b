"""A real server of the app, and what one visitor is sent over the wire."""

import atexit
import http.client
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import urlencode

import psutil
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.sync.client import connect

from crm.settings import ROOT
from tests.servers import free_port, wait_for


@dataclass(frozen=True)
class Served:
    """Where it is served."""

    port: int

    def request(self, method: str, path: str, fields: dict[str, str] | None = None, **headers: str) -> "Answer":
        """One request; header names with `_` for `-`."""
        connection = http.client.HTTPConnection("localhost", self.port, timeout=20)
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        body = urlencode(fields) if fields is not None else None
        if body is not None:
            sent["Content-Type"] = "application/x-www-form-urlencoded"
        connection.request(method, path, body, sent)
        answer = connection.getresponse()
        got = Answer(answer.status, dict(answer.getheaders()), answer.read().decode("utf-8", "replace"))
        connection.close()
        return got

    def visit(self, page: str, cookie: str = "", query: str = "") -> str:
        """Everything the server sends to somebody who opens the page, with that query: one script run, as text."""
        headers = {"Cookie": cookie} if cookie else {}
        address = f"ws://localhost:{self.port}/_stcore/stream"
        with connect(address, subprotocols=["streamlit"], additional_headers=headers, max_size=None) as socket:  # type: ignore[list-item]
            asked = BackMsg()
            asked.rerun_script.page_name = page
            asked.rerun_script.query_string = query
            asked.rerun_script.context_info.url = f"http://localhost:{self.port}/{page}"
            socket.send(asked.SerializeToString())
            return "\n".join(_until_finished(socket.recv(timeout=60) for _ in range(2000)))


@dataclass(frozen=True)
class Answer:
    """What came back."""

    status: int
    headers: dict[str, str]
    body: str

    @property
    def cookie(self) -> str:
        """What it sets."""
        return self.headers.get("set-cookie", "")


def _until_finished(messages: Iterator[str | bytes]) -> Iterator[str]:
    for raw in messages:
        assert isinstance(raw, bytes)
        message = ForwardMsg()
        message.ParseFromString(raw)
        kind = message.WhichOneof("type")
        if kind in ("delta", "navigation", "page_not_found", "auth_redirect"):
            yield str(message)
        if kind == "script_finished":
            return


@contextmanager
def served(**environment: str) -> Iterator[Served]:
    """Our server, ended at the end. It uses the database of this test, or the one that `environment` names."""
    with _running(1, environment) as [here]:
        yield here


@contextmanager
def fresh_servers(count: int) -> Iterator[list[Served]]:
    """Servers that nobody has visited yet, without our own around them: as `streamlit run app.py` starts them."""
    with _running(count, {}, bare=True) as all_of_them:
        yield all_of_them


@contextmanager
def _running(count: int, environment: dict[str, str], *, bare: bool = False) -> Iterator[list[Served]]:
    with TemporaryDirectory() as folder:
        said = [Path(folder) / str(number) for number in range(count)]
        servers = [Served(free_port()) for _ in said]
        processes = []
        try:
            for path, here in zip(said, servers, strict=True):
                processes.append(_forked(path, {**os.environ, **environment, "PORT": str(here.port)}, bare))
            for here, process in zip(servers, processes, strict=True):
                wait_for(partial(_healthy, here, process), "the app does not answer", 90)
            yield servers
        finally:
            for process in processes:
                with suppress(psutil.NoSuchProcess):
                    process.terminate()
            _gone, left = psutil.wait_procs(processes, 30)
            words = "".join(path.read_text("utf-8", "replace") for path in said if path.exists())
        assert not left, words
        assert "Traceback" not in words, words


def _forked(said: Path, environment: dict[str, str], bare: bool) -> psutil.Process:
    """A server by `tests.app.fresh`."""
    forks = _forks()
    assert forks.stdin and forks.stdout
    forks.stdin.write(json.dumps({"said": str(said), "environment": environment, "bare": bare}) + "\n")
    forks.stdin.flush()
    return psutil.Process(int(forks.stdout.readline()))


@cache
def _forks() -> "subprocess.Popen[str]":
    """The process of which all servers of these tests are children. It ends with this one."""
    child = subprocess.Popen(
        [sys.executable, "-m", "tests.app.fresh"],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    atexit.register(child.communicate)
    return child


def _healthy(here: Served, process: psutil.Process) -> bool:
    assert process.is_running(), "the server ended"
    try:
        return here.request("GET", "/_stcore/health").status == 200
    except OSError:
        return False
