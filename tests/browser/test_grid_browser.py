"""The address is the view, the hand stays on the keyboard, and forms, in a real browser."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from tests.browser.books import Library, Visitor, eventually

pytestmark = [pytest.mark.browser, pytest.mark.slow]


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


def test_choices_picked_in_one_breath_all_hold_though_their_counts_change(visit: Callable[..., Visitor]) -> None:
    page = visit().page

    for label, choice in (("Binding", "Cloth"), ("Lent", "No"), ("Binding", "Paperback")):
        page.get_by_label(label).first.click()
        page.get_by_role("option", name=choice).click()

    page.wait_for_function("location.search == '?binding=cloth&binding=paper&lent=no'")
    expect(page.get_by_text("Binding: Cloth, Paperback", exact=True)).to_be_visible()
    expect(page.get_by_text(re.compile("No rows are shown"))).to_have_count(0)


def test_a_record_opens_with_one_click_and_back_returns_to_the_list(visit: Callable[..., Visitor]) -> None:
    visitor = visit("?q=Book 1")

    visitor.click("open", 0)
    visitor.is_told("The story of book 19")
    assert "open=19" in visitor.page.url
    visitor.page.go_back()

    expect(visitor.page.get_by_placeholder(re.compile("^Search: Name"))).to_have_value("Book 1")
    visitor.settled().type("name", 0, "Still itself").is_told("1 change saved.")
    assert visitor.library.names(19) == ["Still itself"]


def test_the_hand_stays_on_the_keyboard(visit: Callable[..., Visitor], library: Library) -> None:
    page = visit().page
    search = page.get_by_placeholder(re.compile("^Search: Name"))

    def leads() -> bool:
        page.keyboard.press("/")
        return bool(search.evaluate("box => box === document.activeElement"))

    # The listener comes with a script of its own, a moment after the page.
    eventually(leads)
    page.keyboard.type("Book 7/n")
    expect(search).to_have_value("Book 7/n")
    page.keyboard.press("Escape")
    page.mouse.click(700, 20)
    page.keyboard.press("Alt+n")
    page.get_by_role("dialog").get_by_label("Name *").fill("By keys")
    page.get_by_role("dialog").get_by_label("Pages").fill("7")
    page.keyboard.press("Control+Enter")

    eventually(lambda: library.rows("SELECT name FROM book WHERE id > 30") == [("By keys",)])


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
