"""The open door of Streamlit: a page as the very first request of a fresh server, before app.py ever ran.

Looked at on the wire, where nothing is hidden by a browser.
"""

import pytest

from crm.settings import ROOT
from crm.store.session import writing
from tests.app.people import a_person, token_of
from tests.app.served import fresh_servers, served

PAGES = sorted(file.stem for file in (ROOT / "pages").glob("*.py"))
DATA = ("arrow_data_frame", "arrow_vega_lite_chart", "metric", "download_button", "file_uploader", "page_link")


@pytest.fixture(autouse=True)
def _sqlite(sqlite_url):
    """Any database does."""


def sees_the_form_only(sent):
    shown = [one for one in (*DATA, "Sign out", "Traceback") if one in sent]
    return "sign-in" in sent and not shown


def test_every_page_as_the_first_request_shows_a_visitor_the_form_only():
    # By the name of its file, as Streamlit itself would have it; by the address that we give it a fresh process knows
    # no page yet, and one is as good as another.
    addresses = [*PAGES, "my-customers"]

    with fresh_servers(len(addresses)) as fresh:
        seen = {address: server.visit(address) for address, server in zip(addresses, fresh, strict=True)}

    assert [address for address, sent in seen.items() if not sees_the_form_only(sent)] == []


def test_our_server_shows_a_visitor_the_form_on_every_page_and_names_none():
    with served() as ours:
        for page in PAGES:
            sent = ours.visit(page.replace("_", "-"), cookie="thanos=made-up")

            assert sees_the_form_only(sent)
            assert "Public pool" not in sent
            assert "Staff" not in sent


def test_the_cookie_of_a_session_opens_the_app():
    with writing() as session:
        li = a_person(session, "consultant", "li", display_name="Li Na")

    with served() as ours:
        sent = ours.visit("", cookie=f"thanos={token_of(li)}")
        nowhere = ours.visit("customer", cookie=f"thanos={token_of(li)}")
        unknown = ours.visit("customer")

    assert "Sign out" in sent
    assert "Li Na" in sent
    assert "Public pool" in sent
    assert not sees_the_form_only(sent)
    assert "There is no such page" in nowhere and "page_not_found" not in nowhere
    assert sees_the_form_only(unknown) and "page_not_found" not in unknown
