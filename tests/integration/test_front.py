"""The sticky proxy in front of several processes: real sockets, and behind it something that notes what it was sent."""

import asyncio
import inspect
import socket
import struct
from contextlib import AsyncExitStack, asynccontextmanager, closing, suppress
from functools import partial, wraps

import pytest
import uvloop

from crm.ui.serving import front
from crm.ui.serving.front import END, Places, Unclear, Visitor, read_head
from crm.ui.serving.processes import listening_at
from tests.loops import run_apart
from tests.servers import free_port

ASK = b"GET / HTTP/1.1\r\nHost: school\r\n"


def in_a_loop(test):
    """The test as an ordinary function, in the loop that serves and in Python's own."""

    @wraps(test)
    def run(*args, **named):
        for loop in (uvloop.new_event_loop, asyncio.new_event_loop):
            run_apart(test(*args, **named), loop)

    run.__signature__ = inspect.signature(test)
    return run


@asynccontextmanager
async def two_behind(address="127.0.0.1"):
    """The port of a front at the address, and of each connection to the two behind: (which, head, what came after)."""
    came = []

    async def serve(number, reader, writer):
        head = await reader.readuntil(END)
        heard = (number, head, bytearray())
        came.append(heard)
        with closing(writer), suppress(ConnectionError):
            writer.write(b"%d" % number)
            while part := await reader.read(1 << 16):
                heard[2].extend(part)
                writer.write(part)
                await writer.drain()

    async with AsyncExitStack() as opened:
        behind = [await asyncio.start_server(partial(serve, number), "127.0.0.1", 0) for number in range(2)]
        for one in behind:
            opened.push_async_callback(one.wait_closed)
            opened.callback(one.close)
        ports = [one.sockets[0].getsockname()[1] for one in behind]
        places = Places(2, "thanos")
        listening = opened.enter_context(listening_at(address, 0))
        here = await asyncio.get_running_loop().create_server(partial(Visitor, places, ports), sock=listening)
        opened.callback(here.close)
        yield here.sockets[0].getsockname()[1], came, places
        while any(places.open):
            await asyncio.sleep(0.01)


@asynccontextmanager
async def a_visitor(port):
    """A connection: where they read, and where they write."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=1 << 10)
    try:
        yield reader, writer
    finally:
        writer.close()
        with suppress(OSError):
            await writer.wait_closed()


async def asked(port, *lines, after=b""):
    """All that comes back for one request that says nothing after this."""
    async with a_visitor(port) as (reader, writer):
        writer.write(ASK + b"".join(line + b"\r\n" for line in lines) + b"\r\n" + after)
        writer.write_eof()
        return await reader.read()


def cookie(name):
    return b"Cookie: theme=dark; thanos=" + name


@in_a_loop
async def test_all_that_comes_by_one_sign_in_goes_to_one_process():
    async with two_behind() as (port, came, _places):
        people = [b"%d" % number for number in range(10)]
        for _round in range(3):
            for one in people:
                await asked(port, cookie(one))

    places = [{number for number, head, _body in came if b"thanos=%s\r" % one in head} for one in people]
    assert all(len(each) == 1 for each in places)


@in_a_loop
async def test_who_is_new_goes_where_the_fewest_are():
    async with two_behind() as (port, came, places), AsyncExitStack() as stay:
        for number in range(20):
            reader, writer = await stay.enter_async_context(a_visitor(port))
            writer.write(ASK + cookie(b"%d" % number) + b"\r\n\r\n")
            await reader.read(1)

        assert sorted(number for number, _head, _body in came) == [0] * 10 + [1] * 10
        assert places.open == [10, 10]


@in_a_loop
async def test_without_a_cookie_the_address_decides():
    async with two_behind() as (port, came, _places):
        for number in range(4):
            await asked(port, b"X-Tab: %d" % number)

    assert len({number for number, _head, _body in came}) == 1


@in_a_loop
async def test_whatever_is_sent_comes_through_whole_in_both_directions():
    much = bytes(range(256)) * (1 << 14)

    async with two_behind() as (port, came, _places):
        answer = await asked(port, b"Content-Length: %d" % len(much), after=much)

    assert came[0][2] == much
    assert answer == b"0" + much


@in_a_loop
async def test_who_reads_slowly_fills_no_memory():
    async with two_behind() as (port, _came, _places), a_visitor(port) as (_reader, writer):
        writer.write(ASK + b"\r\n")
        sent, part = 0, bytes(1 << 20)
        # Nobody reads the echo: at some time nothing more is taken.
        with pytest.raises(TimeoutError):
            while sent < 1 << 28:
                writer.write(part)
                async with asyncio.timeout(0.5):
                    await writer.drain()
                sent += len(part)
        writer.transport.abort()

    assert sent < 1 << 26


@in_a_loop
async def test_a_head_that_comes_bit_by_bit_is_waited_for():
    async with two_behind() as (port, _came, _places), a_visitor(port) as (reader, writer):
        for byte in ASK + b"\r\n":
            writer.write(bytes([byte]))
            await writer.drain()
            await asyncio.sleep(0)

        assert await reader.read(1) == b"0"


@in_a_loop
async def test_what_cannot_be_read_in_one_way_only_is_refused():
    forged = (b"a: b\nX-Forwarded-For: 1.2.3.4", b"a: b\r", b"a\n\nGET / HTTP/1.1", b" folded: yes", b"nothing")

    async with two_behind() as (port, came, _places):
        for line in forged:
            assert (await asked(port, line)).startswith(b"HTTP/1.1 400")
        # What ends a body in chunks is more of the head, which would be believed.
        chunked = await asked(port, b"Transfer-Encoding: chunked", after=b"0\r\nX-Forwarded-For: 1.2.3.4\r\n\r\n")
        assert chunked.startswith(b"HTTP/1.1 400")
        # Who goes on talking may see the connection end before the answer.
        with suppress(ConnectionError):
            assert (await asked(port, b"a: " + bytes(front.HEAD_BYTES * 2))).startswith(b"HTTP/1.1 431")

    assert came == []


@in_a_loop
async def test_a_process_that_is_not_there_is_said():
    places = Places(1, "thanos")
    here = await asyncio.get_running_loop().create_server(partial(Visitor, places, [free_port()]), "127.0.0.1", 0)
    async with here:
        assert (await asked(here.sockets[0].getsockname()[1])).startswith(b"HTTP/1.1 503")
    assert places.open == [0]


@in_a_loop
async def test_who_says_nothing_is_not_waited_for(monkeypatch):
    monkeypatch.setattr(front, "HEAD_SECONDS", 0.05)

    async with two_behind() as (port, _came, _places), a_visitor(port) as (reader, _writer), asyncio.timeout(10):
        assert await reader.read() == b""


@in_a_loop
async def test_who_is_gone_before_they_are_looked_at_is_nothing_to_report():
    failures = []
    asyncio.get_running_loop().set_exception_handler(lambda _loop, about: failures.append(about))

    async with two_behind() as (port, _came, _places):
        with socket.create_connection(("127.0.0.1", port)) as gone:
            gone.sendall(ASK + b"\r\n")
            gone.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        assert (await asked(port)) in (b"0", b"1")

    assert failures == []


@in_a_loop
async def test_an_address_for_both_is_reached_by_ipv4_and_knows_its_visitors_by_it():
    async with two_behind("::" if socket.has_dualstack_ipv6() else "0.0.0.0") as (port, came, _places):
        assert await asked(port) == b"0"

    assert b"X-Forwarded-For: 127.0.0.1\r\n" in came[0][1]


def test_where_a_visitor_comes_from_is_said_last_and_once():
    head = read_head(ASK + b"x-forwarded-for: 1.2.3.4\r\nX-Forwarded-For: 5.6.7.8" + END, "9.9.9.9")

    assert head.forwarded == b"1.2.3.4, 5.6.7.8, 9.9.9.9"
    assert head.passed_on.lower().count(b"x-forwarded-for") == 1


def test_a_connection_is_for_one_request():
    kept = read_head(ASK + b"Connection: keep-alive" + END, "9.9.9.9")
    upgraded = read_head(ASK + b"Connection: keep-alive, Upgrade\r\nUpgrade: websocket" + END, "9.9.9.9")

    assert b"keep-alive" not in kept.passed_on + upgraded.passed_on
    assert b"\r\nConnection: close\r\n" in kept.passed_on
    assert b"\r\nConnection: Upgrade, close\r\n" in upgraded.passed_on
    assert b"\r\nUpgrade: websocket\r\n" in upgraded.passed_on


def test_a_cookie_is_known_wherever_it_stands():
    places = Places(2, "thanos")
    first = places.enter(read_head(ASK + b"Cookie: thanos=a" + END, "9.9.9.9"))
    again = [ASK + b"Cookie: x=y; thanos=a;z=1" + END, ASK + b"cookie: x=y\r\nCookie: thanos=a" + END]

    assert [places.enter(read_head(each, "8.8.8.8")) for each in again] == [first, first]
    assert places.enter(read_head(ASK + b"Cookie: nothanos=a" + END, "7.7.7.7")).place != first.place


def by_cookie(name):
    return read_head(ASK + cookie(name) + END, "9.9.9.9")


def test_only_the_latest_are_remembered(monkeypatch):
    monkeypatch.setattr(front, "REMEMBERED", 2)
    places = Places(2, "thanos")

    for name in (b"a", b"b", b"a", b"c"):
        places.leave(places.enter(by_cookie(name)))
    places.open = [1, 0]

    assert [places.enter(by_cookie(name)).place for name in (b"a", b"c", b"b")] == [0, 0, 1]


def test_who_has_a_page_open_is_remembered_whatever_cookies_are_made_up(monkeypatch):
    monkeypatch.setattr(front, "REMEMBERED", 50)
    places = Places(2, "thanos")
    here = {name: places.enter(by_cookie(name)) for name in (b"a", b"b", b"c")}

    for number in range(1000):
        places.leave(places.enter(by_cookie(b"made up %d" % number)))

    assert {name: places.enter(by_cookie(name)) for name in here} == here
    assert len(places._remembered) <= 50


def test_a_head_without_line_ends_of_its_own_is_unclear():
    with pytest.raises(Unclear):
        read_head(b"GET / HTTP/1.1\nHost: a" + END, "9.9.9.9")
