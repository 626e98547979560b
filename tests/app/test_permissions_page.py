"""The permissions page: preview, save, conflict, and looking through the eyes of a role."""

from datetime import UTC, datetime

import pytest
from sqlmodel import select

from crm.domain.records import AuditEntry
from crm.rbac import Reach
from crm.rbac import store as rbac
from crm.rbac.tables import Role
from crm.services.access import roles
from crm.services.access.permissions import SYSTEM
from crm.store.session import reading, writing
from tests.app.people import a_person, page_as


@pytest.fixture(autouse=True)
def _sqlite(sqlite_url):
    """The page is the same on both engines; what it calls is tested on both."""


@pytest.fixture
def admin():
    with writing() as session:
        return a_person(session, "administrator", "boss", display_name="Boss")


def by_key(elements, key):
    return next(one for one in elements if one.key == key)


def finance():
    with reading() as session:
        role = rbac.role_named(session, "finance")
        return role, rbac.grants_of_role(session, role.id)


def other_than(role):
    with reading() as session:
        return next(one.id for one in roles.all_roles(session, SYSTEM) if one.id != role.id)


def finance_on_the_pool(admin):
    role, _grants = finance()
    at = page_as(admin, "permissions").run()
    by_key(at.selectbox, "permissions:role").set_value(role.id)
    by_key(at.selectbox, "permissions:page").set_value("pool").run()
    by_key(at.button_group, f"permissions:{role.id}:{role.version}:pool.view").set_value(Reach.ALL).run()
    assert not at.exception
    return at


def texts(at):
    return "\n".join(one.value for one in at.markdown)


def test_the_matrix_has_pages_as_rows_and_roles_as_columns(admin):
    at = page_as(admin, "permissions").run()

    assert not at.exception
    table = at.table[0].value
    assert ":orange-badge[Claim]" not in table.loc["Public pool", "Consultant"]
    assert ":green-badge[Claim]" in table.loc["Public pool", "Consultant"]
    assert table.loc["Customers", "Finance"] == ""


def test_what_changes_is_shown_before_it_is_saved(admin):
    at = finance_on_the_pool(admin)

    assert "Public pool: View: Not → **All**" in texts(at)
    assert "pool.view" not in finance()[1]

    by_key(at.button, "permissions:save").click().run()

    assert not at.exception
    assert finance()[1]["pool.view"] is Reach.ALL


def test_what_is_not_saved_yet_stays_on_another_page_and_role_and_can_be_discarded(admin):
    at = finance_on_the_pool(admin)
    role, grants = finance()

    by_key(at.selectbox, "permissions:page").set_value("audit").run()
    by_key(at.button_group, f"permissions:{role.id}:{role.version}:audit.view").set_value(Reach.ALL).run()
    assert "Public pool: View: Not → **All**" in texts(at) and "Audit log: View: Not → **All**" in texts(at)
    by_key(at.selectbox, "permissions:role").set_value(other_than(role)).run()
    assert [one for one in at.caption if one.value == "Changed and not saved yet: Finance"]
    by_key(at.selectbox, "permissions:role").set_value(role.id).run()
    by_key(at.button, "permissions:save").click().run()
    saved, now_granted = finance()

    assert not at.exception
    assert now_granted == {**grants, "pool.view": Reach.ALL, "audit.view": Reach.ALL}

    by_key(at.button_group, f"permissions:{role.id}:{saved.version}:audit.view").set_value(0).run()
    by_key(at.button, "permissions:discard").click().run()

    assert by_key(at.button_group, f"permissions:{role.id}:{saved.version}:audit.view").value == Reach.ALL
    assert "permissions:save" not in [one.key for one in at.button]


def test_what_a_newer_version_offers_is_looked_at_before_it_is_saved_or_left_out(admin):
    role, grants = finance()
    with writing() as session:
        rbac.change_grants(session, role.id, {"payments.decide": None})
    at = page_as(admin, "permissions").run()
    assert [one.label for one in at.expander] == ["New in this version: Finance"]

    by_key(at.button, f"offers:take:{role.id}").click().run()

    assert not at.exception
    assert texts(at).count("Payments: Confirm and reject: Not → **All**") == 2
    assert "payments.decide" not in finance()[1]

    by_key(at.button, "permissions:save").click().run()

    assert finance()[1] == grants
    assert not at.expander

    with writing() as session:
        rbac.change_grants(session, role.id, {"students.view": None})
    by_key(at.run().button, f"offers:leave:{role.id}").click().run()

    assert "students.view" not in finance()[1]
    assert not at.expander


def test_two_roles_that_read_alike_have_a_column_each(admin):
    with writing() as session:
        session.add(Role(name="second", title="Finance"))

    at = page_as(admin, "permissions").run()

    assert {"Finance (finance)", "Finance (second)"} <= set(at.table[0].value.columns)


def test_the_second_administrator_sees_what_the_first_one_changed(admin):
    at = finance_on_the_pool(admin)
    role, _grants = finance()
    with writing() as session:
        roles.save(session, SYSTEM, role.id, role.version, {"pool.claim": Reach.ALL}, datetime.now(UTC))

    at.run()

    assert "Somebody else changed this role since you saw it." in [one.value for one in at.warning]
    assert "Public pool: Claim: Not → **All**" in texts(at)
    assert not [one for one in at.button if one.key == "permissions:save"]


def test_other_eyes_see_less_under_a_banner_and_lead_back(admin):
    with reading() as session:
        consultant = rbac.role_named(session, "consultant")
    at = page_as(admin, "permissions").run()
    at.session_state["seeing_as"] = consultant.id

    at.run()

    assert "You see the app as **Consultant** would." in texts(at)
    assert at.warning[0].value.startswith("You may not open this page.")

    by_key(at.button, "back-to-oneself").click().run()

    assert not at.exception
    assert at.table
    with reading() as session:
        kept = session.exec(select(AuditEntry).where(AuditEntry.action == "permissions.see_as")).all()
    assert len(kept) == 1


def test_other_eyes_see_what_the_role_sees_by_what_it_may_do_and_nothing_to_do(admin):
    with reading() as session:
        manager = rbac.role_named(session, "sales_manager")
    at = page_as(admin, "customers")
    at.session_state["seeing_as"] = manager.id
    at.query_params["tab"] = "deleted"

    at.run()

    assert not at.exception
    assert next(one.options for one in at.segmented_control if one.label == "Part") == ["Customers", "Deleted"]
    assert not [one.label for one in at.button if one.label in ("Add", "Delete")]
    assert not [one.value for one in at.error]


def test_who_may_not_see_as_a_role_stays_oneself(admin):
    with reading() as session:
        administrator = rbac.role_named(session, "administrator")
    at = page_as("consultant", "permissions")
    at.session_state["seeing_as"] = administrator.id

    at.run()

    assert at.warning[0].value.startswith("You may not open this page.")
    assert not at.table
