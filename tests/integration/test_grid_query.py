"""The view as SQL on both databases: search, filters, order, pages and a count that ends."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import parse_qs
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine
from sqlmodel import Session

from crm.grid import AnyOf, NumberRange, Related, Search, Site, query
from crm.grid.conditions import Presence
from crm.grid.counts import counted
from crm.grid.query import Page, read_page
from crm.grid.view import read_view
from crm.rbac import Actor
from tests.grid_example import BOOKS, LIBRARIAN, NOW, Binding, a_book, session_on, site

SHANGHAI = ZoneInfo("Asia/Shanghai")


@pytest.fixture
def books(engine: Engine) -> Iterator[Session]:
    """Twelve books, and three with something special each."""
    with session_on(engine, 12) as session:
        session.add(a_book(21, name="100% Water_proof", isbn="9781234567890", binding=None, shelf_code=None))
        session.add(a_book(22, name="三国演义", pages=None, lent=True, added_at=NOW))
        session.add(a_book(23, name="Waterproof", isbn="9789999999999", shelf_code=1003))
        session.flush()
        yield session


def page(session: Session, url: str, config: Any = BOOKS, actor: Actor = LIBRARIAN) -> Page:
    """The page that the address shows, its rows by key."""
    found = read_page(config, session, actor, read_view(config, parse_qs(url)), SHANGHAI)
    return replace(found, rows=[row.id for row in found.rows])


def test_the_order_is_the_declared_one_with_the_key_for_ties(books: Session):
    books.add_all([a_book(30, added_at=NOW), a_book(31, added_at=NOW)])

    assert page(books, "").rows[:4] == [31, 30, 22, 23]


@pytest.mark.parametrize(
    ("url", "rows"),
    [
        ("q=waterproof", {23}),
        ("q=water_proof", {21}),
        ("q=100%25", {21}),
        ("q=%25", {21}),
        ("q=三国", {22}),
        ("q=978123", {21}),
        ("q=1234567", set()),
        ("q=shelf 3", {23}),
        ("q=%5C", set()),
        ("q=' or 1=1 --", set()),
    ],
)
def test_a_search_looks_into_each_field_as_declared(books: Session, url: str, rows: set[int]):
    assert set(page(books, url).rows) == rows


@pytest.mark.parametrize(
    ("url", "rows"),
    [
        ("binding=none", {21}),
        ("binding=none&binding=cloth", {2, 4, 6, 8, 10, 12, 21, 22}),
        ("binding=cloth&shelf=1001", {6, 12}),
        ("binding=some&pages=..20", {1, 2}),
        ("binding=none&binding=some&lent=yes", {22}),
        ("shelf=none&shelf=1003", {21, 23}),
        ("shelf=some&pages=210..", {23}),
        ("pages=none", {22}),
        ("pages=some&lent=yes", set()),
        ("lent=yes", {22}),
        ("pages=110..", {11, 12, 21, 23}),
        ("pages=..20", {1, 2}),
        ("added_at=2026-05-20..2026-05-20", {22}),
        ("added_at=2026-05-21..", set()),
        ("binding=cloth&q=book 1", {10, 12}),
        ("shelf=4711", set()),
    ],
)
def test_filters_combine_with_and_and_their_choices_with_or(books: Session, url: str, rows: set[int]):
    assert set(page(books, url).rows) == rows


def test_what_a_path_leads_to_is_empty_also_where_a_step_is(books: Session):
    books.add(a_book(50, sequel_to_id=21))
    books.add(a_book(51, sequel_to_id=23))
    before = AnyOf("before", field="sequel_to_id.binding")
    config = replace(BOOKS, filters=(before, NumberRange("more", field="sequel_to_id.pages")))

    assert page(books, "before=some", config).rows == [51]
    assert page(books, "before=some&more=some", config).rows == [51]
    assert set(page(books, "before=none&before=paper", config).rows) == {*range(1, 13), 21, 22, 23, 50, 51}
    assert 50 in page(books, "before=none", config).rows
    assert page(books, "more=none&before=some", config).rows == []


def test_two_filters_of_one_field_both_hold(books: Session):
    config = replace(BOOKS, filters=(NumberRange("pages"), NumberRange("at_most", field="pages")))

    assert set(page(books, "pages=30..&at_most=..40", config).rows) == {3, 4}


def test_money_is_filtered_in_units_and_held_in_cents(books: Session):
    priced = Site(words=site.words).register(replace(BOOKS, name="priced", filters=(NumberRange("price"),)))
    books.add(a_book(50, price=250))

    assert set(page(books, "price=2..3", priced).rows) == {2, 3, 50}
    assert set(page(books, "price=2.01..2.50", priced).rows) == {50}
    assert page(books, "price=0.01..0.99", priced).rows == []


def test_a_relation_can_stand_in_the_address_by_another_unique_field(books: Session):
    books.add(a_book(50, sequel_to_id=21))
    after = Related("after", field="sequel_to_id", key="isbn")
    config = replace(BOOKS, filters=(after,))

    assert page(books, "after=9781234567890", config).rows == [50]
    assert page(books, "after=none&q=book 5", config).rows == [5]
    assert after.listed(books, LIBRARIAN, BOOKS.model)["9789999999999"] == "Waterproof"


def counts(session: Session, url: str, config: Any = BOOKS, actor: Actor = LIBRARIAN) -> dict[str, dict[str, int]]:
    """What stands beside the choices at that address, zeros aside."""
    view = read_view(config, parse_qs(url))
    found = read_page(config, session, actor, view, SHANGHAI)
    made = counted(config, session, actor, view, SHANGHAI, found)
    return {name: {key: count for key, count in each.items() if count} for name, each in made.items()}


def test_choices_are_counted_over_what_search_and_the_other_filters_leave(books: Session):
    assert counts(books, "binding=cloth&pages=..50") == {
        "binding": {"paper": 3, "cloth": 2, "some": 5},
        "lent": {"no": 2, "some": 2},
        "shelf": {"1002": 2, "some": 2},
    }
    found = counts(books, "shelf=1001&binding=none&binding=paper")
    assert found["shelf"] == {"1001": 2, "1002": 4, "1003": 1, "none": 1, "some": 7}


def test_choices_are_counted_within_reach(books: Session):
    keeper = Actor(account_id=3, name="keeper", department=1003)

    assert counts(books, "", actor=keeper)["shelf"] == {"1003": 1, "some": 1}


def test_choices_of_a_path_and_of_another_key_are_counted(books: Session):
    books.add(a_book(50, sequel_to_id=21))
    before, after = AnyOf("before", field="sequel_to_id.binding"), Related("after", field="sequel_to_id", key="isbn")

    found = counts(books, "", replace(BOOKS, filters=(before, after)))

    assert found == {"before": {"none": 16}, "after": {"9781234567890": 1, "none": 15, "some": 1}}


@dataclass(frozen=True)
class Thick(AnyOf):
    """A filter with a condition of its own."""

    def where(self, value: Any, model: Any, zone: ZoneInfo) -> Any:
        return super().where(value, model, zone)


def test_choices_that_are_no_values_of_the_field_are_not_counted_nor_asked_to_be_empty(books: Session):
    plain, own = AnyOf("binding"), Thick("thick", field="binding")

    assert set(counts(books, "", replace(BOOKS, filters=(plain, own)))) == {"binding"}
    assert (plain.presence(BOOKS.model), own.presence(BOOKS.model)) == (tuple(Presence), ())


def test_where_many_match_no_choice_is_counted(books: Session, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("crm.grid.counts.COUNTED", 8)

    assert counts(books, "") == {}
    assert set(counts(books, "binding=cloth")) == {"lent", "shelf"}
    assert counts(books, "binding=gold") == {}


def test_of_a_large_table_what_is_counted_is_what_was_found_anyway(books: Session, monkeypatch: pytest.MonkeyPatch):
    small = counts(books, "binding=cloth&q=book 1")
    monkeypatch.setattr(query, "EXACT", 0)

    large = counts(books, "binding=cloth&q=book 1")

    assert large == {name: small[name] for name in ("lent", "shelf")} != {}


def test_days_of_a_filter_are_days_of_the_school(books: Session):
    from datetime import UTC, datetime

    books.add(a_book(40, added_at=datetime(2026, 6, 1, 16, 0, tzinfo=UTC)))  # 00:00 on 2 June in Shanghai

    assert page(books, "added_at=2026-06-02..2026-06-02").rows == [40]
    assert page(books, "added_at=2026-06-01..2026-06-01").rows == []


def test_a_view_that_cannot_be_read_shows_nothing(books: Session):
    assert page(books, "binding=gold") == Page([], 0, False, 1)


def test_what_the_scope_leaves_out_no_view_brings_back(books: Session):
    keeper = Actor(account_id=3, name="keeper", department=1003)

    assert page(books, "", actor=keeper).rows == [23]
    assert page(books, "shelf=1001&shelf=1003", actor=keeper).rows == [23]
    assert page(books, "q=book", actor=keeper).rows == []


GARBAGE = st.one_of(
    st.text(max_size=20),
    st.from_regex(r"[-0-9.eE_]{0,25}", fullmatch=True),
    st.from_regex(r"[0-9]{4}-[0-9]{2}-[0-9]{2}\.\.([0-9]{4}-[0-9]{2}-[0-9]{2})?", fullmatch=True),
    st.sampled_from(["none", "yes", "\x00", "1" * 30, "-1..1", "nan..inf", "0001-01-01..9999-12-31", "%_\\"]),
)
KEYS = st.sampled_from(["q", "sort", "page", "size", *(one.name for one in BOOKS.filters)])


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(url=st.dictionaries(KEYS, st.lists(GARBAGE, min_size=1, max_size=2), max_size=3))
def test_whatever_the_address_says_the_database_gets_a_query_it_understands(books: Session, url: dict[str, list[str]]):
    config = replace(BOOKS, search=(*BOOKS.search, Search("pages", match="exact")))
    view = read_view(config, url)

    found = read_page(config, books, LIBRARIAN, view, SHANGHAI)

    assert not (view.unread and found.rows)


def test_what_is_typed_is_tidied_as_declared(books: Session):
    config = replace(BOOKS, search=(Search("isbn", match="exact", tidy=lambda text: text.replace("-", "")),))

    assert page(books, "q=978-1-2345-6789-0", config).rows == [21]
    assert page(books, "q=---", config).rows == []


def test_pages_share_no_row_and_miss_none(books: Session):
    config = replace(BOOKS, page_sizes=(4,))

    pages = [page(books, f"sort=binding&page={number}", config) for number in (1, 2, 3, 4)]

    assert sorted(row for one in pages for row in one.rows) == [*range(1, 13), 21, 22, 23]
    assert {one.total for one in pages} == {15}


def test_a_page_beyond_the_last_is_the_last(books: Session):
    found = page(books, "page=99", replace(BOOKS, page_sizes=(4,)))

    assert (found.number, len(found.rows)) == (4, 3)


def test_a_large_table_is_counted_to_the_cap(books: Session, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(query, "EXACT", 5)
    config = replace(BOOKS, cap=10, page_sizes=(4,))

    many, few = page(books, "", config), page(books, "binding=cloth", config)

    assert (many.total, many.more, query.last_page(many, 4)) == (10, True, 3)
    assert (few.total, few.more, query.last_page(few, 4)) == (7, False, 2)


@pytest.mark.parametrize("url", ["", "binding=paper", "sort=name", "sort=-pages&q=o", "lent=no&sort=binding&page=2"])
@pytest.mark.parametrize("cap", [1, 3, 1000])
def test_a_large_table_shows_the_same_rows_as_a_small_one(
    books: Session, monkeypatch: pytest.MonkeyPatch, url: str, cap: int
):
    config = replace(BOOKS, cap=cap, page_sizes=(4,))
    small = page(books, url, config).rows
    monkeypatch.setattr(query, "EXACT", 0)

    assert page(books, url, config).rows == small


def test_a_page_beyond_the_count_can_be_turned_to(books: Session, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(query, "EXACT", 0)
    config = replace(BOOKS, cap=4, page_sizes=(4,))

    assert len(page(books, "page=3", config).rows) == 4
    assert page(books, "page=99", config).number == 1


def test_choices_of_a_relation_are_rows_by_name_with_the_key_that_is_referred_to(books: Session):
    shelf = next(one for one in BOOKS.filters if one.name == "shelf")

    offered = shelf.offered(books, LIBRARIAN, BOOKS.model)  # type: ignore[attr-defined]

    assert {key: str(label) for key, label in offered.items()} == {
        1001: "Shelf 1",
        1002: "Shelf 2",
        1003: "Shelf 3",
        Presence.EMPTY: "(is empty)",
        Presence.SOME: "(is not empty)",
    }


def test_choices_of_an_enum_carry_their_labels(books: Session):
    binding = BOOKS.filters[0]

    offered = binding.offered(books, LIBRARIAN, BOOKS.model)  # type: ignore[attr-defined]

    assert [(key, str(label)) for key, label in offered.items()] == [
        (Binding.PAPER, "Paperback"),
        (Binding.CLOTH, "Cloth"),
        (Binding.LEATHER, "Leather"),
        (Presence.EMPTY, "(is empty)"),
        (Presence.SOME, "(is not empty)"),
    ]
