"""The routes beside the pages: whoever has to choose a password of their own gets no file and uploads none before."""

import asyncio
from concurrent.futures import ThreadPoolExecutor

import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.routing import Route

from crm.domain.accounts import Account
from crm.services.homework import File, hand_in
from crm.store.session import writing
from crm.ui import door, export_files, homework_route
from crm.ui.uploads import UploadsOfTheSignedIn
from tests.app.people import a_person, token_of
from tests.builders import NOON, an_actor
from tests.school_builders import a_class_group, a_course_record, a_student_in, a_study_record

PDF = b"%PDF-1.7"
APP = Starlette(
    routes=[
        Route(homework_route.ROUTE, homework_route.fetch),
        Route(export_files.ROUTE, export_files.fetch),
        Route("/_stcore/upload_file/x", lambda _request: None, methods=["PUT"]),
    ],
    middleware=[Middleware(UploadsOfTheSignedIn)],
)


@pytest.fixture
def student(engine):
    """A student's account, and the cookie of a session that is open."""
    with writing() as session:
        account = a_person(session, "student")
    return account, f"{door.cookie_name()}={token_of(account)}"


@pytest.fixture
def file(student):
    """Where the homework is that the student handed in."""
    account, _cookie = student
    with writing() as session:
        group = a_class_group(session)
        pupil = a_student_in(session, group, account_id=account.id)
        row = a_study_record(session, a_course_record(session, group, homework_title="Exercise"), pupil)
        me = an_actor(role="student", account_id=account.id)
        hand_in(session, me, row.id, text="", note="", file=File("a.pdf", PDF), now=NOON)
        return homework_route.address(row.id, row.homework_file, "a.pdf")


def has_a_one_time_password(account):
    with writing() as session:
        session.get_one(Account, account.id).must_change_password = True


def asked(path, cookie, method="GET"):
    """The status that the app answers with, and the body."""
    sent = []
    scope = {
        "type": "http", "http_version": "1.1", "method": method, "path": path, "raw_path": path.encode(),
        "root_path": "", "scheme": "http", "query_string": b"", "headers": [(b"cookie", cookie.encode())],
    }  # fmt: skip

    async def receive():
        # Nobody leaves before the answer is there.
        await asyncio.Event().wait()

    async def send(message):
        sent.append(message)

    # In a thread of its own: a browser of an earlier test may keep a loop running in this one.
    with ThreadPoolExecutor(1) as thread:
        thread.submit(lambda: asyncio.run(APP(scope, receive, send))).result()
    return sent[0]["status"], b"".join(each.get("body", b"") for each in sent[1:])


def test_homework_waits_for_a_password_of_ones_own(student, file):
    account, cookie = student

    assert asked(file, cookie) == (200, PDF)
    has_a_one_time_password(account)
    assert asked(file, cookie)[0] == 404


def test_an_export_waits_for_a_password_of_ones_own(student, tmp_path):
    account, cookie = student
    (tmp_path / "made").write_bytes(b"x")
    path = export_files.offer(an_actor(account_id=account.id), tmp_path / "made", "a.csv")

    assert asked(path, cookie) == (200, b"x")
    has_a_one_time_password(account)
    assert asked(path, cookie)[0] == 404


def test_an_upload_waits_for_a_password_of_ones_own(student):
    account, cookie = student
    has_a_one_time_password(account)

    assert asked("/_stcore/upload_file/x", cookie, "PUT")[0] == 403


def test_an_address_with_a_number_of_any_length_is_no_file(student, file):
    _account, cookie = student
    _empty, _homework, _number, *rest = file.split("/")

    for number in ("0", str(2**31), str(2**63), "9" * 5000):
        assert asked("/".join(("/homework", number, *rest)), cookie)[0] == 404
