"""A real server of the app, and what one visitor is sent over the wire."""

import http.client
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from urllib.parse import urlencode

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
    here = Served(free_port())
    with _running(["crm.ui.web"], [here], {"PORT": str(here.port), **environment}):
        yield here


@contextmanager
def fresh_servers(count: int) -> Iterator[list[Served]]:
    """Servers that nobody has visited yet, without our own around them: see `tests.app.fresh`."""
    all_of_them = [Served(free_port()) for _ in range(count)]
    with _running(["tests.app.fresh", *(str(one.port) for one in all_of_them)], all_of_them, {}):
        yield all_of_them


@contextmanager
def _running(module: Sequence[str], servers: Sequence[Served], environment: dict[str, str]) -> Iterator[None]:
    child = subprocess.Popen(
        [sys.executable, "-m", *module],
        cwd=ROOT,
        env={**os.environ, **environment},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )
    try:
        for one in servers:
            wait_for(partial(_healthy, one, child), "the app does not answer", 90)
        yield
    finally:
        child.terminate()
        _out, said = child.communicate(timeout=30)
        assert b"Traceback" not in said, said.decode("utf-8", "replace")


def _healthy(here: Served, child: "subprocess.Popen[bytes]") -> bool:
    assert child.poll() is None, "the server ended"
    try:
        return here.request("GET", "/_stcore/health").status == 200
    except OSError:
        return False
