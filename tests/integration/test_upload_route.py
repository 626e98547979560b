"""Files by the server's routes: taken only from who has a page for them, handed-in ones given to who may have them."""

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from sqlmodel import Session

from crm.services.access import sign_in
from crm.store.engine import make_engine
from crm.store.metadata import metadata
from crm.store.session import writing
from tests.app.people import a_person
from tests.app.served import Served, served
from tests.builders import NOON, an_employee
from tests.school_builders import a_class_group, a_course_record, a_student_in, a_study_record

FILE = "x" * 43
NO_SESSION = 400
"""What Streamlit answers to a file for a tab that is not open: the request has come as far as that."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("uploads")


@pytest.fixture(scope="module")
def cookies(folder) -> dict[str, str]:
    """The cookies of a consultant, a sales manager, two students of one class, and its lecturer and another."""
    engine = make_engine(f"sqlite:///{folder / 'thanos.db'}")
    with engine.begin() as connection:
        metadata.create_all(connection)
    with writing(engine) as session:
        a_person(session, "consultant", "li")
        a_person(session, "sales_manager", "boss")
        _homework(session, folder)
        names = ("li", "boss", "mine", "classmate", "teaches", "other")
        made = {name: f"thanos={a_session(session, name)}" for name in names}
    engine.dispose()
    return made


def _homework(session: Session, folder) -> None:
    """A class with a lecturer, and a day on which one of its two students handed in a file."""
    people = {name: a_person(session, "student", name) for name in ("mine", "classmate")}
    people |= {name: a_person(session, "lecturer", name) for name in ("teaches", "other")}
    staff = {name: an_employee(session, name, account_id=people[name].id) for name in ("teaches", "other")}
    group = a_class_group(session, staff["teaches"])
    day = a_course_record(session, group, homework_title="Exercise", initialised_at=NOON)
    for name, values in (("mine", {"homework_file": FILE, "homework_file_name": "作业.html"}), ("classmate", {})):
        student = a_student_in(session, group, name, account_id=people[name].id)
        a_study_record(session, day, student, **values)
    (folder / "homework").mkdir()
    (folder / "homework" / FILE).write_bytes(b"<script>alert(1)</script>")


def a_session(session: Session, name: str) -> str:
    """The token of a session that is open."""
    now = datetime.now(UTC)
    ticket = sign_in.admit(session, sign_in.attempt(session, name, "test", now), True, "test", now)
    assert ticket is not None
    token = sign_in.redeem(session, ticket, now)
    assert token is not None
    return token


@pytest.fixture(scope="module")
def server(cookies, folder) -> Iterator[Served]:
    with served(THANOS_VAR=str(folder)) as here:
        yield here


def upload(server: Served, cookie: str = "", path: str = "/_stcore/upload_file/a/b", content: str = "x") -> int:
    given = server.request("GET", "/_stcore/health").cookie.split(";")[0]
    token = given.partition("=")[2]
    return server.request("PUT", path, {"file": content}, Cookie=f"{given}; {cookie}", X_Xsrftoken=token).status


def test_a_visitor_uploads_nothing(server):
    assert upload(server) == 403
    assert upload(server, "thanos=made-up") == 403


def test_who_has_no_page_for_it_uploads_nothing(server, cookies):
    assert upload(server, cookies["li"]) == 403


def test_who_imports_may_upload(server, cookies):
    assert upload(server, cookies["boss"]) == NO_SESSION


def test_a_student_sends_no_more_than_homework_may_have(server, cookies):
    assert upload(server, cookies["mine"]) == NO_SESSION
    assert upload(server, cookies["mine"], content="x" * (21 << 20)) == 413


def fetch(server: Served, cookie: str = "", number: int = 1, file: str = FILE):
    return server.request("GET", f"/homework/{number}/{file}/anything.html", Cookie=cookie)


def test_a_file_is_given_to_its_owner_and_the_teacher_as_a_download(server, cookies):
    for name in ("mine", "teaches"):
        answer = fetch(server, cookies[name])

        headers = {key.lower(): value for key, value in answer.headers.items()}
        assert (answer.status, answer.body) == (200, "<script>alert(1)</script>")
        assert headers["content-type"] == "application/octet-stream"
        assert headers["content-disposition"].startswith("attachment;")
        assert (headers["x-content-type-options"], headers["cache-control"]) == ("nosniff", "no-store")
        assert "sandbox" in headers["content-security-policy"]


def test_nobody_else_learns_that_there_is_a_file(server, cookies):
    answers = [
        fetch(server),
        fetch(server, "thanos=made-up"),
        *(fetch(server, cookies[name]) for name in ("classmate", "other", "li", "boss")),
        fetch(server, cookies["mine"], number=2),
        fetch(server, cookies["mine"], file="y" * 43),
    ]

    # The sales manager may open every gradebook.
    assert [answer.status for answer in answers] == [404, 404, 404, 404, 404, 200, 404, 404]
    assert fetch(server, cookies["mine"], file="..%2Fthanos.db").status in (400, 404)
