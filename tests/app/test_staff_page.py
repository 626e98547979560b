"""The page for staff: quotas, people with their sign-ins, and departments."""

import pytest

from crm.store.session import writing
from tests.app.people import page_as
from tests.builders import a_department, an_account, an_employee


@pytest.fixture(autouse=True)
def _staff(sqlite_url):
    """The page is the same on both engines; what it asks is tested on both."""
    with writing() as session:
        a_department(session, 10, "Counsel")
        an_employee(session, "Li Na", department=10)
        an_account(session, "nobodys", locale="en")


def shown(page):
    page = page.run()
    assert not page.exception, page.exception
    return page


def labels(page):
    return [one.label for one in page.selectbox]


def test_departments_stand_beside_staff_and_quotas_and_an_address_leads_to_each():
    page = shown(page_as("sales_manager", "staff"))

    assert next(one.options for one in page.segmented_control if one.label == "Part") == [
        "Quotas",
        "Staff",
        "Departments",
    ]

    page = page_as("sales_manager", "staff")
    page.query_params["tab"] = "departments"

    assert [list(one.value["name"]) for one in shown(page).dataframe] == [["Counsel"]]


def test_a_sign_in_is_seen_and_given_by_who_manages_sign_ins_only():
    for role, may in (("administrator", True), ("sales_manager", False)):
        page = page_as(role, "staff")
        page.query_params.update({"tab": "people", "emp_add": "1"})

        shown(page)

        people = next(one.value for one in page.dataframe if "department_code" in one.value)
        assert ("account_id" in people) is may
        assert ("Sign-in" in labels(page)) is may
        if may:
            assert "nobodys" in page.selectbox[labels(page).index("Sign-in")].options


def test_the_table_of_each_part_has_the_keys_when_it_is_the_one_that_is_drawn():
    page = page_as("sales_manager", "staff")
    for part in ("quotas", "people", "departments", "people"):
        page.query_params["tab"] = part
        shown(page)

        assert {one.placeholder[-3:] for one in page.text_input} <= {"[/]"}, part
        adds = {one.proto.shortcut for one in page.button if str(one.key).endswith(":add")}
        assert adds <= {"alt+n"}, part
    assert page.text_input and adds
