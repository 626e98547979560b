"""The routes beside the pages, on a real server: the cookie, who may post, where one is sent, and the headers."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from http.cookies import SimpleCookie

import pytest
from sqlalchemy import Engine
from sqlmodel import col, select

from crm.domain.accounts import SignIn
from crm.services.access import sign_in
from crm.services.access.sign_in import SignedIn
from crm.store.engine import make_engine
from crm.store.metadata import metadata
from crm.store.session import reading, writing
from tests.app.people import a_person
from tests.app.served import Served, served

SAME_ORIGIN = {"Sec_Fetch_Site": "same-origin"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Where this module's school is kept."""
    return tmp_path_factory.mktemp("routes")


@pytest.fixture(scope="module")
def database(folder) -> Iterator[Engine]:
    """A school with one consultant, `li`."""
    engine = make_engine(f"sqlite:///{folder / 'thanos.db'}")
    with engine.begin() as connection:
        metadata.create_all(connection)
    with writing(engine) as session:
        a_person(session, "consultant", "li")
    yield engine
    engine.dispose()


@pytest.fixture(scope="module")
def server(database, folder) -> Iterator[Served]:
    """The app over it."""
    with served(THANOS_VAR=str(folder)) as here:
        yield here


@pytest.fixture
def a_ticket(database):
    """Makes tickets, as the form does."""

    def make() -> str:
        now = datetime.now(UTC)
        with writing(database) as session:
            tried = sign_in.attempt(session, "li", "test", now)
            return sign_in.admit(session, tried, True, "test", now)

    return make


@pytest.fixture
def who(database):
    """Asks who a cookie stands for."""

    def ask(token: str) -> SignedIn | None:
        with reading(database) as session:
            return sign_in.signed_in(session, token, "", datetime.now(UTC))

    return ask


def the_cookie(answer):
    return SimpleCookie(answer.cookie)["thanos"]


def test_the_way_in_and_out(server, a_ticket, who):
    came = server.request("POST", "/auth/in", {"ticket": a_ticket(), "to": "/pool?q=a"}, **SAME_ORIGIN)

    cookie = the_cookie(came)
    assert (came.status, came.headers["location"]) == (303, "/pool?q=a")
    assert (cookie["httponly"], cookie["samesite"], cookie["path"]) == (True, "lax", "/")
    assert cookie["max-age"] == str(12 * 3600)
    assert not cookie["secure"]
    assert who(cookie.value)

    left = server.request("POST", "/auth/out", {}, Cookie=f"thanos={cookie.value}", **SAME_ORIGIN)

    assert (left.status, left.headers["location"]) == (303, "/")
    assert the_cookie(left).value == ""
    assert the_cookie(left)["max-age"] == "0"
    assert who(cookie.value) is None


def test_a_ticket_is_taken_once(server, a_ticket):
    ticket = a_ticket()
    server.request("POST", "/auth/in", {"ticket": ticket, "to": "/"}, **SAME_ORIGIN)

    again = server.request("POST", "/auth/in", {"ticket": ticket, "to": "/"}, **SAME_ORIGIN)

    assert (again.status, again.headers["location"]) == (303, "/")
    assert "thanos=" not in again.cookie


@pytest.mark.parametrize(
    "to", ["https://evil.example/", "//evil.example", "/\\evil.example", "javascript:alert(1)", ""]
)
def test_nobody_is_sent_to_another_site(server, to, a_ticket):
    came = server.request("POST", "/auth/in", {"ticket": a_ticket(), "to": to}, **SAME_ORIGIN)

    assert came.headers["location"] == "/"


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec_Fetch_Site": "cross-site", "Origin": "https://evil.example"},
        {"Sec_Fetch_Site": "same-site"},
        {"Sec_Fetch_Site": "none"},
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {},
    ],
)
def test_another_site_signs_nobody_in_or_out(server, headers, a_ticket, database):
    ticket = a_ticket()

    came = server.request("POST", "/auth/in", {"ticket": ticket, "to": "/"}, **headers)
    left = server.request("POST", "/auth/out", {}, Cookie="thanos=x", **headers)

    assert (came.status, left.status) == (403, 403)
    assert "thanos=" not in came.cookie + left.cookie
    with writing(database) as session:
        assert sign_in.redeem(session, ticket, datetime.now(UTC)), "the ticket was spent"


def test_a_browser_that_sends_only_its_origin_is_let_in(server, a_ticket, who):
    came = server.request(
        "POST", "/auth/in", {"ticket": a_ticket(), "to": "/"}, Origin=f"http://localhost:{server.port}"
    )

    assert who(the_cookie(came).value)


def test_the_session_that_was_there_before_ends(server, a_ticket, who):
    first = the_cookie(server.request("POST", "/auth/in", {"ticket": a_ticket(), "to": "/"}, **SAME_ORIGIN)).value

    second = server.request(
        "POST", "/auth/in", {"ticket": a_ticket(), "to": "/"}, Cookie=f"thanos={first}", **SAME_ORIGIN
    )

    assert who(first) is None
    assert who(the_cookie(second).value)


def test_a_session_id_from_outside_is_never_taken_over(server, a_ticket, who):
    came = server.request("POST", "/auth/in", {"ticket": a_ticket(), "to": "/"}, Cookie="thanos=chosen", **SAME_ORIGIN)

    assert the_cookie(came).value != "chosen"
    assert who("chosen") is None


def test_a_link_signs_nobody_in(server, a_ticket, database):
    server.request("GET", f"/auth/in?ticket={a_ticket()}", **SAME_ORIGIN)

    with reading(database) as session:
        newest = session.exec(select(SignIn).order_by(col(SignIn.id).desc())).first()
    assert newest.ticket_digest is not None
    assert newest.token_digest is None


def test_a_form_of_any_size_is_no_burden(server):
    came = server.request("POST", "/auth/in", {"ticket": "x" * 1_000_000}, **SAME_ORIGIN)

    assert came.status == 303
    assert "thanos=" not in came.cookie


@pytest.mark.parametrize("path", ["/", "/customers", "/auth/door.js", "/_stcore/health", "/static/none.js"])
def test_every_answer_carries_the_headers(server, path):
    headers = server.request("GET", path).headers

    policy = headers["content-security-policy"]
    assert "frame-ancestors 'self'" in policy
    assert "object-src 'none'" in policy
    assert "'unsafe-inline'" not in policy.split("script-src")[1].split(";")[0]
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "same-origin"


@pytest.mark.parametrize("path", ["/_stcore/metrics", "/_stcore/agent/openapi.json", "/_stcore/agent/interact"])
def test_doors_of_streamlits_own_stay_closed(server, path):
    assert {server.request(method, path).status for method in ("GET", "POST")} == {404}
    assert server.request("GET", "/_stcore/health").body == "ok"


@pytest.mark.parametrize(
    ("language", "said"), [("zh-CN,zh;q=0.9", "这个地址没有内容。"), ("en", "There is nothing at this address.")]
)
def test_a_closed_door_speaks_the_browsers_language(server, language, said):
    assert server.request("GET", "/_stcore/metrics", **{"Accept-Language": language}).body == said


@pytest.mark.parametrize("path", ["/customers/1", "/customers/1/", "/a/b/c", "/a/static/js/main.js"])
def test_below_a_page_there_is_nothing(server, path):
    answer = server.request("GET", path.rstrip("/"))

    assert (answer.status, answer.body) == (404, "There is nothing at this address.")
    assert server.request("GET", path).status in (301, 404)


def test_what_pages_consist_of_is_given(server):
    page = server.request("GET", "/customers")
    files = re.findall(r'(?:src|href)="\./(static/[^"]+)"', page.body)

    assert page.status == 200
    assert files
    assert {server.request("GET", f"/{file}").status for file in files} == {200}


def test_a_school_on_https_gets_a_secure_cookie(database, folder, a_ticket):
    settings = folder / "https.toml"
    settings.write_text("[sign_in]\nsecure_cookie = true\n", "utf-8")

    with served(THANOS_VAR=str(folder), THANOS_SETTINGS=str(settings)) as here:
        came = here.request("POST", "/auth/in", {"ticket": a_ticket(), "to": "/"}, **SAME_ORIGIN)

    cookie = SimpleCookie(came.cookie)["__Host-thanos"]
    assert cookie["secure"]
    assert cookie["httponly"]
    assert not cookie["domain"]
