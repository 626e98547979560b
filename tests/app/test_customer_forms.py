"""The forms of customers and staff as deep links: what they ask for, of whom, and who is refused."""

from datetime import UTC, datetime

import pytest
from sqlmodel import select

from crm.domain.customers import CustomerCourse
from crm.domain.records import AuditEntry
from crm.domain.school import Course
from crm.rbac import Reach
from crm.rbac import store as rbac
from crm.services.access.permissions import PAGES, install_roles
from crm.store.session import reading, writing
from tests.app.people import page_as
from tests.builders import a_consultant, a_customer, a_department, a_private_customer, an_account, an_employee

NOW = datetime.now(UTC)


@pytest.fixture(autouse=True)
def _school(sqlite_url):
    """Two courses, of which one is no longer taught."""
    with writing() as session:
        session.add_all([Course(id=1, name="Python"), Course(id=2, name="Flash", active=False)])


def shown(page, **url):
    for key, value in url.items():
        page.query_params[key] = value
    page = page.run()
    assert not page.exception, page.exception
    return page


def labels(elements):
    return [one.label for one in elements]


def by_label(elements, label):
    return next(one for one in elements if one.label == label)


def test_a_new_customer_is_asked_for_courses_and_a_referrer_and_one_way_to_be_reached():
    page = shown(page_as("sales_manager", "customers"), add="")

    assert by_label(page.multiselect, "Courses of interest").options == ["Python"]
    assert by_label(page.selectbox, "Referred by").options == []
    assert {"Name *", "Phone (*)", "QQ (*)", "WeChat (*)", "Find: Referred by"} <= set(labels(page.text_input))
    assert any("one of these is needed: Phone, QQ, WeChat" in text.value for text in page.caption)
    assert {"Save", "Save and add another", "Cancel"} <= set(labels(page.button))


def test_an_edit_form_opens_by_its_address_with_what_is_known():
    with writing() as session:
        friend = a_customer(session, "Friend", created_at=NOW)
        customer = a_customer(session, "Here", created_at=NOW, referred_by_id=friend.id)
        session.add_all([CustomerCourse(customer_id=customer.id, course_id=each) for each in (1, 2)])
        key, friend_id = customer.id, friend.id

    page = shown(page_as("sales_manager", "customers"), edit=str(key))

    assert by_label(page.text_input, "Name *").value == "Here"
    assert by_label(page.multiselect, "Courses of interest").value == [1]
    assert by_label(page.selectbox, "Referred by").value == friend_id
    assert "Save and add another" not in labels(page.button)


def test_a_referrer_whom_the_reader_may_not_open_is_not_named():
    with writing() as session:
        mine, other = a_consultant(session, "Mine"), a_consultant(session, "Other")
        secret = a_private_customer(session, other, name="Secret", since=NOW)
        customer = a_private_customer(session, mine, name="Here", since=NOW, referred_by_id=secret.id)
        install_roles(session)
        account = an_account(session, "mine", locale="en")
        rbac.give_role(session, account.id, [rbac.role_named(session, "consultant").id])
        mine.account_id = account.id
        key = customer.id
        session.flush()
        session.expunge(account)

    page = shown(page_as(account, "my-customers"), edit=str(key))

    referred = by_label(page.selectbox, "Referred by")
    assert (referred.value, referred.options) == (None, [])
    assert "Secret" not in str(page)


@pytest.mark.parametrize(("url", "needs"), [({"add": ""}, "customers.add"), ({"edit": "1"}, "customers.edit")])
def test_a_form_by_its_address_is_refused_without_its_permission_and_recorded_once(url, needs):
    with writing() as session:
        a_customer(session, "Here", created_at=NOW)
        install_roles(session)
        account = an_account(session, "reader", locale="en")
        role = rbac.add_role(session, "reader", PAGES.pages["home"].title, {"customers.view": Reach.ALL})
        rbac.give_role(session, account.id, [role])
        session.expunge(account)

    page = shown(page_as(account, "customers"), **url)
    page.run()

    assert [error.value for error in page.error] == [f"You are not allowed to do this ({needs})."]
    assert "Name *" not in labels(page.text_input)
    with reading() as session:
        refused = session.exec(select(AuditEntry).where(AuditEntry.subject == needs)).all()
    assert len(refused) == 1


def test_whom_somebody_may_see_and_not_change_is_locked_and_the_form_says_why():
    with writing() as session:
        a_department(session, 10, "East")
        a_department(session, 20, "West")
        one, two = a_consultant(session, "One", department=10), a_consultant(session, "Two", department=20)
        a_private_customer(session, one, name="Ours", since=NOW)
        theirs = a_private_customer(session, two, name="Theirs", since=NOW)
        install_roles(session)
        head = an_employee(session, "Head", department=10)
        account = an_account(session, "head", locale="en")
        head.account_id = account.id
        grants = {"customers.view": Reach.ALL, "customers.edit": Reach.DEPARTMENT}
        rbac.give_role(session, account.id, [rbac.add_role(session, "head", PAGES.pages["home"].title, grants)])
        key = theirs.id
        session.flush()
        session.expunge(account)

    page = shown(page_as(account, "customers"), edit=str(key))

    rows = page.dataframe[0].value.set_index("name")
    assert rows["_lock"].notna().to_dict() == {"Ours": False, "Theirs": True}
    assert [error.value for error in page.error] == ["You may look at this customer, but not change it."]


def test_an_employees_form_keeps_a_sign_in_that_is_taken_and_can_make_a_department():
    with writing() as session:
        a_department(session, 10, "Counsel")
        account = an_account(session, "lina", locale="en")
        employee = an_employee(session, "Li Na", department=10, account_id=account.id)
        key, account_id = employee.id, account.id

    page = shown(page_as("administrator", "staff"), tab="people", emp_edit=str(key))

    assert by_label(page.selectbox, "Sign-in").value == account_id
    assert by_label(page.selectbox, "Department *").value == 10
    assert "New department" in labels(page.button)


def test_a_code_that_somebody_refers_to_is_closed_in_the_form():
    with writing() as session:
        department = a_department(session, 10, "Counsel")
        an_employee(session, "Li Na", department=10)
        key = department.id

    page = shown(page_as("administrator", "staff"), tab="departments", dep_edit=str(key))

    code = by_label(page.number_input, "Code *")
    assert (code.disabled, code.help) == (True, "Somebody is in this department, so its code stays.")
    assert not by_label(page.text_input, "Department *").disabled
