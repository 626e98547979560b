"""The worked example on a server of its own, and people who visit it in a real browser."""

import contextlib
import os
import sqlite3
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from crm.store.engine import make_engine
from tests import servers
from tests.grid_example import create, forget

PAGE = """
import os
from zoneinfo import ZoneInfo
import streamlit as st
from crm.grid.render import render_table
from crm.i18n import set_reader
from crm.store.engine import make_engine
from tests.grid_example import BOOKS, LIBRARIAN, READER, connect

@st.cache_resource
def engine():
    return make_engine(os.environ["BOOKS"])

st.set_page_config(layout="wide")
set_reader("en", ZoneInfo("Asia/Shanghai"))
gone = os.path.exists(os.environ["GONE"])
connect(engine(), who=lambda actor: None if os.path.exists(os.environ["GONE"]) else actor)
if gone:
    st.write("You are signed out.")
    st.stop()
st.title("Books")
render_table(BOOKS, READER if "reader" in st.query_params else LIBRARIAN,
             detail=lambda actor, key: st.write(f"The story of book {key}"))
"""
# What is drawn from the left, as wide as the grid fixes it; the locks only where a row of the page is locked.
WIDTHS = {"tick": 44, "open": 44, "lock": 44, "return": 110, "name": 140, "pages": 90}
ROW = 35


@dataclass(frozen=True)
class Library:
    """The example's page on a server of its own, its database, and the file that says that everybody is gone."""

    address: str
    database: Path
    gone: Path

    def rows(self, sql: str, *values: Any) -> list[Any]:
        """What the database says, or does."""
        with contextlib.closing(sqlite3.connect(self.database, timeout=10)) as connection:
            found = connection.execute(sql, values).fetchall()
            connection.commit()
            return found

    def names(self, *keys: int) -> list[str]:
        """The names of these books."""
        return [self.rows("SELECT name FROM book WHERE id = ?", key)[0][0] for key in keys]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Library]:
    """The example's page, served."""
    folder = tmp_path_factory.mktemp("books")
    script, port = folder / "page.py", servers.free_port()
    script.write_text(PAGE, "utf-8")
    made = Library(f"http://localhost:{port}", folder / "books.db", folder / "gone")
    _as_new(made)
    root = Path(__file__).resolve().parents[2]
    process = subprocess.Popen(
        [sys.executable, "-m", "streamlit", "run", str(script), "--server.port", str(port), "--server.headless=true"],
        cwd=root,
        env={
            **os.environ,
            "PYTHONPATH": str(root),
            "BOOKS": f"sqlite:///{made.database}",
            "GONE": str(made.gone),
        },
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        servers.wait_for(lambda: _healthy(made.address), "the books did not open", seconds=60)
        yield made
    finally:
        process.terminate()
        process.wait(20)


@pytest.fixture
def library(server: Library) -> Library:
    """The same with thirty books as new, and everybody allowed in."""
    _as_new(server)
    return server


def _as_new(library: Library) -> None:
    engine = make_engine(f"sqlite:///{library.database}")
    forget(engine)
    create(engine, 30)
    engine.dispose()
    library.gone.unlink(missing_ok=True)


@pytest.fixture(scope="module")
def everybody(browser: Browser, server: Library) -> Iterator[BrowserContext]:
    """One browser for all who visit: with its first page open, it loads and reads Streamlit's scripts for all once."""
    made = browser.new_context(locale="en-GB", reduced_motion="reduce")
    made.new_page().goto(server.address)
    yield made
    made.close()


@pytest.fixture
def visit(everybody: BrowserContext, library: Library) -> Iterator[Callable[..., "Visitor"]]:
    """`visit("?q=x")`: somebody at that address, in a window of their own."""

    def come(query: str = "", width: int = 1400) -> Visitor:
        page = everybody.new_page()
        page.set_viewport_size({"width": width, "height": 1000})
        page.goto(f"{library.address}/{query}")
        return Visitor(page, library).settled()

    yield come
    for page in everybody.pages[1:]:
        page.close()


@dataclass(frozen=True)
class Visitor:
    """Somebody who looks at the books."""

    page: Page
    library: Library

    def settled(self) -> "Visitor":
        """Wait until the script has run."""
        self.page.wait_for_selector('[data-testid="stApp"][data-test-script-state="notRunning"]', timeout=30_000)
        expect(self.page.locator('[data-testid="stSkeleton"]')).to_have_count(0)
        self.page.wait_for_timeout(300)
        return self

    def click(self, column: str, row: int, *, twice: bool = False) -> None:
        """Click into a cell of the table, by the place where it is drawn."""
        box = self.page.locator('[data-testid="stDataFrame"]').first.bounding_box()
        assert box is not None
        x, y = box["x"] + self.middle(column), box["y"] + ROW * (row + 1) + ROW / 2
        (self.page.mouse.dblclick if twice else self.page.mouse.click)(x, y)

    def middle(self, column: str) -> float:
        """How far from the left the middle of a column is."""
        servers.wait_for(lambda: "Name" in self.heads(), "the table is not drawn", seconds=15)
        drawn = [name for name in WIDTHS if name != "lock" or self.heads().index("Name") == 4]
        return sum(WIDTHS[name] for name in drawn[: drawn.index(column)]) + WIDTHS[column] / 2

    def heads(self) -> list[str]:
        """The heads of the columns, as they are read out."""
        heads = self.page.locator('[data-testid="stDataFrame"] [role="columnheader"]')
        return [text.strip() for text in heads.all_text_contents()]

    def type(self, column: str, row: int, text: str) -> "Visitor":
        """Edit a cell."""
        self.click(column, row, twice=True)
        box = self.page.locator("#portal textarea, #portal input").first
        box.fill(text)
        box.press("Enter")
        return self

    def press(self, label: str) -> "Visitor":
        """Click the button of that label."""
        self.page.get_by_role("button", name=label, exact=True).last.click()
        return self

    def dialog(self) -> Any:
        """The open dialog."""
        return self.page.get_by_role("dialog")

    def is_told(self, text: str) -> "Visitor":
        """The text appears."""
        expect(self.page.get_by_text(text).first).to_be_visible()
        return self

    def first(self) -> str:
        """The name in the first row."""
        heads = self.heads()
        cell = self.page.locator(f"#glide-cell-{heads.index('Name') if 'Name' in heads else 0}-0")
        return str(cell.text_content()) if cell.count() else ""


def eventually(true: Callable[[], bool]) -> None:
    """What is said becomes true within some seconds."""
    servers.wait_for(true, "it did not come true", seconds=15)


def _healthy(address: str) -> bool:
    with contextlib.suppress(OSError), urllib.request.urlopen(f"{address}/_stcore/health", timeout=2) as answer:
        return bool(answer.read() == b"ok")
    return False
