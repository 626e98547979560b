"""Actions, their account and their undo, and taking rows home, in a real browser."""

from collections.abc import Callable
from pathlib import Path

import openpyxl
import pytest

from tests.browser.books import Library, Visitor, eventually

pytestmark = [pytest.mark.browser, pytest.mark.slow]


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


def test_an_address_asks_whether_a_row_goes_and_what_went_comes_back(
    visit: Callable[..., Visitor], library: Library
) -> None:
    visitor = visit("?sort=name&delete=30").is_told("Delete 1 row?")
    assert library.rows("SELECT deleted_at FROM book WHERE id = 30") == [(None,)]

    visitor.dialog().get_by_role("button", name="Delete", exact=True).click()
    visitor.is_told("1 deleted.")
    assert library.rows("SELECT id FROM book WHERE deleted_at IS NOT NULL") == [(30,)]
    assert visitor.page.url.endswith("?sort=name")

    visitor.page.locator(".st-key-books-undo button").click()
    eventually(lambda: library.rows("SELECT count(*) FROM book WHERE deleted_at IS NULL") == [(30,)])


def test_what_matches_is_taken_home_as_a_sheet(visit: Callable[..., Visitor], tmp_path: Path) -> None:
    visitor = visit("?binding=cloth").press("Export").is_told("15 rows match.")
    visitor.dialog().get_by_role("button", name="Export").click()
    visitor.is_told("The file has 15 rows.")

    with visitor.page.expect_download() as download:
        visitor.dialog().get_by_role("button", name="Download").click()

    download.value.save_as(tmp_path / "books.xlsx")
    assert openpyxl.load_workbook(tmp_path / "books.xlsx").active.max_row == 16


def test_a_button_on_a_row_acts_with_one_click(visit: Callable[..., Visitor], library: Library) -> None:
    library.rows("UPDATE book SET lent = 1 WHERE id IN (29, 30)")

    visit().click("return", 1)

    eventually(lambda: library.rows("SELECT id FROM book WHERE lent") == [(30,)])
