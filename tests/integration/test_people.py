"""Sign-ins of people: made for an employee, kept out and let in again, their sessions, and who may touch whose."""

import json
from datetime import timedelta

import pytest
from sqlmodel import select

from crm.domain.records import AuditEntry
from crm.domain.staff import Employee
from crm.errors import Conflict, Invalid, NotAllowed, NotFound
from crm.rbac import Reach
from crm.rbac import store as rbac
from crm.services.access import accounts, people, sign_in
from crm.services.access.permissions import PAGES, SYSTEM
from crm.services.staff import staff
from crm.settings import settings
from tests.builders import NOON, an_actor, an_employee
from tests.school import account, actor, token

LATER = NOON + timedelta(minutes=1)


@pytest.fixture
def helper(school):
    """Somebody who manages all sign-ins and may do nothing else."""
    role = rbac.add_role(
        school, "helper", PAGES.pages["home"].title, {"people.view": Reach.ALL, "people.manage": Reach.ALL}
    )
    accounts.create(school, SYSTEM, "helper", "student", None, "", None, NOON)
    accounts.set_roles(school, SYSTEM, "helper", [], NOON)
    rbac.give_role(school, account(school, "helper").id, [role])
    return actor(school, "helper")


def last_entry(session):
    session.flush()
    return session.exec(select(AuditEntry).order_by(AuditEntry.id.desc())).first()


def test_a_sign_in_is_made_for_an_employee_and_is_theirs(school):
    wang = an_employee(school, "Wang Wei", account_id=None)
    assert wang.id in accounts.employee_choices(school, actor(school, "admin"))

    accounts.create(school, actor(school, "admin"), "wangwei", "consultant", None, "", None, NOON, employee_id=wang.id)

    made = account(school, "wangwei")
    assert made.display_name == "Wang Wei"
    assert school.get(Employee, wang.id, populate_existing=True).account_id == made.id
    assert wang.id not in accounts.employee_choices(school, actor(school, "admin"))
    with pytest.raises(Invalid) as refused:
        accounts.create(school, SYSTEM, "another", "consultant", None, "", None, NOON, employee_id=wang.id)
    assert set(refused.value.fields) == {"employee_id"}


def test_who_looks_after_a_department_makes_and_manages_sign_ins_there_only(school):
    here, there = (an_employee(school, department=code, account_id=None) for code in (1001, 1002))
    boss = an_actor(
        "people.view",
        "people.manage",
        *PAGES.pages["pool"].permissions(),
        reach=Reach.DEPARTMENT,
        of=an_employee(school),
    )
    assert accounts.employee_choices(school, boss).keys() == {here.id}

    for wrong in (there.id, None):
        with pytest.raises(Invalid):
            accounts.create(school, boss, "newcomer", "lecturer", None, "", None, NOON, employee_id=wrong)
    with pytest.raises(NotFound) as hidden:
        accounts.reset_password(school, boss, "li", NOON)
    with pytest.raises(NotFound) as absent:
        accounts.reset_password(school, boss, "nobody", NOON)

    assert str(hidden.value).replace("li", "nobody") == str(absent.value)


def test_one_session_is_ended_and_the_others_stay(school):
    admin, li = actor(school, "admin"), account(school, "li")
    here, there = token(school, "li"), token(school, "li")
    number = sign_in.signed_in(school, there, "", LATER).sign_in_id
    assert number in [one.id for one in people.person(school, admin, li.id, LATER).sessions]

    people.end_session(school, admin, "li", number, LATER)

    assert sign_in.signed_in(school, here, "", LATER)
    assert sign_in.signed_in(school, there, "", LATER) is None
    assert len(people.person(school, admin, li.id, LATER).sessions) == 1
    entry = last_entry(school)
    assert (entry.account_id, entry.subject_id, json.loads(entry.after)) == (
        admin.account_id,
        li.id,
        {"session": "ended"},
    )
    assert entry.address == admin.address


def test_a_session_of_somebody_else_is_not_ended_by_its_number(school):
    admin = actor(school, "admin")
    theirs = token(school, "admin")
    number = sign_in.signed_in(school, theirs, "", LATER).sign_in_id

    people.end_session(school, admin, "li", number, LATER)

    assert sign_in.signed_in(school, theirs, "", LATER)


def test_all_sessions_are_ended_at_once(school):
    tokens = [token(school, "li") for _ in range(3)]

    people.end_sessions(school, actor(school, "admin"), "li", LATER)

    assert not [one for one in tokens if sign_in.signed_in(school, one, "", LATER)]


def test_wrong_tries_keep_a_sign_in_out_until_somebody_lets_it_try_again(school):
    admin, li = actor(school, "admin"), account(school, "li")
    rules = settings().sign_in
    for minute in range(rules.attempts):
        sign_in.attempt(school, "li", "10.9.9.9", NOON + timedelta(seconds=minute))
    assert people.person(school, admin, li.id, LATER).locked_until == NOON + timedelta(minutes=rules.attempts_minutes)
    assert people.states(school, [li], LATER) == {li.id: "Enabled · Too many wrong tries · Has to choose a password"}

    people.unlock(school, admin, "li", LATER)

    assert people.person(school, admin, li.id, LATER).locked_until is None
    sign_in.attempt(school, "li", "10.9.9.9", LATER)


def test_the_second_of_two_who_change_the_same_sign_in_is_told(school):
    admin, seen = actor(school, "admin"), account(school, "li").version
    accounts.set_roles(school, admin, "li", ["finance"], NOON, version=seen)

    for late in (
        lambda: accounts.set_roles(school, admin, "li", ["lecturer"], NOON, version=seen),
        lambda: accounts.disable(school, admin, "li", NOON, version=seen),
        lambda: accounts.enable(school, admin, "li", NOON, version=seen),
    ):
        with pytest.raises(Conflict):
            late()

    assert rbac.granted_to(school, account(school, "li").id).roles == ("finance",)


def test_no_sign_in_above_ones_own_rights_can_be_touched(school, helper):
    boss = an_employee(school, "Boss", account_id=account(school, "admin").id)
    number = sign_in.signed_in(school, token(school, "admin"), "", NOON).sign_in_id
    both = an_actor("staff.view", "staff.edit", "people.manage")

    for attempt in (
        lambda: accounts.reset_password(school, helper, "admin", NOON),
        lambda: accounts.disable(school, helper, "admin", NOON),
        lambda: accounts.enable(school, helper, "admin", NOON),
        lambda: accounts.set_roles(school, helper, "admin", [], NOON),
        lambda: people.end_session(school, helper, "admin", number, NOON),
        lambda: people.end_sessions(school, helper, "admin", NOON),
        lambda: people.unlock(school, helper, "admin", NOON),
        lambda: staff.save_employee(school, both, boss.id, 1, {"account_id": None}, NOON),
    ):
        with pytest.raises(NotAllowed):
            attempt()

    seen = people.person(school, helper, account(school, "admin").id, NOON)
    assert str(seen.keeps_out) == "admin may do more than you, so you cannot change that sign-in."
    assert not seen.sessions
    assert accounts.role_choices(school, helper).keys() == {"helper"}
    assert accounts.role_choices(school, actor(school, "admin")).keys() > {"administrator", "helper"}


def test_whoever_may_only_look_sees_no_sessions_and_changes_nothing(school):
    token(school, "li")
    looks = an_actor("people.view")

    seen = people.person(school, looks, account(school, "li").id, NOON)

    assert (seen.name, seen.roles, list(seen.sessions)) == ("li", ("consultant",), [])
    assert seen.keeps_out is not None
    with pytest.raises(NotAllowed):
        people.end_sessions(school, looks, "li", NOON)
