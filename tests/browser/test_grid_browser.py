"""The grid in a real browser: edits land on their rows, the address is the view, and two people meet on one row."""

import contextlib
import os
import re
import sqlite3
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from playwright.sync_api import Browser, Page, expect

from crm.store.engine import make_engine
from tests import servers
from tests.grid_example import create, forget

pytestmark = [pytest.mark.browser, pytest.mark.slow]

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
    engine = make_engine(f"sqlite:///{server.database}")
    forget(engine)
    create(engine, 30)
    engine.dispose()
    server.gone.unlink(missing_ok=True)
    return server


@pytest.fixture
def visit(browser: Browser, library: Library) -> Iterator[Callable[..., "Visitor"]]:
    """`visit("?q=x")`: somebody at that address, at a browser of their own."""
    contexts = []

    def come(query: str = "", width: int = 1400) -> Visitor:
        context = browser.new_context(viewport={"width": width, "height": 1000}, locale="en-GB")
        contexts.append(context)
        visitor = Visitor(context.new_page(), library)
        visitor.page.goto(f"{library.address}/{query}")
        return visitor.settled()

    yield come
    for context in contexts:
        context.close()


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


def test_an_edit_is_saved_where_it_was_made_also_after_a_filter_and_another_order(
    visit: Callable[..., Visitor], library: Library
) -> None:
    visitor = visit()

    visitor.type("name", 0, "First").is_told("1 change saved.")
    visitor.page.goto(f"{library.address}/?binding=paper&sort=name")
    visitor.settled().type("name", 1, "Second by name").settled()
    eventually(lambda: library.names(11) == ["Second by name"])

    assert library.names(30, 29) == ["First", "Book 29"]


def test_five_quick_edits_lose_none(visit: Callable[..., Visitor], library: Library) -> None:
    visitor = visit()

    for row in range(5):
        visitor.type("name", row, f"Quick {row}")

    eventually(lambda: library.names(30, 29, 28, 27, 26) == [f"Quick {row}" for row in range(5)])


def test_there_and_back_again_is_two_edits(visit: Callable[..., Visitor], library: Library) -> None:
    visitor = visit()

    visitor.type("name", 0, "There")
    eventually(lambda: library.names(30) == ["There"])
    visitor.settled().type("name", 0, "Book 30")
    eventually(lambda: library.names(30) == ["Book 30"])

    assert library.rows("SELECT version FROM book WHERE id = 30") == [(3,)]


def test_a_refused_cell_says_why_and_shows_what_is_stored(visit: Callable[..., Visitor], library: Library) -> None:
    visitor = visit().type("name", 0, "untitled")

    visitor.is_told("Give the book its real name.")

    eventually(lambda: visitor.first() == "Book 30")
    assert library.names(30) == ["Book 30"]


@pytest.mark.parametrize(("choice", "stored"), [("Keep theirs", "Theirs"), ("Save mine", "Mine")])
def test_the_second_of_two_sees_both_values_and_chooses(
    visit: Callable[..., Visitor], library: Library, choice: str, stored: str
) -> None:
    visitor = visit()
    library.rows("UPDATE book SET name = 'Theirs', version = version + 1 WHERE id = 30")

    visitor.type("name", 0, "Mine").is_told("theirs: Theirs · yours: Mine")
    assert library.names(30) == ["Theirs"]
    visitor.press(choice)

    eventually(lambda: library.names(30) == [stored])
    eventually(lambda: visitor.first() == stored)
    expect(visitor.page.get_by_text("theirs: Theirs")).to_have_count(0)


def test_back_forward_and_reload_return_to_the_view(visit: Callable[..., Visitor], library: Library) -> None:
    page = visit().page
    search = page.get_by_placeholder(re.compile("^Search: Name"))

    search.fill("Book 1")
    search.press("Enter")
    page.wait_for_url("**/?q=Book+1")
    page.get_by_label("Binding").first.click()
    page.get_by_role("option", name="Cloth").click()
    page.wait_for_url("**/?q=Book+1&binding=cloth")

    page.go_back()
    page.wait_for_url("**/?q=Book+1")
    # By its text: while the choices are open nothing else has a role.
    expect(page.get_by_text("Binding: Cloth")).to_have_count(0)
    expect(search).to_have_value("Book 1")
    page.go_back()
    expect(search).to_have_value("")
    page.go_forward()
    expect(search).to_have_value("Book 1")
    page.reload()
    expect(search).to_have_value("Book 1")


def test_back_twice_in_one_breath_is_not_undone_by_what_the_filters_showed(visit: Callable[..., Visitor]) -> None:
    page = visit("?q=Book+1").page
    for number, choice in enumerate(("Cloth", "Paperback"), 1):
        page.get_by_label("Binding").first.click()
        page.get_by_role("option", name=choice).click()
        page.wait_for_function(f"new URLSearchParams(location.search).getAll('binding').length == {number}")

    page.evaluate("addEventListener('popstate', () => history.back(), {once: true}); history.back()")
    expect(page.get_by_text(re.compile("^Binding: "))).to_have_count(0)
    page.wait_for_url("**/?q=Book+1")
    page.go_forward()
    expect(page.get_by_text("Binding: Cloth", exact=True)).to_be_visible()
    page.wait_for_url("**/?q=Book+1&binding=cloth")


def test_a_record_opens_with_one_click_and_back_returns_to_the_list(visit: Callable[..., Visitor]) -> None:
    visitor = visit("?q=Book 1")

    visitor.click("open", 0)
    visitor.is_told("The story of book 19")
    assert "open=19" in visitor.page.url
    visitor.page.go_back()

    expect(visitor.page.get_by_placeholder(re.compile("^Search: Name"))).to_have_value("Book 1")
    visitor.settled().type("name", 0, "Still itself").is_told("1 change saved.")
    assert visitor.library.names(19) == ["Still itself"]


def test_ticked_rows_are_acted_on_and_each_is_accounted_for(visit: Callable[..., Visitor], library: Library) -> None:
    library.rows("UPDATE book SET lent = 1 WHERE id = 29")
    visitor = visit()
    for row in (0, 1, 2):
        visitor.click("tick", row)
        visitor.settled()

    visitor.press("Lend...").is_told("Lend 3 books?")
    visitor.dialog().get_by_label("To whom").fill("Ann")
    visitor.dialog().get_by_role("button", name="Lend", exact=True).click()

    visitor.is_told("2 lent.").is_told("1 was refused:")
    assert library.rows("SELECT id FROM book WHERE note = 'Lent to Ann' ORDER BY id") == [(28,), (30,)]
    visitor.dialog().get_by_role("button", name="Close").last.click()
    visitor.is_told("Tick rows to choose them.")


def test_all_that_match_are_acted_on_and_it_can_be_taken_back(visit: Callable[..., Visitor], library: Library) -> None:
    visitor = visit().press("Tick all on this page").is_told("20 ticked")
    visitor.press("Choose all 30 that match").is_told("All 30 that match are chosen")

    visitor.press("Lend...").is_told("Lend 30 books?")
    visitor.dialog().get_by_label("To whom").fill("Ann")
    visitor.dialog().get_by_role("button", name="Lend", exact=True).click()
    eventually(lambda: library.rows("SELECT count(*) FROM book WHERE lent") == [(30,)])

    visitor.is_told("30 lent.").page.locator(".st-key-books-undo button").click()
    visitor.is_told("30 back on the shelf.")
    assert library.rows("SELECT count(*) FROM book WHERE lent") == [(0,)]


def test_what_matches_is_taken_home_as_a_sheet(visit: Callable[..., Visitor], tmp_path: Path) -> None:
    visitor = visit("?binding=cloth").press("Export").is_told("15 rows match.")
    visitor.dialog().get_by_role("button", name="Export").click()
    visitor.is_told("The file has 15 rows.")

    with visitor.page.expect_download() as download:
        visitor.dialog().get_by_role("button", name="Download").click()

    download.value.save_as(tmp_path / "books.xlsx")
    assert openpyxl.load_workbook(tmp_path / "books.xlsx").active.max_row == 16


def test_the_hand_stays_on_the_keyboard(visit: Callable[..., Visitor], library: Library) -> None:
    page = visit().page
    search = page.get_by_placeholder(re.compile("^Search: Name"))

    page.keyboard.press("/")
    expect(search).to_be_focused()
    page.keyboard.type("Book 7/n")
    expect(search).to_have_value("Book 7/n")
    page.keyboard.press("Escape")
    page.mouse.click(700, 20)
    page.keyboard.press("Alt+n")
    page.get_by_role("dialog").get_by_label("Name *").fill("By keys")
    page.get_by_role("dialog").get_by_label("Pages").fill("7")
    page.keyboard.press("Control+Enter")

    eventually(lambda: library.rows("SELECT name FROM book WHERE id > 30") == [("By keys",)])


def test_a_button_on_a_row_acts_with_one_click(visit: Callable[..., Visitor], library: Library) -> None:
    library.rows("UPDATE book SET lent = 1 WHERE id IN (29, 30)")

    visit().click("return", 1)

    eventually(lambda: library.rows("SELECT id FROM book WHERE lent") == [(30,)])


def test_a_book_is_added_and_a_fault_stands_beside_its_field(visit: Callable[..., Visitor], library: Library) -> None:
    visitor = visit()
    visitor.page.locator(".st-key-books-add button").click()
    dialog = visitor.dialog()

    dialog.get_by_label("Name *").fill("untitled")
    dialog.get_by_label("Pages").fill("12")
    dialog.locator(".st-key-books-add-save button").click()
    visitor.is_told("Give the book its real name.")
    assert dialog.get_by_label("Pages").input_value() == "12"
    dialog.get_by_label("Name *").fill("红楼梦")
    dialog.locator(".st-key-books-add-save button").click()

    visitor.is_told("The book is on its shelf.")
    assert library.rows("SELECT name, pages FROM book WHERE id > 30") == [("红楼梦", 12)]
    assert "add" not in visitor.page.url


def test_a_form_that_is_closed_leaves_the_address(visit: Callable[..., Visitor]) -> None:
    visitor = visit("?q=Book&edit=7")

    visitor.dialog().get_by_label("Close").click()

    expect(visitor.dialog()).to_have_count(0)
    visitor.page.wait_for_url("**/?q=Book")


def test_a_form_saves_what_changed_and_the_second_of_two_chooses(
    visit: Callable[..., Visitor], library: Library
) -> None:
    visitor = visit("?edit=7")
    library.rows("UPDATE book SET name = 'Theirs', version = version + 1 WHERE id = 7")

    visitor.dialog().get_by_label("Name *").fill("Mine")
    visitor.dialog().locator(".st-key-books-edit-save button").click()

    visitor.is_told("theirs: Theirs · yours: Mine").press("Save mine")
    eventually(lambda: library.names(7) == ["Mine"])


def test_who_is_signed_out_meanwhile_saves_nothing(visit: Callable[..., Visitor], library: Library) -> None:
    visitor = visit()
    library.gone.touch()

    visitor.type("name", 0, "Too late").is_told("You are signed out.")

    assert library.names(30) == ["Book 30"]


def test_who_may_only_look_cannot_edit(visit: Callable[..., Visitor], library: Library) -> None:
    visitor = visit("?reader=1")
    box = visitor.page.locator('[data-testid="stDataFrame"]').first.bounding_box()
    assert box is not None

    visitor.page.mouse.dblclick(box["x"] + 120, box["y"] + 50)
    visitor.page.keyboard.type("Mine")
    visitor.page.keyboard.press("Enter")
    visitor.settled()

    assert library.rows("SELECT count(*) FROM book WHERE version > 1") == [(0,)]


def test_nothing_offers_a_file_of_the_table_or_finds_only_what_is_on_the_page(visit: Callable[..., Visitor]) -> None:
    visitor = visit()

    visitor.page.mouse.move(500, 600)

    expect(visitor.page.get_by_role("button", name=re.compile("^Fullscreen")).first).to_be_visible()
    expect(visitor.page.get_by_role("button", name=re.compile("^Download as CSV"))).to_have_count(0)
    expect(visitor.page.get_by_role("button", name=re.compile("^Search: Books"))).to_have_count(0)


def test_nothing_is_wider_than_a_phone(visit: Callable[..., Visitor]) -> None:
    visitor = visit("?binding=cloth&lent=no", width=390)

    assert visitor.page.evaluate("document.documentElement.scrollWidth") <= 390
    assert visitor.page.evaluate("document.querySelector('[data-testid=stMain]').scrollWidth") <= 390


def eventually(true: Callable[[], bool]) -> None:
    """What is said becomes true within some seconds."""
    servers.wait_for(true, "it did not come true", seconds=15)


def _healthy(address: str) -> bool:
    with contextlib.suppress(OSError), urllib.request.urlopen(f"{address}/_stcore/health", timeout=2) as answer:
        return bool(answer.read() == b"ok")
    return False
