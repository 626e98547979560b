"""The people who sign in, on the screen: the list, one person, and what is done about a sign-in."""

from datetime import UTC, datetime

import pytest
from sqlmodel import col, select

from crm.domain.accounts import Account, SignIn
from crm.domain.customers import Customer, CustomerState
from crm.domain.records import AuditEntry
from crm.domain.staff import Employee
from crm.rbac import store as rbac
from crm.services.access.passwords import matches
from crm.store.session import reading, writing
from tests.app.people import a_person, page_as
from tests.builders import a_consultant, a_private_customer

NOW = datetime.now(UTC)


@pytest.fixture(autouse=True)
def _sqlite(sqlite_url):
    """The page is the same on both engines; what it calls is tested on both."""


@pytest.fixture
def boss():
    with writing() as session:
        return a_person(session, "administrator", "boss", display_name="Boss")


@pytest.fixture
def li():
    with writing() as session:
        return a_person(session, "consultant", "li", display_name="Li Na")


def by_key(elements, key):
    return next(one for one in elements if one.key == key)


def keys(elements):
    return {one.key for one in elements}


def opened(who, of):
    at = page_as(who, "people")
    at.query_params["open"] = str(of.id)
    at.run()
    assert not at.exception
    return at


def texts(at):
    return "\n".join(one.value for part in (at.markdown, at.caption, at.success, at.error, at.warning) for one in part)


def account(name):
    with reading() as session:
        return session.exec(select(Account).where(Account.name == name)).one()


def roles_of(person):
    with reading() as session:
        return rbac.granted_to(session, person.id).roles


def test_an_administrator_sees_who_signs_in_with_which_roles_and_sessions(boss):
    with writing() as session:
        a_person(session, "consultant", "li", display_name="Li Na", active=False)

    at = page_as(boss, "people").run()

    assert not at.exception
    frame = at.dataframe[0].value.set_index("name")
    assert dict(frame["roles"]) == {"boss": "Administrator", "li": "Consultant"}
    assert dict(frame["state"]) == {"boss": "Enabled", "li": "Disabled"}
    assert frame["sessions"].fillna(0).to_dict() == {"boss": 1, "li": 0}
    assert {name for name, when in frame["last_sign_in"].items() if str(when) not in ("", "NaT", "None")} == {"boss"}
    assert not [name for name in frame.columns if "password" in name]


@pytest.mark.parametrize(
    ("query", "found"), [({"q": "Li"}, ["li"]), ({"role": "1"}, ["boss"]), ({"role": ["1", "3"]}, ["boss", "li"])]
)
def test_people_are_found_by_name_and_by_role(boss, li, query, found):
    at = page_as(boss, "people")
    for name, value in query.items():
        at.query_params[name] = value

    at.run()

    assert not at.exception
    assert list(at.dataframe[0].value["name"]) == found


def test_nobody_else_opens_the_list_of_people():
    at = page_as("sales_manager", "people").run()

    assert at.warning[0].value.startswith("You may not open this page.")
    assert not at.dataframe


def test_roles_are_set_and_what_was_ticked_is_not_carried_over(boss, li):
    at = opened(boss, li)

    by_key(at.multiselect, f"person:roles:{li.id}:{li.version}").set_value(["finance", "lecturer"]).run()
    by_key(at.button, "person:save-roles").click().run()

    assert not at.exception
    assert set(roles_of(li)) == {"finance", "lecturer"}
    assert set(at.multiselect[0].value) == {"finance", "lecturer"}
    assert "person:save-roles" not in keys(at.button)


def test_a_change_by_somebody_else_meanwhile_is_told_and_nothing_is_saved(boss, li):
    at = opened(boss, li)
    by_key(at.multiselect, f"person:roles:{li.id}:{li.version}").set_value(["finance"]).run()
    with writing() as session:
        session.get(Account, li.id).version += 1

    # The click is of the page that was drawn before.
    by_key(at.button, "person:save-roles").click().run()

    assert roles_of(li) == ("consultant",)


def test_a_session_is_ended_at_the_next_click_of_whoever_has_it(boss, li):
    theirs = page_as(li, "account").run()
    at = opened(boss, li)
    with reading() as session:
        number = session.exec(select(SignIn.id).where(SignIn.account_id == li.id)).one()

    by_key(at.button, f"person:end:{number}").click().run()
    theirs.run()

    assert "The session is ended." in texts(at)
    assert "Sign in" in [one.label for one in theirs.button]
    assert not theirs.title


def test_a_password_is_reset_and_shown_once(boss, li):
    at = opened(boss, li)

    by_key(at.button, "person:reset").click().run()
    by_key(at.button, "person:reset-now").click().run()

    assert not at.exception
    (secret,) = [one.value for one in at.code]
    changed = account("li")
    assert matches(secret, changed.password_hash)
    assert changed.must_change_password
    by_key(at.button, "person:reset").click().run()
    assert not at.code
    with reading() as session:
        assert secret not in repr([one.model_dump() for one in session.exec(select(AuditEntry)).all()])


def test_a_sign_in_is_made_for_an_employee(boss):
    with writing() as session:
        wang = a_consultant(session, "Wang Wei", account_id=None)
    at = page_as(boss, "people").run()

    by_key(at.button, "people:create").click().run()
    by_key(at.text_input, "people:new-name").input("WangWei")
    by_key(at.selectbox, "people:new-employee").set_value(wang.id)
    by_key(at.selectbox, "people:new-role").set_value("consultant")
    next(one for one in at.button if one.label == "Create").click().run()

    assert not at.exception
    (secret,) = [one.value for one in at.code]
    made = account("wangwei")
    assert matches(secret, made.password_hash)
    assert (made.display_name, roles_of(made)) == ("Wang Wei", ("consultant",))
    with reading() as session:
        assert session.get(Employee, wang.id).account_id == made.id


@pytest.mark.parametrize("way", ["out", "to"])
def test_whoever_disables_a_consultant_says_what_becomes_of_the_customers(boss, li, way):
    with writing() as session:
        leaves = a_consultant(session, "Li Na", account_id=li.id)
        stays = a_consultant(session, "Stays")
        held = [a_private_customer(session, leaves, since=NOW).id for _ in range(2)]
    at = opened(boss, li)

    by_key(at.button, "person:disable").click().run()
    if way == "to":
        by_key(at.radio, "person:customers").set_value("to").run()
        assert by_key(at.button, "person:disable-now").disabled
        by_key(at.selectbox, "person:to").set_value(stays.id).run()
    by_key(at.button, "person:disable-now").click().run()

    assert not at.exception
    assert not account("li").active
    with reading() as session:
        now = session.exec(select(Customer).where(col(Customer.id).in_(held))).all()
    assert {(one.consultant_id, one.state) for one in now} == {(stays.id, CustomerState.PRIVATE)}
    assert "2 customers went to others." in texts(at)

    by_key(at.button, "person:enable").click().run()

    assert account("li").active


def test_the_last_administrator_cannot_be_disabled_nor_demoted(boss):
    at = opened(boss, boss)

    by_key(at.button, "person:disable").click().run()
    by_key(at.button, "person:disable-now").click().run()

    assert "This is the last one who can manage sign-ins." in texts(at)

    at = opened(boss, boss)
    at.multiselect[0].set_value(["consultant"]).run()
    by_key(at.button, "person:save-roles").click().run()

    assert "Nobody would be left who can administer." in texts(at)
    assert (account("boss").active, roles_of(boss)) == (True, ("administrator",))


def test_of_somebody_above_ones_own_rights_nothing_can_be_changed(boss, li):
    with writing() as session:
        helper = a_person(session, "student", "helper")
        student = rbac.role_named(session, "student")
        rbac.change_grants(session, student.id, {"people.view": rbac.Reach.ALL, "people.manage": rbac.Reach.ALL})

    at = opened(helper, boss)

    assert "boss may do more than you, so you cannot change that sign-in." in texts(at)
    assert not {key for key in keys(at.button) if str(key).startswith("person:")}
    assert not at.multiselect
