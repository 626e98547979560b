"""Edits land on their rows in a real browser, and two people meet on one cell."""

from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from tests.browser.books import Library, Visitor, eventually

pytestmark = [pytest.mark.browser, pytest.mark.slow]


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
