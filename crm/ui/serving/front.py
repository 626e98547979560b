"""One address in front of several processes of the app: the sticky proxy of a school, for one machine.

One process of Python keeps one core busy, whatever the machine has. Whoever is signed in has their pages, uploads and
downloads in the memory of one process, so all that comes with the cookie of one sign-in goes to the same process:
to the least busy one when the cookie is first seen. Without a cookie the address decides.

Only the head of a connection's first request is read. What follows is passed on as it is, and each connection carries
one request (or one web socket), so that nothing goes where the first request went without being asked for its cookie.
The process behind learns where a visitor comes from by `X-Forwarded-For`, which it takes from this machine.
"""

import asyncio
import hashlib
from collections import OrderedDict
from collections.abc import Sequence
from typing import NamedTuple, cast

HEAD_BYTES = 64 << 10
HEAD_SECONDS = 60.0
"""So long may a visitor take to say what they want: browsers open connections ahead of using them."""
REMEMBERED = 20_000
"""So many sign-ins have their process remembered, the latest seen; whoever is here is, whatever else is made up."""
END = b"\r\n\r\n"


class Head(NamedTuple):
    """What decides about a request: `cookies` and `forwarded` as they were sent, and the head as it is passed on."""

    cookies: bytes
    forwarded: bytes
    passed_on: bytes


class Unclear(Exception):
    """A head that two readers could read in two ways, or that is none."""


def read_head(raw: bytes, peer: str) -> Head:
    """The head of a request, `raw` up to its empty line, from a visitor at the address `peer`.

    Raises `Unclear`. Line ends have to be those of HTTP, and no line goes on in the next one: else this proxy and the
    process behind could disagree about what the head says. The length of a body is said beforehand, as browsers do.
    """
    if raw.count(b"\n") != raw.count(b"\r\n") or raw.count(b"\r") != raw.count(b"\r\n"):
        raise Unclear
    request, *lines = raw.removesuffix(END).split(b"\r\n")
    kept: list[bytes] = []
    said: dict[bytes, list[bytes]] = {b"cookie": [], b"x-forwarded-for": [], b"upgrade": []}
    for line in lines:
        name, colon, value = line.partition(b":")
        if not colon or not name or name != name.strip():
            raise Unclear
        name = name.lower()
        # A body in chunks may end with more lines of a head, which nobody in front of it reads.
        if name == b"transfer-encoding":
            raise Unclear
        if name in said:
            said[name].append(value.strip())
        if name not in (b"connection", b"x-forwarded-for"):
            kept.append(line)
    forwarded = b", ".join([*said[b"x-forwarded-for"], peer.encode("ascii", "replace")])
    # One request a connection; a web socket says so too, in case the process behind takes it for none.
    connection = b"Upgrade, close" if said[b"upgrade"] else b"close"
    ours = [b"X-Forwarded-For: " + forwarded, b"Connection: " + connection]
    return Head(b"; ".join(said[b"cookie"]), forwarded, b"\r\n".join([request, *ours, *kept]) + END)


class Seat:
    """The process that serves somebody, and how many connections they have open."""

    __slots__ = ("open", "place")

    def __init__(self, place: int) -> None:
        self.place, self.open = place, 0


class Places:
    """Which process serves whom. `count`: how many there are; `cookie`: the name of the sign-in's cookie."""

    def __init__(self, count: int, cookie: str) -> None:
        self.open = [0] * count
        self._cookie = cookie.encode()
        self._remembered: OrderedDict[bytes, Seat] = OrderedDict()

    def enter(self, head: Head) -> Seat:
        """A connection more of whoever sent this: somebody new goes to the process with the fewest open ones."""
        key = hashlib.blake2b(self._sign_in(head.cookies) or head.forwarded, digest_size=16).digest()
        seat = self._remembered.pop(key, None) or Seat(self.open.index(min(self.open)))
        self._remembered[key] = seat
        seat.open += 1
        self.open[seat.place] += 1
        self._forget()
        return seat

    def leave(self, seat: Seat) -> None:
        """A connection less."""
        seat.open -= 1
        self.open[seat.place] -= 1

    def _forget(self) -> None:
        # Two for each that comes: so those who stay are passed over without ever looking at all.
        for _ in range(2):
            if len(self._remembered) <= REMEMBERED:
                return
            key, seat = self._remembered.popitem(last=False)
            if seat.open:
                self._remembered[key] = seat

    def _sign_in(self, cookies: bytes) -> bytes:
        for each in cookies.split(b";"):
            name, _, value = each.strip().partition(b"=")
            if name == self._cookie:
                return value
        return b""


class _Side(asyncio.Protocol):
    """One end of a connection that is passed on. What arrives goes to `other`, no faster than that takes it."""

    transport: asyncio.Transport
    other: "_Side | None" = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        if self.other:
            self.other.transport.write(data)

    def pause_writing(self) -> None:
        if self.other:
            self.other.transport.pause_reading()

    def resume_writing(self) -> None:
        if self.other:
            self.other.transport.resume_reading()


class _Behind(_Side):
    """The end where a process is."""

    def connection_lost(self, _why: Exception | None) -> None:
        # What it said is sent before the visitor's end closes.
        if self.other:
            self.other.transport.close()


class Visitor(_Side):
    """The end where a visitor is. `ports`: where the processes listen on this machine, in the order of `places`."""

    def __init__(self, places: Places, ports: Sequence[int]) -> None:
        self._places, self._ports = places, ports
        self._seat: Seat | None = None
        self._head = bytearray()
        self._going: asyncio.Task[None] | None = None
        self._said_all = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self._patience = asyncio.get_running_loop().call_later(HEAD_SECONDS, transport.close)

    def data_received(self, data: bytes) -> None:
        if self.other:
            self.other.transport.write(data)
            return
        self._head += data
        if self._going or self.transport.is_closing():
            return
        end = self._head.find(END)
        if end < 0 and len(self._head) > HEAD_BYTES:
            self._answer(b"431 Request Header Fields Too Large")
        elif end >= 0:
            self.transport.pause_reading()
            self._patience.cancel()
            self._going = asyncio.get_running_loop().create_task(self._go(end + len(END)))

    def eof_received(self) -> bool:
        # Who has said all may still wait for the answer, unless not even the head has come.
        self._said_all = True
        if self.other and not self.other.transport.is_closing():
            self.other.transport.write_eof()
        return self._going is not None

    def connection_lost(self, _why: Exception | None) -> None:
        self._patience.cancel()
        if self._going:
            self._going.cancel()
        if self._seat:
            self._places.leave(self._seat)
        # Nobody is left to hear the answer; what was said and not read is of nobody any more.
        if self.other:
            self.other.transport.abort()

    async def _go(self, end: int) -> None:
        peer = self.transport.get_extra_info("peername")
        if peer is None:
            # Gone before the address was asked for.
            self.transport.close()
            return
        try:
            # What came by IPv4 to an address of IPv6 is known by the former.
            head = read_head(bytes(self._head[:end]), str(peer[0]).removeprefix("::ffff:"))
        except Unclear:
            self._answer(b"400 Bad Request")
            return
        self._seat = self._places.enter(head)
        loop = asyncio.get_running_loop()
        try:
            _transport, behind = await loop.create_connection(_Behind, "127.0.0.1", self._ports[self._seat.place])
        except OSError:
            self._answer(b"503 Service Unavailable")
            return
        behind.other, self.other = self, behind
        if self.transport.is_closing():
            behind.transport.close()
            return
        behind.transport.write(head.passed_on + self._head[end:])
        if self._said_all:
            behind.transport.write_eof()
        self._head.clear()
        self.transport.resume_reading()

    def _answer(self, status: bytes) -> None:
        self.transport.write(b"HTTP/1.1 " + status + b"\r\nConnection: close\r\nContent-Length: 0\r\n\r\n")
        self.transport.close()
