"""The view in the URL: read by typed parsers, written so that reading it back gives the same."""

from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crm.grid import NumberRange
from crm.grid.conditions import Presence
from crm.grid.saved import from_query, to_query
from crm.grid.site import Site
from crm.grid.view import View, owns, read_view, write_view
from tests.grid_example import BOOKS, Binding, site

PLAIN = View(sort="-added_at", size=20)

DAYS = st.dates(date(2000, 1, 1), date(2100, 1, 1))
FILTERS = st.fixed_dictionaries(
    {},
    optional={
        "binding": st.lists(st.sampled_from([*Binding, *Presence]), min_size=1, unique=True).map(tuple),
        "lent": st.lists(st.booleans(), min_size=1, unique=True).map(tuple),
        "shelf": st.lists(st.one_of(st.sampled_from(Presence), st.integers(1, 9999)), min_size=1, unique=True).map(
            tuple
        ),
        "pages": st.one_of(st.tuples(st.integers(0, 50), st.integers(51, 99)), st.sampled_from(Presence)),
        "added_at": st.one_of(
            st.tuples(DAYS, st.none()),
            st.tuples(st.none(), DAYS),
            st.tuples(DAYS, DAYS).map(lambda d: tuple(sorted(d))),
        ),
    },
)
VIEWS = st.builds(
    View,
    search=st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=30).map(str.strip),
    filters=FILTERS,
    sort=st.sampled_from(["-added_at", "name", "-pages"]),
    page=st.integers(1, 999),
    size=st.sampled_from([20, 50]),
)


@given(view=VIEWS)
def test_what_is_written_is_read_back(view: View):
    assert read_view(BOOKS, write_view(BOOKS, view)) == view


def test_an_empty_address_is_the_plain_view():
    assert read_view(BOOKS, {}) == PLAIN
    assert write_view(BOOKS, PLAIN) == {}


def test_a_code_in_the_address_is_a_code():
    view = read_view(BOOKS, {"shelf": ["1002", "none"]})

    assert view.filters == {"shelf": (1002, Presence.EMPTY)}


@pytest.mark.parametrize(
    ("key", "value", "why"),
    [
        ("binding", "gold", "gold is not a choice of this filter."),
        ("binding", "", " is not a choice of this filter."),
        ("lent", "none", "none is not a choice of this filter."),
        ("lent", "some", "some is not a choice of this filter."),
        ("added_at", "none", "none is not a range of dates like 2026-01-01..2026-01-31."),
        ("shelf", "top", "top is not a choice of this filter."),
        ("pages", "10", "10 is not a range of numbers like 10..20."),
        ("shelf", "9" * 16, f"{'9' * 16} is not a choice of this filter."),
        ("shelf", "1_0", "1_0 is not a choice of this filter."),
        ("pages", "1e3..", "1e3.. is not a range of numbers like 10..20."),
        ("pages", "200..100", "200..100 ends before it begins."),
        ("pages", "..", ".. is not a range of numbers like 10..20."),
        ("added_at", "today..", "today.. is not a range of dates like 2026-01-01..2026-01-31."),
        ("added_at", "2026-02-30..", "2026-02-30.. is not a range of dates like 2026-01-01..2026-01-31."),
        ("shelf", "99999999999", "99999999999 is not a choice of this filter."),
        ("pages", "1..99999999999", "1..99999999999 is not a range of numbers like 10..20."),
        ("added_at", "0001-01-01..", "0001-01-01.. is not a range of dates like 2026-01-01..2026-01-31."),
        ("added_at", "..9999-12-31", "..9999-12-31 is not a range of dates like 2026-01-01..2026-01-31."),
        ("added_at", "2026-02-01..2026-01-01", "2026-02-01..2026-01-01 ends before it begins."),
        ("sort", "days", "This table cannot be sorted by days."),
        ("sort", "isbn; drop table book", "This table cannot be sorted by isbn; drop table book."),
        ("page", "0", "0 is not a number from 1."),
        ("page", "²", "² is not a number from 1."),
        ("size", "1000000", "This table has no page size 1,000,000."),
        ("q", "x" * 101, "A search has at most 100 characters."),
    ],
)
def test_a_value_that_cannot_be_read_is_told_and_kept(key: str, value: str, why: str):
    view = read_view(BOOKS, {key: [value]})

    assert {name: str(unread.why) for name, unread in view.unread.items()} == {key: why}
    assert write_view(BOOKS, view)[key] == [value]


PRICED = replace(BOOKS, name="priced", prefix="p_", filters=(NumberRange("price"),))


@pytest.mark.parametrize(
    ("written", "ends", "back"),
    [
        ("1..5", (1, 5), "1..5"),
        ("1.50..", (1.5, None), "1.5.."),
        ("..0.05", (None, 0.05), "..0.05"),
        ("-3..3", (-3, 3), "-3..3"),
    ],
)
def test_an_amount_of_money_is_asked_for_as_the_column_shows_it(written: str, ends: tuple[Any, Any], back: str):
    priced = Site(words=site.words).register(PRICED)

    view = read_view(priced, {"p_price": [written]})

    assert view.filters == {"price": ends}
    assert write_view(priced, view) == {"p_price": [back]}


@pytest.mark.parametrize("wrong", ["1.005..", "5..1", "..99999999", "1e3..", "nan..", "..inf", "五..", "1..2..3"])
def test_an_amount_that_cannot_be_is_no_filter(wrong: str):
    priced = Site(words=site.words).register(PRICED)

    assert set(read_view(priced, {"p_price": [wrong]}).unread) == {"price"}


BEGINS = (
    Site(words=site.words)
    .register(replace(BOOKS, name="begun", begins="added_at=..today"))
    .at(datetime(2026, 5, 19, 20, tzinfo=UTC), ZoneInfo("Asia/Shanghai"))
)
"""Narrowed at first. In Shanghai it is the twentieth already."""
TODAY = date(2026, 5, 20)


@pytest.mark.parametrize("url", [{}, {"page": ["1"]}, {"size": ["20"]}, {"tab": ["list"]}])
def test_an_address_that_narrows_nothing_is_narrowed_as_the_table_begins(url: dict[str, list[str]]):
    view = read_view(BEGINS, url)

    assert view.filters == {"added_at": (None, TODAY)}
    assert write_view(BEGINS, view) == {}


@pytest.mark.parametrize("url", [{"lent": ["yes"]}, {"q": ["Emma"]}, {"added_at": ["any"]}])
def test_an_address_that_narrows_or_says_that_nothing_does_is_all_there_is(url: dict[str, list[str]]):
    view = read_view(BEGINS, url)

    assert "added_at" not in view.filters and not view.unread
    assert write_view(BEGINS, view) == url


def test_what_a_table_begins_with_is_cleared_for_good_and_kept_beside_another_filter():
    first = read_view(BEGINS, {})

    assert write_view(BEGINS, first.filtered("added_at", None)) == {"added_at": ["any"]}
    assert write_view(BEGINS, first.filtered("lent", (True,))) == {"lent": ["yes"], "added_at": ["..today"]}


@given(view=VIEWS)
def test_what_is_written_of_a_table_that_begins_narrowed_is_read_back(view: View):
    assert read_view(BEGINS, write_view(BEGINS, view)) == view


@given(view=VIEWS)
def test_a_kept_view_names_all_of_it_whatever_the_table_begins_with(view: View):
    assert to_query(BEGINS, view) == to_query(BOOKS, view)
    assert from_query(BEGINS, to_query(BOOKS, view), 20) == replace(view, page=1, size=20)


def test_today_in_the_address_is_the_day_it_is_there_and_stays_the_word():
    view = read_view(BEGINS, {"added_at": ["2026-05-01..today"]})

    assert view.filters == {"added_at": (date(2026, 5, 1), TODAY)}
    assert write_view(BEGINS, view) == {"added_at": ["2026-05-01..today"]}
    assert to_query(BEGINS, read_view(BEGINS, {})) == "added_at=..today"


def test_what_cannot_be_read_where_a_table_begins_narrowed_is_told():
    assert set(read_view(BEGINS, {"added_at": ["any", "tomorrow.."]}).unread) == {"added_at"}
    assert set(read_view(BEGINS, {"added_at": ["any", "any"]}).unread) == {"added_at"}
    assert set(read_view(BEGINS, {"lent": ["any"]}).unread) == {"lent"}


def test_what_cannot_be_read_outlives_other_changes_until_it_is_cleared():
    view = read_view(BOOKS, {"binding": ["gold"]})

    other = view.filtered("lent", (True,))

    assert "binding" in other.unread
    assert not other.filtered("binding", (Binding.CLOTH,)).unread


def test_a_search_never_holds_what_no_database_takes():
    assert read_view(BOOKS, {"q": ["\x00 Emma\x00 "]}).search == "Emma"


FIELDS = ["price", "isbn", "version", "shelf_code", "id"]
COMPUTED = ["days"]
DOTTED = ["shelf_code.name", "shelf_code.code", "shelf.name", "price__gte", "binding[]", "days.x"]
NEARLY = ["bindng", "Binding", "shef", "lentt", "added_att"]


@pytest.mark.parametrize("key", [*FIELDS, *COMPUTED, *DOTTED, *NEARLY])
def test_what_no_filter_declares_never_becomes_one_nor_an_unfiltered_list(key: str):
    view = read_view(BOOKS, {key: ["1"]})

    assert {name: str(unread.why) for name, unread in view.unread.items()} == {key: f"This table has no filter {key}."}
    assert set(write_view(BOOKS, view)) == {key}
    assert owns(BOOKS, key)


@pytest.mark.parametrize("key", ["utm_source", "lang", "tab", "day", "month", "class", "homework", "r_binding"])
def test_a_key_of_the_page_is_none_of_the_tables_business(key: str):
    """What pages keep in the address beside a table, and what a table with a prefix of its own does."""
    tables = Site(words=site.words)
    books = tables.register(BOOKS)
    tables.register(replace(BOOKS, name="read", prefix="r_"))

    assert read_view(books, {key: ["x"]}) == PLAIN
    assert not owns(books, key)


@pytest.mark.parametrize("key", ["anything", "tab", "days", "bindng"])
def test_every_key_under_the_prefix_of_a_table_is_its_own(key: str):
    second = replace(BOOKS, prefix="r_")

    view = read_view(second, {f"r_{key}": ["1"]})

    assert {name: str(unread.why) for name, unread in view.unread.items()} == {key: f"This table has no filter {key}."}
    assert owns(second, f"r_{key}")
    assert read_view(second, {key: ["1"]}) == PLAIN
    assert not owns(second, key)


def test_a_filter_that_changes_leads_back_to_the_first_page():
    view = read_view(BOOKS, {"page": ["7"]}).filtered("lent", (True,))

    assert (view.page, view.narrowed) == (1, True)
    assert not view.filtered("lent", None).narrowed
