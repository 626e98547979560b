"""The managers' page: everybody, and beside it who was deleted, for those who may bring them back."""

from datetime import UTC, datetime

import pytest

from crm.rbac import Reach
from crm.rbac import store as rbac
from crm.services.access.permissions import PAGES, install_roles
from crm.store.session import writing
from crm.tables.customers import DELETED
from tests.app.people import page_as
from tests.builders import a_customer, an_account

NOW = datetime.now(UTC)


@pytest.fixture(autouse=True)
def _customers(sqlite_url):
    """The page is the same on both engines; what it asks is tested on both."""
    with writing() as session:
        a_customer(session, "Here", created_at=NOW)
        a_customer(session, "Gone", created_at=NOW, deleted_at=NOW)


def shown(at):
    at = at.run()
    assert not at.exception, at.exception
    return [list(one.value["name"]) for one in at.dataframe]


def parts(at):
    return next((one for one in at.segmented_control if one.label == "Part"), None)


def test_who_was_deleted_stands_in_a_part_of_its_own_which_an_address_leads_to():
    page = page_as("sales_manager", "customers")

    assert shown(page) == [["Here"]]
    assert parts(page).options == ["Customers", "Deleted"]

    parts(page).set_value("deleted")

    assert shown(page) == [["Gone"]]
    assert page.query_params["tab"] == "deleted"

    page = page_as("sales_manager", "customers")
    page.query_params.update({"tab": "deleted", "del_q": "Gone"})

    assert shown(page) == [["Gone"]]
    assert "Bring back" in [one.label for one in page.button]


def test_who_may_not_delete_sees_no_such_part():
    with writing() as session:
        install_roles(session)
        account = an_account(session, "reader", locale="en")
        role = rbac.add_role(session, "reader", PAGES.pages["home"].title, {"customers.view": Reach.ALL})
        rbac.give_role(session, account.id, [role])
        session.expunge(account)

    page = page_as(account, "customers")

    assert shown(page) == [["Here"]]
    assert parts(page) is None


def test_whoever_may_delete_may_bring_back():
    assert DELETED.permission == "customers.delete"
    assert {action.needs for action in DELETED.actions} == {"customers.delete"}
