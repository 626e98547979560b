"""Signing in and out in a real browser: the cookie, the way back, other tabs, and what the page may load."""

import re
from collections.abc import Callable
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import expect

from crm.settings import ROOT
from tests.browser.conftest import Person, School

pytestmark = [pytest.mark.browser, pytest.mark.slow]
PAGES = sorted("/" + file.stem.replace("_", "-") for file in (ROOT / "pages").glob("*.py"))
FORM = "input[type=password]"


def cookie_of(person: Person) -> dict[str, object]:
    return next(dict(one) for one in person.page.context.cookies() if one.get("name") == "thanos")


def test_a_deep_link_survives_the_sign_in_and_the_cookie_is_out_of_reach(
    somebody: Callable[..., Person], school: School
) -> None:
    person = somebody("lina", "/pool?q=%E7%8E%8B&state=public")

    assert person.page.url == f"{school.address}/pool?q=%E7%8E%8B&state=public"
    cookie = cookie_of(person)
    assert (cookie["httpOnly"], cookie["sameSite"], cookie["path"]) == (True, "Lax", "/")
    assert "thanos=" not in person.page.evaluate("document.cookie")
    person.page.reload()
    expect(person.page.locator('[data-testid="stSidebarNav"]')).to_be_visible()


def test_signing_out_in_one_tab_ends_the_other_and_every_copy(somebody: Callable[..., Person], school: School) -> None:
    person = somebody("emma", "/account")
    copied = cookie_of(person)["value"]
    other = Person(person.page.context.new_page(), school).open("/account")

    person.press("Sign out")
    expect(person.page.locator(FORM)).to_have_count(1)
    other.page.get_by_role("radio", name="中文").last.click()

    expect(other.page.get_by_role("button", name="Sign in")).to_be_visible()
    assert not [one for one in person.page.context.cookies() if one.get("name") == "thanos"]
    person.page.context.add_cookies([{"name": "thanos", "value": str(copied), "url": school.address}])
    person.open("/account")
    expect(person.page.get_by_role("button", name="Sign in")).to_be_visible()


def test_a_language_is_remembered(somebody: Callable[..., Person]) -> None:
    person = somebody("emma", "/account")

    person.page.get_by_role("radio", name="中文").first.click()
    expect(person.page.get_by_role("radio", name="中文").first).to_be_checked()
    person.page.reload()

    expect(person.settled().page.get_by_role("radio", name="中文").first).to_be_checked()
    person.page.get_by_role("radio", name="EN").first.click()
    expect(person.page.get_by_role("radio", name="EN").first).to_be_checked()


def test_what_was_chosen_stays_chosen_in_the_other_language(somebody: Callable[..., Person], school: School) -> None:
    # The browser sends a choice by its words, and those of one language are no choice in the other.
    person = somebody("manager", "/customers?state=public&sort=state")

    for times, (language, label) in enumerate([("中文", "学历"), ("EN", "Education")], start=1):
        person.page.get_by_role("radio", name=language).first.click()
        expect(person.page.get_by_role("radio", name=language).first).to_be_checked()
        person.settled().page.get_by_role("combobox", name=label).click()
        person.page.get_by_role("option").nth(1).click()
        person.page.keyboard.press("Escape")
        expect(person.page).to_have_url(re.compile(f"(education=.*){{{times}}}"))
        address = parse_qs(urlsplit(person.page.url).query)
        assert (address["state"], address["sort"]) == (["public"], ["state"])
        assert person.page.get_by_test_id("stAlert").all_text_contents() == []


def test_every_page_loads_from_here_only_and_within_its_policy(somebody: Callable[..., Person], school: School) -> None:
    person = somebody("admin", new=True)
    complaints: list[str] = []
    elsewhere: list[str] = []
    person.page.on(
        "console", lambda said: complaints.append(said.text) if "Content Security Policy" in said.text else None
    )
    here = re.compile(f"^({re.escape(school.address)}|ws://{re.escape(school.address[7:])}|data:|blob:)")
    person.page.on("request", lambda sent: None if here.match(sent.url) else elsewhere.append(sent.url))

    title = person.page.locator("h1").first
    for page in PAGES:
        link = person.page.locator(f'[data-testid="stSidebarNav"] a[href$="{page}"]')
        if link.count():
            # From page to page as people go, without loading the app anew.
            before = title.text_content() or ""
            link.click()
            expect(title).not_to_have_text(before)
            person.settled()
        else:
            person.open("/" if page == "/home" else page)
        expect(title).to_be_visible()
        expect(person.page.get_by_text("Something went wrong")).to_have_count(0)

    assert complaints == []
    assert elsewhere == []
