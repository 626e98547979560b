"""A running school and people at their browsers."""

import contextlib
import os
import re
import signal
import sqlite3
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from tests import servers
from tests.browser.books import everybody, library, server, visit

__all__ = ["everybody", "library", "server", "visit"]

PASSWORD = "thanos-demo-2026"
# Chromium looks for the world outside unless it is told not to.
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    # Pages of one address share a process, which has read Streamlit's scripts once: half the work of opening a page.
    "--process-per-site",
]
PATIENCE = 20_000


@dataclass(frozen=True)
class School:
    """A school that runs as `make run` runs it, in a folder of its own."""

    address: str
    var: Path
    process: subprocess.Popen[str]

    def cli(self, *words: str) -> str:
        """What `python -m crm ...` or `python -m jobs ...` prints, on the same database."""
        module, *rest = words
        return subprocess.run(
            [sys.executable, "-m", module, *rest],
            env=_environment(self.var),
            capture_output=True,
            text=True,
            check=True,
            timeout=60,
        ).stdout


class Person:
    """Somebody at a browser. What they do waits until the page stands still."""

    def __init__(self, page: Page, school: School) -> None:
        self.page = page
        self.school = school

    def open(self, path: str) -> "Person":
        """Go to an address of the school."""
        self.page.goto(self.school.address + path)
        return self.settled()

    def sign_in(self, name: str, path: str = "/", password: str = PASSWORD) -> "Person":
        """Open an address and sign in there."""
        self.page.goto(self.school.address + path)
        self.page.get_by_role("textbox", name=re.compile("^(User name|用户名)")).fill(name)
        self.page.locator("input[type=password]").fill(password)
        self.page.locator('[data-testid="stFormSubmitButton"] button').click()
        expect(self.page.locator("input[type=password]")).to_have_count(0)
        expect(self.page.locator('[data-testid="stSidebarNav"]')).to_be_visible()
        return self.settled()

    def sign_in_once(self, name: str, once: str, password: str) -> "Person":
        """Sign in with a one-time password, and give oneself another, as has to be done."""
        self.page.goto(self.school.address)
        self.page.get_by_role("textbox", name="User name").fill(name)
        self.page.locator("input[type=password]").fill(once)
        self.page.locator('[data-testid="stFormSubmitButton"] button').click()
        self.page.get_by_label("Current password").fill(once)
        for label in ("New password", "New password again"):
            self.page.get_by_label(label, exact=True).fill(password)
        self.press("Change password")
        expect(self.page.locator('[data-testid="stSidebarNav"]')).to_be_visible()
        return self.settled()

    def settled(self) -> "Person":
        """Wait until the script has run and nothing is a skeleton any more."""
        self.page.wait_for_selector('[data-testid="stApp"][data-test-script-state="notRunning"]')
        expect(self.page.locator('[data-testid="stSkeleton"]')).to_have_count(0)
        return self

    def sees(self, text: str) -> "Person":
        """The text is on the page, or appears."""
        expect(self.page.get_by_text(text).first).to_be_visible()
        return self

    def press(self, label: str) -> "Person":
        """Click the button of that label."""
        self.page.get_by_role("button", name=label).first.click()
        return self


@pytest.fixture(scope="session")
def browser(chromium_path: Path) -> Iterator[Browser]:
    """One Chromium for all tests."""
    expect.set_options(timeout=PATIENCE)
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=str(chromium_path), args=FLAGS)
        yield chromium
        chromium.close()


@pytest.fixture(scope="module")
def school(tmp_path_factory: pytest.TempPathFactory) -> Iterator[School]:
    """A demo school with app, jobs and embedded Redis, gone without a trace afterwards."""
    var = tmp_path_factory.mktemp("school")
    port = servers.free_port()
    process = subprocess.Popen(
        [sys.executable, "-m", "crm", "run", "--port", str(port), "--demo"],
        env=_environment(var),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    school = School(f"http://localhost:{port}", var, process)
    try:
        servers.wait_for(lambda: _healthy(school), "the school did not open", seconds=180)
        _everybody_reads_english(school)
        yield school
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
        if process.stderr:
            process.stderr.close()


@pytest.fixture(scope="module")
def desks(browser: Browser, school: School) -> Iterator[list[BrowserContext]]:
    """Browsers that keep what they have loaded for whoever sits there next, and nothing of who sat there before."""
    made: list[BrowserContext] = []
    yield made
    for desk in made:
        desk.close()


@pytest.fixture
def somebody(browser: Browser, school: School, desks: list[BrowserContext]) -> Iterator[Callable[..., Person]]:
    """`somebody("lina", "/pool")`: a person who signed in there, at a browser of their own.

    `new`: the browser has loaded nothing yet.
    """
    free = list(desks)

    def come(name: str | None = None, path: str = "/", *, new: bool = False) -> Person:
        if new or not free:
            desks.append(_a_desk(browser, school))
            free.insert(0, desks[-1])
        person = Person(free.pop(0).new_page(), school)
        return person.sign_in(name, path) if name else person.open(path)

    yield come
    for desk in desks:
        keeps, *opened = desk.pages
        for page in opened:
            page.close()
        desk.clear_cookies()
        keeps.evaluate("localStorage.clear()")


def _a_desk(browser: Browser, school: School) -> BrowserContext:
    made = browser.new_context(locale="en-GB", viewport={"width": 1280, "height": 900}, reduced_motion="reduce")
    made.set_default_timeout(PATIENCE)
    # With one page open, the process that shows them all stays.
    made.new_page().goto(f"{school.address}/_stcore/health")
    return made


def _everybody_reads_english(school: School) -> None:
    """Half of the demo's people read Chinese; these tests look for English words."""
    with closing(sqlite3.connect(school.var / "thanos.db", timeout=20)) as database, database:
        database.execute("UPDATE account SET locale = 'en'")


def _environment(var: Path) -> dict[str, str]:
    kept = {key: value for key, value in os.environ.items() if key not in ("DATABASE_URL", "REDIS_URL", "PORT")}
    return {**kept, "THANOS_VAR": str(var), "LANG": "C.UTF-8"}


def _healthy(school: School) -> bool:
    if school.process.poll() is not None:
        raise RuntimeError(school.process.stderr.read() if school.process.stderr else "the school closed")
    with contextlib.suppress(OSError), urllib.request.urlopen(f"{school.address}/_stcore/health", timeout=2) as answer:
        return bool(answer.read() == b"ok")
    return False
