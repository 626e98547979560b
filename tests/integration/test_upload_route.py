"""Uploads are taken into the server's memory, so only from people who have a page for them."""

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from sqlmodel import Session

from crm.services import sign_in
from crm.store.engine import make_engine
from crm.store.metadata import metadata
from crm.store.session import writing
from tests.app.people import a_person
from tests.app.served import Served, served

NO_SESSION = 400
"""What Streamlit answers to a file for a tab that is not open: the request has come as far as that."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("uploads")


@pytest.fixture(scope="module")
def cookies(folder) -> dict[str, str]:
    """The cookies of a consultant and of a sales manager."""
    engine = make_engine(f"sqlite:///{folder / 'thanos.db'}")
    with engine.begin() as connection:
        metadata.create_all(connection)
    with writing(engine) as session:
        a_person(session, "consultant", "li")
        a_person(session, "sales_manager", "boss")
        made = {name: f"thanos={a_session(session, name)}" for name in ("li", "boss")}
    engine.dispose()
    return made


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


def upload(server: Served, cookie: str = "", path: str = "/_stcore/upload_file/a/b") -> int:
    given = server.request("GET", "/_stcore/health").cookie.split(";")[0]
    token = given.partition("=")[2]
    return server.request("PUT", path, {"file": "x"}, Cookie=f"{given}; {cookie}", X_Xsrftoken=token).status


def test_a_visitor_uploads_nothing(server):
    assert upload(server) == 403
    assert upload(server, "thanos=made-up") == 403


def test_who_has_no_page_for_it_uploads_nothing(server, cookies):
    assert upload(server, cookies["li"]) == 403


def test_who_imports_may_upload(server, cookies):
    assert upload(server, cookies["boss"]) == NO_SESSION
