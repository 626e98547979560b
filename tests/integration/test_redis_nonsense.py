"""Whatever answers at REDIS_URL, sharing out goes on: the database decides alone."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress

import pytest

from crm.domain.sharing import Member, Round, Taking
from crm.store.redis import Proposals

NOW = Round(0, (Member(1, 1, 0, 0),))


@pytest.fixture
def something_that_answers() -> Iterator[Callable[[bytes], str]]:
    """Servers that give one answer to everything, each at its address."""
    opened: list[socket.socket] = []

    def answer(visitor: socket.socket, says: bytes) -> None:
        with visitor, suppress(OSError):
            while visitor.recv(65536):
                visitor.sendall(says)

    def listen(server: socket.socket, says: bytes) -> None:
        while True:
            try:
                visitor, _address = server.accept()
            except OSError:
                return
            opened.append(visitor)
            threading.Thread(target=answer, args=(visitor, says), daemon=True).start()

    def start(says: bytes) -> str:
        server = socket.create_server(("127.0.0.1", 0))
        opened.append(server)
        threading.Thread(target=listen, args=(server, says), daemon=True).start()
        return f"redis://127.0.0.1:{server.getsockname()[1]}/0"

    yield start
    for each in opened:
        each.close()


@pytest.mark.parametrize(
    "said",
    [b"+OK\r\n", b":1\r\n", b"*1\r\n:1\r\n", b"*-5\r\n", b"#t\r\n", b"*1\r\n" * 5000, b"HTTP/1.1 200 OK\r\n\r\n"],
    ids=["ok", "a number", "a list", "a length below zero", "a truth value", "endless lists", "a web server"],
)
def test_nonsense_is_no_proposal(something_that_answers: Callable[[bytes], str], said: bytes) -> None:
    address = something_that_answers(said)
    asking, copying = Proposals(address), Proposals(address)

    proposed = asking.propose(NOW, [Taking(1, 1, 5)], 1, revision="1", after="2", batch="b")

    assert proposed is None
    assert copying.copy() is None
