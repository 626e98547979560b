"""Forms, locks and undo in a real browser."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from tests.browser.books import Library, Visitor, eventually

# Its label ends with the keys that press it.
SAVE = ".st-key-books-add-save button, .st-key-books-edit-save button"

pytestmark = [pytest.mark.browser, pytest.mark.slow]


def test_a_form_finds_what_it_refers_to_makes_what_is_missing_and_goes_on_to_the_next(
    visit: Callable[..., Visitor], library: Library
) -> None:
    visitor = visit("?add")
    dialog = visitor.dialog()
    save, another = dialog.locator(SAVE), dialog.get_by_role("button", name="Save and add another")

    save.click()
    visitor.is_told("2 fields need attention: Name, ISBN")
    dialog.get_by_label("Name *").fill("Emma")
    dialog.get_by_placeholder("Find by: Name, ISBN").fill("Book 17")
    dialog.get_by_placeholder("Find by: Name, ISBN").press("Enter")
    visitor.is_told("1 found. Choose it above.").settled()
    dialog.get_by_role("button", name="New author").click()
    dialog.get_by_label("Name *").nth(1).fill("J. Austen")
    dialog.get_by_role("button", name="Add and choose").click()
    expect(dialog.get_by_role("button", name="New author")).to_be_visible()
    visitor.settled()
    dialog.get_by_label("Pages (*)").fill("400")
    another.click()

    visitor.is_told("The book is on its shelf.")
    expect(visitor.settled().dialog().get_by_label("Name *")).to_have_value("")
    assert library.rows(
        "SELECT book.name, pages, sequel_to_id, shelf_code, author.name FROM book "
        "JOIN bookauthor ON book_id = book.id JOIN author ON author.id = author_id WHERE book.id > 30"
    ) == [("Emma", 400, 17, 1002, "J. Austen")]
    dialog.get_by_label("Name *").fill("Never")
    dialog.get_by_role("button", name="Cancel").click()
    expect(visitor.dialog()).to_have_count(0)
    assert library.rows("SELECT count(*) FROM book") == [(31,)]
    assert "add" not in visitor.page.url


def test_the_last_save_is_taken_back(visit: Callable[..., Visitor], library: Library) -> None:
    visitor = visit().type("name", 0, "By mistake").is_told("1 change saved.")

    visitor.settled().press("Undo the save")

    visitor.is_told("1 change undone.")
    eventually(lambda: library.names(30) == ["Book 30"])
    eventually(lambda: visitor.first() == "Book 30")
    expect(visitor.page.get_by_role("button", name="Undo the save", exact=True)).to_be_disabled()


def test_a_closed_row_says_why_and_returns_to_its_value(visit: Callable[..., Visitor], library: Library) -> None:
    library.rows("UPDATE book SET lent = 1 WHERE id = 30")
    visitor = visit()

    visitor.click("lock", 0)
    visitor.is_told(re.compile("Name.*Book 30 is lent. It can be edited once it is back."))
    visitor.settled().type("name", 0, "Mine")

    visitor.is_told("Not saved:")
    eventually(lambda: visitor.first() == "Book 30")
    assert library.names(30) == ["Book 30"]


def test_a_lock_that_comes_and_goes_takes_no_edit_along(visit: Callable[..., Visitor], library: Library) -> None:
    visitor = visit().type("name", 0, "One").is_told("1 change saved.")
    assert visitor.settled().heads()[:4] == ["✓", "", "", "Name"]

    library.rows("UPDATE book SET lent = 1 WHERE id = 28")
    visitor.type("name", 1, "Two")
    eventually(lambda: visitor.heads()[:5] == ["✓", "", "", "", "Name"])
    visitor.settled().type("name", 0, "Three")
    eventually(lambda: library.names(30, 29) == ["Three", "Two"])
    library.rows("UPDATE book SET lent = 0 WHERE id = 28")
    visitor.settled().type("name", 2, "Four")
    eventually(lambda: library.names(30, 29, 28) == ["Three", "Two", "Four"])

    assert visitor.settled().heads()[:5] == ["✓", "", "", "", "Name"]
    visitor.page.reload()
    eventually(lambda: visitor.heads()[:4] == ["✓", "", "", "Name"])


def test_each_contested_cell_is_decided_by_itself(visit: Callable[..., Visitor], library: Library) -> None:
    visitor = visit("?edit=7")
    library.rows("UPDATE book SET name = 'Theirs', pages = 1, version = version + 1 WHERE id = 7")

    visitor.dialog().get_by_label("Name *").fill("Mine")
    visitor.dialog().get_by_label("Pages").fill("2")
    visitor.dialog().locator(SAVE).click()
    visitor.is_told("theirs: Theirs · yours: Mine").is_told("theirs: 1 · yours: 2")
    visitor.settled().page.get_by_role("button", name="Keep theirs").first.click()
    expect(visitor.page.get_by_text("theirs: Theirs")).to_have_count(0)
    visitor.settled().press("Save mine")

    eventually(lambda: library.rows("SELECT name, pages FROM book WHERE id = 7") == [("Theirs", 2)])
