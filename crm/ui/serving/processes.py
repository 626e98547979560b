"""Serving with as many processes as there are cores: started together, ended together, behind one address."""

import asyncio
import multiprocessing
import os
import signal
import socket
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess

from crm.errors import ThanosError, Unavailable
from crm.i18n import says
from crm.settings import settings
from crm.ui.serving import door
from crm.ui.serving.front import Places, Visitor

Tell = Callable[[int], None]
"""Takes the port on which a process listens, as soon as it does."""
MOST = 4
"""More processes than this come only by the setting: each keeps a copy of what it was sent."""
STOP_SECONDS = 10.0
WAITING = 2048
"""So many visitors may wait to be let in: a class that opens its grades at one moment."""
TRUSTED_PROXIES = "FORWARDED_ALLOW_IPS"


def wanted() -> int:
    """How many processes serve: what `server.processes` says, else one for each core we may use, `MOST` at most."""
    if sys.platform == "win32":
        return 1
    if chosen := settings().server.processes:
        return chosen
    cores = len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count() or 1
    return min(cores, MOST)


def serve_together(count: int, port: int, serve_one: Callable[[Tell], None]) -> int:
    """Runs `count` processes behind `port` until told to end, or until one of them ends by itself. Returns the status.

    Each calls `serve_one`, which serves on a port of this machine that it tells. Raises `Unavailable` where `port` is
    taken.
    """
    # There is none for Windows, where one process serves.
    import uvloop

    _trust_this_machine()
    _take_many()
    # Linux copies what is imported with the process; elsewhere a copy is not safe, and each imports for itself.
    linux = sys.platform == "linux"
    context = multiprocessing.get_context("fork") if linux else multiprocessing.get_context("spawn")
    started, told = [], []
    try:
        for number in range(1, count + 1):
            ours, theirs = context.Pipe(duplex=False)
            one = context.Process(target=_work, args=(serve_one, theirs), name=f"app {number}")
            one.start()
            theirs.close()
            started.append(one)
            told.append(ours)
        ports = [int(each.recv()) for each in told]
        # Only now: a process that is copied would hold the address too.
        with (
            listening_at(settings().server.listen, port) as listening,
            asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner,
        ):
            return runner.run(_in_front(listening, started, ports))
    except EOFError:
        # One ended before it said where it listens; why, it has said.
        return 1
    finally:
        _end(started)


def end_with_parent() -> None:
    """Ends this process at once should the one that started it be gone without a word. Called inside the loop."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        # What it was about to write is a transaction that did not happen.
        asyncio.get_running_loop().add_reader(parent.sentinel, os._exit, 1)


@contextmanager
def listening_at(address: str, port: int) -> Iterator[socket.socket]:
    """The socket of that address and port. Raises `Unavailable`."""
    six = ":" in address
    family = socket.AF_INET6 if six else socket.AF_INET
    # "::" is reached by both.
    both = six and socket.has_dualstack_ipv6()
    try:
        listening = socket.create_server((address, port), family=family, dualstack_ipv6=both)
    except OSError as error:
        # What follows in brackets is the address once more.
        why = (error.strerror or str(error)).partition(" (")[0]
        raise Unavailable(
            says(
                "The app cannot listen on {address}, port {port}: {why}. Stop what uses it, or choose another in PORT.",
                address=address,
                port=str(port),
                why=why,
            )
        ) from None
    with listening:
        yield listening


async def _in_front(listening: socket.socket, started: Sequence[BaseProcess], ports: Sequence[int]) -> int:
    loop, stopping = asyncio.get_running_loop(), asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopping.set)
    over = [loop.create_task(_readable(one.sentinel)) for one in started]
    over.append(loop.create_task(_true(stopping)))
    async with await _let_in(listening, ports):
        await asyncio.wait(over, return_when=asyncio.FIRST_COMPLETED)
    return 0 if stopping.is_set() else 1


async def _let_in(listening: socket.socket, ports: Sequence[int]) -> asyncio.Server:
    visitor = partial(Visitor, Places(len(ports), door.cookie_name()), ports)
    return await asyncio.get_running_loop().create_server(visitor, sock=listening, backlog=WAITING)


async def _true(event: asyncio.Event) -> None:
    await event.wait()


async def _readable(file: int) -> None:
    loop, happened = asyncio.get_running_loop(), asyncio.Event()
    loop.add_reader(file, happened.set)
    try:
        await happened.wait()
    finally:
        loop.remove_reader(file)


def _work(serve_one: Callable[[Tell], None], tell: Connection) -> None:
    # Ctrl-C is for whoever started us.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        serve_one(tell.send)
    except ThanosError as error:
        sys.exit(str(error))


def _end(started: Sequence[BaseProcess]) -> None:
    for one in started:
        one.terminate()
    end = time.monotonic() + STOP_SECONDS
    for one in started:
        one.join(max(0.0, end - time.monotonic()))
        if one.is_alive():
            one.kill()
            one.join()


def _trust_this_machine() -> None:
    """The processes believe the one in front of them, and whichever proxy is named, where a visitor comes from."""
    named = os.environ.get(TRUSTED_PROXIES)
    if named is not None and named != "*":
        os.environ[TRUSTED_PROXIES] = f"{named},127.0.0.1"


def _take_many() -> None:
    """As many connections as the system lets us have: each takes two open files here, and 1,024 is the custom."""
    import resource

    _soft, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    # Some systems have no limit above, and refuse to have none.
    with suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
