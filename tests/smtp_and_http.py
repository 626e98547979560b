"""A real mail server and a real HTTP gateway, of the tests' own, that keep what they receive."""

import email.policy
import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import EmailMessage
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session


@dataclass
class MailServer:
    """What a mail server received. `refuse` names recipients that it does not take."""

    port: int = 0
    refuse: set[str] = field(default_factory=set)
    received: list[tuple[list[str], EmailMessage]] = field(default_factory=list)

    async def handle_RCPT(
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        """aiosmtpd asks for each recipient."""
        if address in self.refuse:
            return "550 no such mailbox"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:
        """aiosmtpd hands over a message."""
        message = message_from_bytes(bytes(envelope.content or b""), policy=email.policy.default)
        assert isinstance(message, EmailMessage)
        self.received.append((list(envelope.rcpt_tos), message))
        return "250 OK"

    @property
    def url(self) -> str:
        """The channel's url, for the settings file."""
        return f"mailto://localhost:{self.port}?from=school@example.com&to={{email}}"


@contextmanager
def mail_server() -> Iterator[MailServer]:
    """A mail server on a free port."""
    server = MailServer()
    controller = _OnFreePort(server, hostname="127.0.0.1", port=0)
    controller.start()
    server.port = controller.port
    try:
        yield server
    finally:
        controller.stop()


class _OnFreePort(Controller):
    def _trigger_server(self) -> None:
        # The base class greets the port that it was given: 0, which only now became a real one.
        assert self.server is not None
        self.port = self.server.sockets[0].getsockname()[1]
        super()._trigger_server()


@dataclass(frozen=True)
class Request:
    """One request that a gateway received."""

    path: str
    query: dict[str, list[str]]
    json: Any


@dataclass
class Gateway:
    """What an HTTP gateway received. `answer` decides what it says: a status and a JSON value.

    It waits `delay` seconds before it says it, and `trickle` seconds after each byte of it.
    """

    port: int = 0
    delay: float = 0
    trickle: float = 0
    answer: Callable[[Request], tuple[int, Any]] = lambda _request: (200, {"errcode": 0, "errmsg": "ok"})
    received: list[Request] = field(default_factory=list)

    def url(self, path: str) -> str:
        """The channel's url for Apprise's JSON service at this gateway."""
        return f"json://127.0.0.1:{self.port}{path}"


@contextmanager
def gateway() -> Iterator[Gateway]:
    """An HTTP gateway on a free port."""
    kept = Gateway()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.do_POST()

        def do_POST(self) -> None:
            parts = urlsplit(self.path)
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            request = Request(parts.path, parse_qs(parts.query), json.loads(body) if body else None)
            kept.received.append(request)
            time.sleep(kept.delay)
            status, said = kept.answer(request)
            answer = json.dumps(said).encode()
            try:
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                for part in [answer] if not kept.trickle else [bytes([byte]) for byte in answer]:
                    self.wfile.write(part)
                    time.sleep(kept.trickle)
            except OSError:
                return

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    kept.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield kept
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
