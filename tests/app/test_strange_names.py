"""What strangers and colleagues typed is drawn as they typed it: no link, no picture, no colour."""

from datetime import UTC, datetime

import pytest

from crm.domain.customers import CustomerState
from crm.store.session import writing
from tests.app.people import page_as
from tests.builders import a_customer

LURE = "[You won](http://evil.example) ![](http://evil.example/seen)"
SHOWN = r"\[You won\](http://evil.example) \!\[\](http://evil.example/seen)"


@pytest.fixture
def lured(sqlite_url) -> int:
    """A customer in the pool, so named."""
    with writing() as session:
        customer = a_customer(
            session, LURE, state=CustomerState.PUBLIC, created_at=datetime(2025, 3, 3, tzinfo=UTC), major=LURE
        )
        assert customer.id is not None
        return customer.id


def test_a_customers_name_on_the_record(lured):
    page = page_as("sales_manager", "customers")
    page.query_params["open"] = str(lured)

    page.run()

    assert [one.value for one in page.header] == [SHOWN]
    assert LURE in [one.value for one in page.text]


def test_what_a_link_searches_for_and_filters_by(lured):
    page = page_as("sales_manager", "customers")
    page.query_params["q"] = "![](http://evil.example)"
    page.query_params["source"] = LURE

    page.run()

    drawn = [one.label for one in page.button] + [one.value for one in page.error]
    assert any("evil.example" in one for one in drawn)
    assert not any("](" in one.replace(r"\](", "") for one in drawn)
