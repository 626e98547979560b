"""Several processes behind one address: who comes stays with the process that has their pages, and all end together."""

import http.client
import multiprocessing
import os
import resource
import signal
import socket
from contextlib import ExitStack, closing, contextmanager

import psutil
import pytest
from sqlmodel import select
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.sync.client import connect

from crm.domain.records import AuditEntry
from crm.errors import Unavailable
from crm.i18n import says
from crm.store.session import reading, writing
from crm.ui.serving import processes
from crm.ui.serving.processes import listening_at, serve_together
from tests.app.people import a_person, token_of
from tests.app.served import served
from tests.loops import run_apart
from tests.servers import free_port


@pytest.fixture(autouse=True)
def _sqlite(sqlite_url):
    """Any database does."""


@pytest.fixture
def two(tmp_path):
    """What makes a server two processes, on any machine."""
    settings = tmp_path / "settings.toml"
    settings.write_text("[server]\nprocesses = 2\n", "utf-8")
    return {"THANOS_SETTINGS": str(settings)}


def front_of(here):
    """The process that listens there."""
    listening = (one for one in psutil.net_connections("tcp") if one.status == psutil.CONN_LISTEN)
    return psutil.Process(next(one.pid for one in listening if one.laddr.port == here.port))


@contextmanager
def visiting(here, cookie):
    """A page that is open. Gives the session's id."""
    address = f"ws://localhost:{here.port}/_stcore/stream"
    with connect(address, subprotocols=["streamlit"], additional_headers={"Cookie": cookie}, max_size=None) as socket:
        asked = BackMsg()
        asked.rerun_script.page_name = "import"
        socket.send(asked.SerializeToString())
        message, session_id = ForwardMsg(), ""
        while message.WhichOneof("type") != "script_finished":
            message = ForwardMsg.FromString(socket.recv(timeout=60))
            session_id = session_id or message.new_session.initialize.session_id
        yield session_id


def upload(here, session_id, cookie, source="127.0.0.1", **headers):
    """The status of sending a file to that session."""
    token = here.request("GET", "/_stcore/health").cookie.partition("=")[2].partition(";")[0]
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    sent |= {"Cookie": f"{cookie}; _streamlit_xsrf={token}", "X-Xsrftoken": token}
    sent |= {"Content-Type": "multipart/form-data; boundary=x"}
    body = b'--x\r\nContent-Disposition: form-data; name="f"; filename="f.xlsx"\r\n\r\n1\r\n--x--\r\n'
    connection = http.client.HTTPConnection("localhost", here.port, timeout=20, source_address=(source, 0))
    connection.request("PUT", f"/_stcore/upload_file/{session_id}/file", body, sent)
    answer = connection.getresponse()
    answer.read()
    connection.close()
    return answer.status


def test_each_person_is_served_by_one_process_and_both_have_work(two):
    with writing() as session:
        people = [a_person(session, "sales_manager") for _ in range(6)]
    cookies = [f"thanos={token_of(one)}" for one in people]

    with served(**two) as here, ExitStack() as open_pages:
        sessions = [open_pages.enter_context(visiting(here, cookie)) for cookie in cookies]
        # Only the process that has the session takes its files.
        taken = [upload(here, one, cookie) for one, cookie in zip(sessions, cookies, strict=True)]
        processes = front_of(here).children()
        open_there = [
            sum(one.status == psutil.CONN_ESTABLISHED for one in each.net_connections("tcp")) for each in processes
        ]

    assert taken == [204] * 6
    assert open_there == [3, 3]


def test_where_somebody_comes_from_is_what_a_proxy_of_this_machine_says_and_not_what_they_say(two):
    own, by_proxy, far = (f"thanos={token_of('consultant')}" for _ in range(3))

    with served(**two) as here:
        # Somebody without an import is refused, and that is written down with where it came from.
        assert upload(here, "any", own) == 403
        assert upload(here, "any", by_proxy, X_Forwarded_For="203.0.113.9") == 403
        assert upload(here, "any", far, source="127.0.0.2", X_Forwarded_For="203.0.113.9") == 403

    with reading() as session:
        noted = session.exec(select(AuditEntry).where(AuditEntry.action == "refused").order_by(AuditEntry.id)).all()
    assert [one.address for one in noted] == ["local", "203.0.113.9", "127.0.0.2"]


@pytest.mark.parametrize("which", ["the one in front", "one behind"])
def test_all_end_with_one_that_is_killed(two, which):
    with served(**two) as here:
        front = front_of(here)
        family = [front, *front.children()]
        assert len(family) == 3

        family[which == "one behind"].kill()

        assert psutil.wait_procs(family, 30)[1] == []


def test_a_port_that_is_taken_is_said_and_leaves_nobody():
    def tells_and_stays(tell):
        tell(1)
        signal.pause()

    with closing(socket.create_server(("127.0.0.1", 0))) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(Unavailable, match=f"port {port}: Address already in use"):
            serve_together(2, port, tells_and_stays)

    assert multiprocessing.active_children() == []


def test_a_name_that_leads_nowhere_is_said():
    with (
        pytest.raises(Unavailable, match=r"listen on nowhere\.invalid, port 1: \D*\."),
        listening_at("nowhere.invalid", 1),
    ):
        pass


def test_many_who_come_at_one_moment_wait_to_be_let_in():
    async def come(listening):
        async with await processes._let_in(listening, []):
            with ExitStack() as waiting:
                # The loop stands still: nobody lets them in meanwhile.
                for _ in range(300):
                    waiting.enter_context(socket.create_connection(listening.getsockname(), timeout=5))

    with listening_at("127.0.0.1", 0) as listening:
        run_apart(come(listening))


def test_as_many_files_are_open_as_the_system_lets_us():
    soft, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft // 2, most))

    processes._take_many()

    assert resource.getrlimit(resource.RLIMIT_NOFILE) == (most, most)
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, most))


@pytest.mark.parametrize(("named", "trusted"), [("10.0.0.1", "10.0.0.1,127.0.0.1"), ("", ",127.0.0.1"), ("*", "*")])
def test_the_one_in_front_is_believed_whoever_else_is(monkeypatch, named, trusted):
    monkeypatch.setenv(processes.TRUSTED_PROXIES, named)

    processes._trust_this_machine()

    assert os.environ[processes.TRUSTED_PROXIES] == trusted


def test_one_that_does_not_get_as_far_as_listening_ends_the_others():
    def ends(_tell):
        raise Unavailable(says("There is no database."))

    assert serve_together(2, free_port(), ends) == 1
    assert multiprocessing.active_children() == []
