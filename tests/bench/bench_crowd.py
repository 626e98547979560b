"""A school at work: 100 people signed in with *Customers* open, and 50 of them choosing a filter at the same moment.

The server is the real one, on a demo school, in a process of its own; the people are websockets that speak as a
browser does. Its memory is what the processes hold beyond what they held after the first visit.
"""

import os
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psutil
from sqlalchemy import update
from sqlmodel import Session, select
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.sync.client import ClientConnection, connect

from crm.domain.accounts import Account
from crm.services.access import sign_in
from crm.settings import ROOT
from crm.store.engine import make_engine
from crm.store.session import writing
from tests.app.served import Served, served
from tests.bench.figure import Figure

PEOPLE, AT_ONCE, TURNS = 100, 50, 5
SECONDS, MEGABYTES = 2.0, 300.0
SOURCES = 5


def run(folder: Path) -> Iterator[Figure]:
    """The slowest answer of the 50, as the median of several moments, then the memory of all."""
    where = {"DATABASE_URL": f"sqlite:///{folder / 'thanos.db'}", "THANOS_VAR": str(folder), "REDIS_URL": ""}
    subprocess.run([sys.executable, "-m", "crm", "demo"], cwd=ROOT, env={**os.environ, **where}, check=True, stdout=-3)
    cookies = _cookies(where["DATABASE_URL"])
    with served(**where) as server, ExitStack() as visits:
        _Person(server, cookies[0], visits).opens()
        process = _server_of(server.port)
        before = _megabytes(process)
        people = [_Person(server, cookie, visits) for cookie in cookies]
        for person in people:
            person.opens()
        slowest = statistics.median(max(_at_once(people[:AT_ONCE], turn)) for turn in range(TURNS))
        yield Figure(
            f"{AT_ONCE} people filter at one moment: the last is served", slowest, SECONDS, slowest / SECONDS, 1.0
        )
        grown = _megabytes(process) - before
        yield Figure(f"{PEOPLE} people signed in: memory, MB", grown, MEGABYTES, grown / MEGABYTES, 1.0)


class _Person:
    """Somebody who is signed in and has a page open."""

    def __init__(self, server: Served, cookie: str, visits: ExitStack) -> None:
        address = f"ws://localhost:{server.port}/_stcore/stream"
        headers = {"Cookie": f"thanos={cookie}"}
        protocols: Any = ["streamlit"]
        self._socket: ClientConnection = visits.enter_context(
            connect(address, subprotocols=protocols, additional_headers=headers, max_size=None, ping_interval=None)
        )

    def opens(self) -> None:
        """Open *Customers*, and learn where its filter by source stands."""
        asked = BackMsg()
        asked.rerun_script.page_name = "customers"
        for message in self._answer(asked):
            if message.WhichOneof("type") == "new_session":
                self._page = message.new_session.page_script_hash
            if message.delta.new_element.multiselect.label == "Source":
                self._fragment = message.delta.fragment_id
                self._filter = message.delta.new_element.multiselect.id
                self._sources = list(message.delta.new_element.multiselect.options)

    def filters(self, number: int) -> float:
        """Choose that source in the filter, by number. Returns the seconds until the rows are drawn."""
        begun = time.perf_counter()
        asked = BackMsg()
        asked.rerun_script.page_script_hash = self._page
        asked.rerun_script.fragment_id = self._fragment
        state = asked.rerun_script.widget_states.widgets.add(id=self._filter)
        state.string_array_value.data.append(self._sources[number % SOURCES])
        self._answer(asked)
        return time.perf_counter() - begun

    def _answer(self, asked: BackMsg) -> list[ForwardMsg]:
        self._socket.send(asked.SerializeToString())
        messages = []
        while not messages or messages[-1].WhichOneof("type") != "script_finished":
            raw = self._socket.recv(timeout=60)
            assert isinstance(raw, bytes)
            messages.append(ForwardMsg.FromString(raw))
        drawn = {message.delta.new_element.WhichOneof("type") or message.WhichOneof("type") for message in messages}
        # A table that this browser was sent before is only named.
        if not drawn & {"dataframe", "ref_hash"}:
            raise RuntimeError(f"no table was drawn, but {sorted(drawn)}")
        return messages


def _at_once(people: list[_Person], turn: int) -> list[float]:
    together = threading.Barrier(len(people))

    def one(number: int, person: _Person) -> float:
        together.wait()
        return person.filters(number + turn)

    with ThreadPoolExecutor(len(people)) as threads:
        return list(threads.map(one, range(len(people)), people))


def _cookies(database: str) -> list[str]:
    """Sessions of the demo's manager, one a person: what the browser would be given after the form."""
    engine = make_engine(database)
    now = datetime.now(UTC)
    with writing(engine) as session:
        session.execute(update(Account).values(must_change_password=False))
        cookies = [_cookie(session, now) for _ in range(PEOPLE)]
    engine.dispose()
    return cookies


def _cookie(session: Session, now: datetime) -> str:
    name = session.exec(select(Account.name).where(Account.name == "manager")).one()
    ticket = sign_in.admit(session, sign_in.attempt(session, name, "bench", now), True, "bench", now)
    token = sign_in.redeem(session, ticket or "", now)
    assert token is not None
    return token


def _server_of(port: int) -> psutil.Process:
    return next(
        psutil.Process(one.pid)
        for one in psutil.net_connections("tcp")
        if one.status == psutil.CONN_LISTEN and one.laddr.port == port and one.pid
    )


def _megabytes(process: psutil.Process) -> float:
    return sum(one.memory_info().rss for one in (process, *process.children(recursive=True))) / 2**20
