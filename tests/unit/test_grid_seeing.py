"""What of a table somebody gets to see, and a view as it is kept under a name."""

from dataclasses import replace

import pytest
from hypothesis import given

from crm.grid import Column, NumberRange
from crm.grid.filters import Unparsable
from crm.grid.saved import from_query, to_query
from crm.grid.seeing import hidden, may_hide, seen_by, visible
from crm.grid.view import View, read_view, sort_fields
from crm.i18n import says
from crm.rbac import Reach
from tests.grid_example import BOOKS, LIBRARIAN, READER
from tests.unit.test_grid_view import VIEWS

PRICED = replace(BOOKS, filters=(*BOOKS.filters, NumberRange("cost", field="price")), search=("name", "price"))


def test_who_may_not_see_a_column_neither_filters_sorts_nor_searches_by_it():
    seen = seen_by(PRICED, READER)

    assert [one.name for one in seen.filters] == [one.name for one in BOOKS.filters]
    assert seen.search == ("name",)
    assert "price" in sort_fields(PRICED)
    assert "price" not in sort_fields(seen)
    assert "price" not in sort_fields(seen_by(replace(PRICED, sorts=("name", "price")), READER))
    assert seen_by(PRICED, LIBRARIAN) is PRICED


@pytest.mark.parametrize(
    ("opens", "sees", "drawn"),
    [
        (Reach.ALL, Reach.ALL, True),
        (Reach.OWN, Reach.OWN, True),
        (Reach.OWN, Reach.ALL, True),
        (Reach.ALL, Reach.DEPARTMENT, False),
        (Reach.ALL, Reach.OWN, False),
        (Reach.ALL, None, False),
    ],
)
def test_a_column_is_seen_by_whoever_may_see_it_in_every_row_that_they_open(
    opens: Reach, sees: Reach | None, drawn: bool
):
    grants = {BOOKS.permission: opens} | ({"books.price": sees} if sees else {})
    somebody = replace(READER, grants=grants)

    assert ("price" in [column.name for column in visible(BOOKS, somebody)]) is drawn


def test_a_filter_that_somebody_does_not_have_is_refused_in_the_address():
    view = read_view(seen_by(PRICED, READER), {"cost": ["1..2"], "sort": ["price"]}, ["cost"])

    assert {key: str(unread.why) for key, unread in view.unread.items()} == {
        "cost": "This table has no filter cost.",
        "sort": "This table cannot be sorted by price.",
    }


@given(view=VIEWS)
def test_a_view_is_kept_without_page_and_size_whatever_the_prefix(view: View):
    kept = to_query(replace(BOOKS, prefix="del_"), view)

    assert from_query(replace(BOOKS, prefix="x_"), kept, 50) == replace(view, page=1, size=50)
    assert to_query(BOOKS, replace(view, page=1)) == kept


@pytest.mark.parametrize("query", ["cost=1..2", "price=7", "page=2", "open=3", "binding=cloth&colour=red"])
def test_a_kept_filter_that_the_table_does_not_have_is_refused_not_left_out(query: str):
    with pytest.raises(Unparsable, match="which this table does not have for you"):
        from_query(seen_by(PRICED, READER), query, 20)


def test_a_kept_value_that_means_nothing_any_more_shows_no_row():
    view = from_query(BOOKS, "binding=gold&lent=no", 20)

    assert {key: str(unread.why) for key, unread in view.unread.items()} == {
        "binding": "gold is not a choice of this filter."
    }
    with pytest.raises(Unparsable, match="Clear what is wrong first"):
        to_query(BOOKS, view)


def test_columns_are_hidden_as_chosen_else_as_declared():
    config = replace(BOOKS, columns=(*BOOKS.columns[:-1], replace(BOOKS.columns[-1], hidden=True)))

    assert hidden(config, LIBRARIAN, {}) == {"isbn"}
    assert hidden(config, LIBRARIAN, {"isbn": True, "note": False, "gone": False}) == {"note"}
    assert hidden(config, LIBRARIAN, {"name": False}) == {"isbn"}
    assert "name" not in {column.name for column in may_hide(config, LIBRARIAN)}
    assert "price" not in {column.name for column in may_hide(config, READER)}


def test_one_column_always_stays():
    config = replace(BOOKS, columns=(Column("name"), Column("pages")))

    assert hidden(config, LIBRARIAN, {"name": False, "pages": False}) == {"pages"}


@pytest.mark.parametrize(
    ("field", "label"),
    [
        ("isbn", "ISBN"),
        ("name", "Title"),
        ("shelf_code.name", "Shelf"),
        ("shelf_code.code", "Code of the shelf"),
        ("sequel_to_id.name", "Sequel to"),
    ],
)
def test_a_field_that_is_searched_is_called_as_its_column_is(field: str, label: str):
    columns = (Column("name", label=says("Title")), Column("shelf_code"),
               Column("shelf_code.code", label=says("Code of the shelf")))  # fmt: skip

    assert str(replace(BOOKS, columns=columns).called_in_head(field)) == label
