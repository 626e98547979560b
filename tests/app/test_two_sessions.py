"""Two people at once: what an administrator changes counts at the other's next click, and what is refused is kept."""

from datetime import UTC, datetime

import pytest
from sqlmodel import select
from streamlit.testing.v1 import AppTest

from crm.domain.records import AuditEntry
from crm.rbac import store as rbac
from crm.store.session import reading, writing
from crm.ui.session import SEEING, TOKEN, WHO
from tests.app.people import a_person, page_as, token_of
from tests.builders import a_consultant, a_private_customer

NOW = datetime.now(UTC)


@pytest.fixture(autouse=True)
def _sqlite(sqlite_url):
    """The pages are the same on both engines; what they call is tested on both."""


@pytest.fixture
def boss():
    with writing() as session:
        return a_person(session, "administrator", "boss", display_name="Boss")


@pytest.fixture
def li():
    with writing() as session:
        li = a_person(session, "consultant", "li", display_name="Li Na")
        a_consultant(session, "Li Na", account_id=li.id)
        return li


def by_key(elements, key):
    return next(one for one in elements if one.key == key)


def refused(at):
    return bool(at.warning) and at.warning[0].value.startswith("You may not open this page.")


def refusals():
    with reading() as session:
        kept = session.exec(select(AuditEntry).where(AuditEntry.action == "refused").order_by(AuditEntry.id)).all()
        return [(one.account_id, one.subject, one.subject_id) for one in kept]


def test_a_permission_taken_in_the_matrix_closes_the_page_of_who_is_signed_in(boss, li):
    theirs = page_as(li, "pool").run()
    assert not refused(theirs)
    mine = page_as(boss, "permissions").run()
    with reading() as session:
        role = rbac.role_named(session, "consultant")

    by_key(mine.selectbox, "permissions:role").set_value(role.id)
    by_key(mine.selectbox, "permissions:page").set_value("pool").run()
    by_key(mine.button_group, f"permissions:{role.id}:{role.version}:pool.view").set_value(0).run()
    by_key(mine.button, "permissions:save").click().run()
    theirs.run()

    assert refused(theirs)
    assert refusals() == [(li.id, "pool.view", None)]


def test_a_role_given_opens_a_page_and_taken_closes_it(boss, li):
    theirs = page_as(li, "staff").run()
    assert refused(theirs)

    for ticked, open_now in ((["consultant", "sales_manager"], True), (["consultant"], False)):
        mine = page_as(boss, "people")
        mine.query_params["open"] = str(li.id)
        mine.run()
        mine.multiselect[0].set_value(ticked).run()
        by_key(mine.button, "person:save-roles").click().run()
        theirs.run()

        assert refused(theirs) is not open_now


def test_a_disabled_person_reads_the_sign_in_form_at_the_next_click(boss, li):
    theirs = page_as(li, "home").run()
    mine = page_as(boss, "people")
    mine.query_params["open"] = str(li.id)
    mine.run()

    by_key(mine.button, "person:disable").click().run()
    by_key(mine.button, "person:disable-now").click().run()
    theirs.run()

    assert "Sign in" in [one.label for one in theirs.button]
    assert not theirs.title


def an_edit_arrives():
    """What the table's callback does with a cell, in a run of its own; it says why it was not saved."""
    from datetime import UTC, datetime

    import streamlit as st

    from crm.grid.edits import Change
    from crm.grid.saving import save_all
    from crm.tables.customers import MY_CUSTOMERS
    from crm.ui.session import look, writing_as_somebody

    actor, (key, version) = look().actor, st.session_state["of"]
    with writing_as_somebody() as session:
        saved = save_all(MY_CUSTOMERS, session, actor, [Change(key, version, {"name": "Mine"})], datetime.now(UTC))
    st.text(str(saved.faults[0].why) if saved.faults else "saved")


def test_an_edit_that_is_refused_beside_its_cell_is_kept_all_the_same(li):
    with writing() as session:
        theirs = a_private_customer(session, a_consultant(session, "Other"), since=NOW)
    at = AppTest.from_function(an_edit_arrives, default_timeout=30)
    at.session_state[TOKEN], at.session_state["of"] = token_of(li), (theirs.id, theirs.version)

    assert at.run().text[0].value == "There is no such customer, or it is not yours to open."
    assert refusals() == [(li.id, "my-customers.edit", theirs.id)]

    with writing() as session:
        rbac.change_grants(session, rbac.role_named(session, "consultant").id, {"my-customers.edit": None})

    assert at.run().text[0].value == "You are not allowed to do this (my-customers.edit)."
    assert refusals()[1:] == [(li.id, "my-customers.edit", None)]


def test_a_link_to_a_strangers_customer_is_refused_and_kept(li):
    with writing() as session:
        theirs = a_private_customer(session, a_consultant(session, "Other"), since=NOW)
    at = page_as(li, "my-customers")
    at.query_params["open"] = str(theirs.id)

    at.run()

    assert at.error[0].value == "There is no such record, or you may not see it."
    assert refusals() == [(li.id, "my-customers.view", theirs.id)]


def somebody_writes():
    """A callback that writes whatever it likes."""
    import streamlit as st

    from crm.errors import NotAllowed
    from crm.ui.session import writing_as_somebody

    try:
        with writing_as_somebody():
            st.text("wrote")
    except NotAllowed as refused:
        st.text(str(refused))


def test_nothing_is_written_through_the_eyes_of_a_role_and_the_try_is_kept(boss):
    at = AppTest.from_function(somebody_writes, default_timeout=30)
    at.session_state[TOKEN], at.session_state[WHO] = token_of(boss), boss.id
    with reading() as session:
        at.session_state[SEEING] = rbac.role_named(session, "consultant").id

    at.run()

    assert at.text[0].value.startswith("You are looking through the eyes of a role.")
    assert refusals() == [(boss.id, "permissions.see_as", None)]
