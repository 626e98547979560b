"""The routes beside the pages: who gets a file and who may upload, what is recorded of others, and what they read."""

import asyncio
from dataclasses import replace

import pytest
from sqlmodel import col, select
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.responses import Response
from starlette.routing import Route
from streamlit.runtime.memory_uploaded_file_manager import MemoryUploadedFileManager
from streamlit.runtime.uploaded_file_manager import UploadedFileRec

from crm.domain.accounts import Account
from crm.domain.records import AuditEntry
from crm.rbac import Reach
from crm.rbac import store as rbac
from crm.services.access import audit
from crm.services.scores.homework import File, hand_in
from crm.store.session import reading, writing
from crm.ui.serving import door, export_files, homework_route
from crm.ui.serving.uploads import KEPT, UploadsOfTheSignedIn
from tests.app.people import a_person, token_of
from tests.builders import NOON, an_actor
from tests.loops import run_apart
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
        hand_in(session, me, row.id, text="", note="", file=File("a.pdf", PDF), seen=None, now=NOON)
        return homework_route.address(row.id, row.homework_file, "a.pdf")


def has_a_one_time_password(account):
    with writing() as session:
        session.get_one(Account, account.id).must_change_password = True


def asked(path, cookie, method="GET", reads="", app=APP):
    """The status that the app answers with, and the body. `reads`: the language that the browser asks for."""
    sent = []
    scope = {
        "type": "http", "http_version": "1.1", "method": method, "path": path, "raw_path": path.encode(),
        "root_path": "", "scheme": "http", "query_string": b"",
        "headers": [(b"cookie", cookie.encode()), (b"accept-language", reads.encode())],
    }  # fmt: skip

    all_said = [{"type": "http.request"}]

    async def receive():
        if not all_said:
            # Nobody leaves before the answer is there.
            await asyncio.Event().wait()
        return all_said.pop()

    async def send(message):
        sent.append(message)

    run_apart(app(scope, receive, send))
    return sent[0]["status"], b"".join(each.get("body", b"") for each in sent[1:])


def test_homework_waits_for_a_password_of_ones_own(student, file):
    account, cookie = student

    assert asked(file, cookie) == (200, PDF)
    has_a_one_time_password(account)
    assert asked(file, cookie)[0] == 404


@pytest.fixture
def export(student, tmp_path):
    """Where a file is that the student took out of the own grades."""
    account, _cookie = student
    (tmp_path / "made").write_bytes(b"x")
    me = an_actor(role="student", account_id=account.id)
    return export_files.offer(me, tmp_path / "made", "a.csv", ("grades.view", "grades.hand_in"))


def become(account, grants):
    """From the next click on the account may do this and nothing else."""
    with writing() as session:
        role = rbac.role_named(session, "student")
        rbac.change_grants(session, role.id, dict.fromkeys(rbac.grants_of_role(session, role.id)))
        rbac.grant(session, role.id, grants)


def refusals():
    """What the audit log has of refusals: whose, of what, of which row."""
    with reading() as session:
        kept = session.exec(select(AuditEntry).where(AuditEntry.action == audit.REFUSED).order_by(col(AuditEntry.id)))
        return [(one.account_id, one.subject, one.subject_id) for one in kept]


def test_an_export_is_for_whoever_may_still_do_what_it_took(student, export):
    account, cookie = student

    assert asked(export, cookie) == (200, b"x")
    become(account, {"grades.view": Reach.OWN})
    assert asked(export, cookie)[0] == 404
    assert refusals() == [(account.id, "grades.hand_in", None)]
    become(account, {"grades.view": Reach.ALL, "grades.hand_in": Reach.OWN})
    assert asked(export, cookie)[0] == 200


def test_an_export_of_many_rows_is_not_for_whoever_has_only_the_own_ones_left(student, tmp_path):
    account, cookie = student
    (tmp_path / "made").write_bytes(b"x")
    many = replace(an_actor(account_id=account.id), grants={"grades.view": Reach.ALL})
    path = export_files.offer(many, tmp_path / "made", "a.csv", ("grades.view",))

    assert asked(path, cookie)[0] == 404


def test_a_strangers_file_is_refused_and_that_is_recorded(student, file, export):
    with writing() as session:
        stranger = a_person(session, "student")
    cookie = f"{door.cookie_name()}={token_of(stranger)}"
    number = int(file.split("/")[2])

    assert asked(file, cookie)[0] == 404
    assert asked(export, cookie)[0] == 404
    assert refusals() == [(stranger.id, "grades.view", number), (stranger.id, "grades.view", None)]


def test_who_has_no_page_with_an_upload_is_recorded_too(engine):
    with writing() as session:
        li = a_person(session, "finance")

    assert asked("/_stcore/upload_file/x", f"{door.cookie_name()}={token_of(li)}", "PUT")[0] == 403
    assert refusals() == [(li.id, "import.run", None)]


def test_a_visitor_reads_their_own_language_else_their_browsers(student):
    account, cookie = student

    for locale, reads, says in (
        (None, "zh-CN", "请重新导出"),
        ("zh", "en", "请重新导出"),
        ("en", "zh", "Export it again"),
    ):
        with writing() as session:
            session.get_one(Account, account.id).locale = locale

        assert says in asked("/exports/x/a.csv", cookie, reads=reads)[1].decode()


def test_an_export_waits_for_a_password_of_ones_own(student, export):
    account, cookie = student

    assert asked(export, cookie) == (200, b"x")
    has_a_one_time_password(account)
    assert asked(export, cookie)[0] == 404


def test_an_upload_waits_for_a_password_of_ones_own(student):
    account, cookie = student
    has_a_one_time_password(account)

    assert asked("/_stcore/upload_file/x", cookie, "PUT")[0] == 403


def test_no_more_than_the_latest_files_of_a_person_stay_in_memory(student):
    _account, cookie = student
    with writing() as session:
        classmate = a_person(session, "student")
    other = f"{door.cookie_name()}={token_of(classmate)}"
    files, numbers = MemoryUploadedFileManager(""), [str(each) for each in range(KEPT + 3)]

    async def take(request):
        tab, file = request.path_params["tab"], request.path_params["file"]
        files.add_file(tab, UploadedFileRec(file_id=file, name="a.pdf", type="", data=PDF))
        return Response(status_code=204)

    app = Starlette(
        routes=[Route("/_stcore/upload_file/{tab}/{file}", take, methods=["PUT"])],
        middleware=[Middleware(UploadsOfTheSignedIn, files=lambda: files)],
    )

    assert asked("/_stcore/upload_file/theirs/a", other, "PUT", app=app)[0] == 204
    for number in numbers:
        assert asked(f"/_stcore/upload_file/tab{number[-1]}/{number}", cookie, "PUT", app=app)[0] == 204

    there = [number for number in numbers if files.get_files(f"tab{number[-1]}", [number])]
    assert there == numbers[-KEPT:]
    assert files.get_files("theirs", ["a"])


def test_an_address_with_a_number_of_any_length_is_no_file(student, file):
    _account, cookie = student
    _empty, _homework, _number, *rest = file.split("/")

    for number in ("0", str(2**31), str(2**63), "9" * 5000):
        assert asked("/".join(("/homework", number, *rest)), cookie)[0] == 404
