"""Staff and quotas: who sees whom, and what is saved."""

import json
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from typing import Any

import pytest
from sqlalchemy import Engine
from sqlmodel import Session, col, select

from crm.domain.records import AuditEntry
from crm.domain.staff import ConsultantQuota, Department, Employee
from crm.errors import Conflict, Invalid, NotAllowed, NotFound, Refused
from crm.rbac import Reach
from crm.services.access.permissions import ADMINISTERS
from crm.services.customers import hand_over, holding
from crm.services.staff import staff
from crm.store.session import reading, writing
from tests.builders import (
    NOON,
    a_consultant,
    a_customer,
    a_department,
    a_private_customer,
    an_account,
    an_actor,
    an_employee,
    ids,
)

MANAGER = an_actor("staff.view", "staff.edit", "customers.view", "customers.assign")


def test_without_the_permission_nothing_is_shown_or_saved(session: Session) -> None:
    employee = a_consultant(session)
    nobody = an_actor("home.view")

    for attempt in (
        lambda: staff.employees(session, nobody),
        lambda: staff.quotas(session, nobody),
        lambda: staff.consultants(session, nobody),
        lambda: staff.choices(session, nobody),
        lambda: staff.save_quota(session, nobody, employee.id, 1, {"weight": 5}, NOON),
        lambda: staff.save_employee(session, nobody, employee.id, 1, {"name": "X"}, NOON),
        lambda: staff.add_employee(session, nobody, {"name": "X", "department_code": 1001}, NOON),
        lambda: staff.give_quota_many(session, nobody, [employee.id], NOON),
        lambda: staff.add_department(session, nobody, {"code": 1, "name": "X"}, NOON),
        lambda: staff.save_department(session, nobody, 1, 1, {"name": "X"}, NOON),
    ):
        with pytest.raises(NotAllowed):
            attempt()


def test_the_reach_department_shows_and_changes_that_department_only(session: Session) -> None:
    ours, theirs = a_consultant(session, department=1001), a_consultant(session, department=1002)
    colleague = an_employee(session, department=1001)
    actor = an_actor("staff.view", "staff.edit", "customers.assign", reach=Reach.DEPARTMENT, of=ours)

    assert ids(session.exec(staff.employees(session, actor))) == [ours.id, colleague.id]
    assert [row.employee_id for row in session.exec(staff.quotas(session, actor))] == [ours.id]
    assert list(staff.choices(session, actor)) == [ours.id]
    with pytest.raises(NotFound):
        staff.save_quota(session, actor, theirs.id, 1, {"weight": 5}, NOON)
    with pytest.raises(Invalid, match="your own department"):
        staff.save_employee(session, actor, colleague.id, 1, {"department_code": 1002}, NOON)


def test_a_quota_is_saved_with_its_version_and_noted(session: Session) -> None:
    consultant = a_consultant(session, weight=10)

    version = staff.save_quota(session, MANAGER, consultant.id, 1, {"weight": 25, "away_until": date(2025, 4, 1)}, NOON)

    quota = session.get_one(ConsultantQuota, consultant.id)
    assert (version, quota.version, quota.weight, quota.away_until) == (2, 2, 25, date(2025, 4, 1))
    entry = session.exec(select(AuditEntry)).one()
    assert (entry.action, entry.subject, entry.subject_id) == ("staff.edit", "consultant_quota", consultant.id)
    assert '"weight": 10' in entry.before
    assert '"weight": 25' in entry.after


def test_what_gives_reach_is_noted_by_its_value_and_what_is_about_a_person_by_its_name(session: Session) -> None:
    a_department(session, 1002, "Teaching")
    boss, account = an_actor(role="administrator"), an_account(session).id

    added = staff.add_employee(
        session, boss, {"name": "Li", "department_code": 1002, "account_id": account, "mobile": "13800138000"}, NOON
    )
    staff.save_employee(session, boss, added, 1, {"account_id": None, "email": "li@example.com"}, NOON)

    first, second = session.exec(select(AuditEntry).order_by(col(AuditEntry.id))).all()
    assert json.loads(first.after) == {"department_code": 1002, "account_id": account, "fields": ["mobile", "name"]}
    assert json.loads(second.before) == {"account_id": account, "fields": ["email"]}
    assert json.loads(second.after) == {"account_id": None, "fields": ["email"]}


def test_nobody_gives_themselves_another_reach_but_who_may_give_any_right(session: Session) -> None:
    a_department(session, 1002, "Teaching")
    me, free = a_consultant(session), an_account(session).id
    head = an_actor("staff.view", "staff.edit", "people.manage", of=me)

    for changes in ({"department_code": 1002}, {"account_id": None}, {"account_id": free}):
        with pytest.raises(Invalid, match="Somebody else has to change this"):
            staff.save_employee(session, head, me.id, 1, changes, NOON)
    unlinked = an_actor("staff.view", "staff.edit", "people.manage", account_id=free)
    with pytest.raises(Invalid, match="Somebody else has to change this"):
        staff.add_employee(session, unlinked, {"name": "Me", "department_code": 1002, "account_id": free}, NOON)
    assert staff.save_employee(session, head, me.id, 1, {"department_code": 1001, "mobile": "13800138001"}, NOON) == 2
    boss = an_actor(role="administrator", of=me)
    assert staff.save_employee(session, boss, me.id, 2, {"department_code": 1002}, NOON) == 3


def test_whoever_comes_second_reads_what_is_there_now(session: Session) -> None:
    consultant = a_consultant(session, weight=10)
    staff.save_quota(session, MANAGER, consultant.id, 1, {"weight": 25}, NOON)

    with pytest.raises(Conflict) as error:
        staff.save_quota(session, MANAGER, consultant.id, 1, {"weight": 30}, NOON)

    assert error.value.theirs == {"weight": 25}


@pytest.mark.parametrize(
    "changes",
    [
        {"weight": -1},
        {"weight": 1001},
        {"weight": None},
        {"weight": 1.5},
        {"weight": "many"},
        {"weight": True},
        {"max_customers": -1},
        {"max_customers": None},
        {"max_per_day": -5},
        {"accepting": None},
        {"away_until": "soon"},
        {"served": 0},
        {"carry": 5},
        {"version": 7},
    ],
)
def test_impossible_quotas_are_refused_by_field(session: Session, changes: dict[str, Any]) -> None:
    consultant = a_consultant(session)

    with pytest.raises(Invalid) as error:
        staff.save_quota(session, MANAGER, consultant.id, 1, changes, NOON)

    assert list(error.value.fields) == list(changes)


def test_no_limit_a_day_is_empty(session: Session) -> None:
    consultant = a_consultant(session, max_per_day=5)

    staff.save_quota(session, MANAGER, consultant.id, 1, {"max_per_day": None}, NOON)

    assert session.get_one(ConsultantQuota, consultant.id).max_per_day is None


def test_an_employee_is_added_with_a_quota_to_start_with(session: Session) -> None:
    a_department(session)

    added = staff.add_employee(
        session,
        MANAGER,
        {"name": "Li Na", "department_code": 1001, "mobile": "+86 138 0013 8000", "consults": True},
        NOON,
    )

    assert session.get_one(Employee, added).mobile == "13800138000"
    quota = session.get_one(ConsultantQuota, added)
    assert (quota.weight, quota.max_customers, quota.accepting) == (10, 200, True)


def test_an_employee_needs_a_name_and_a_known_department(session: Session) -> None:
    a_department(session)

    with pytest.raises(Invalid) as error:
        staff.add_employee(session, MANAGER, {"name": " ", "department_code": 77, "email": "nowhere"}, NOON)

    assert set(error.value.fields) == {"name", "department_code", "email"}


def test_an_employee_is_changed_against_the_version_seen(session: Session) -> None:
    employee = an_employee(session, "Wang Wei")

    assert staff.save_employee(session, MANAGER, employee.id, 1, {"active": False, "wecom": "wangwei"}, NOON) == 2
    with pytest.raises(Conflict):
        staff.save_employee(session, MANAGER, employee.id, 1, {"name": "Wang"}, NOON)

    assert not session.get_one(Employee, employee.id).active


def test_a_quota_is_given_to_those_who_have_none(session: Session) -> None:
    new, has = an_employee(session), a_consultant(session)

    told = staff.give_quota_many(session, MANAGER, [new.id, has.id, 999], NOON)

    assert [told[each] is None for each in (new.id, has.id, 999)] == [True, False, False]
    assert session.get_one(ConsultantQuota, new.id).weight == 10


def test_of_many_who_give_the_same_quotas_at_once_each_is_given_by_one(engine: Engine) -> None:
    with writing() as session:
        people = [an_employee(session).id for _ in range(5)]

    def give(turn: int) -> list[int]:
        with writing() as session:
            told = staff.give_quota_many(session, MANAGER, people[turn:] + people[:turn], NOON)
        return [each for each, why in told.items() if why is None]

    with ThreadPoolExecutor(5) as threads:
        given = [each for one in threads.map(give, range(5)) for each in one]

    assert sorted(given) == people
    with reading() as session:
        assert sorted(row.employee_id for row in session.exec(select(ConsultantQuota))) == people
        assert len(session.exec(select(AuditEntry)).all()) == len(people)


def test_beside_each_quota_stands_share_held_and_today(session: Session) -> None:
    heavy, light, shut = (
        a_consultant(session, weight=20),
        a_consultant(session, weight=10),
        a_consultant(session, accepting=False),
    )
    a_private_customer(session, heavy)
    rows = session.exec(staff.quotas(session, MANAGER)).all()

    shares = staff.shares(session, rows, NOON)

    assert [str(shares[each.id]) for each in (heavy, light, shut)] == ["66.7 %", "33.3 %", "Not accepting"]
    assert staff.held(session, rows, NOON) == {heavy.id: 1, light.id: 0, shut.id: 0}
    assert staff.today(session, rows, NOON) == {heavy.id: 1, light.id: 0, shut.id: 0}
    assert str(staff.choices(session, MANAGER)[heavy.id]) == f"{heavy.name} (1 of 200)"


def test_whoever_left_or_cannot_sign_in_any_more_gets_customers_in_no_way(session: Session) -> None:
    left = a_consultant(session, active=False)
    locked_out = a_consultant(session, account_id=an_account(session, active=False).id)
    without_sign_in = a_consultant(session, account_id=None)
    waiting = a_customer(session)

    assert list(staff.choices(session, MANAGER)) == [without_sign_in.id]
    for each in (left, locked_out):
        assert str(staff.shares(session, [], NOON)[each.id]) == "Inactive"
        with pytest.raises(Invalid, match="no longer works here"):
            hand_over.assign_many(session, MANAGER, [waiting.id], NOON, consultant_id=each.id)
        with pytest.raises(Refused, match="active consultant"):
            holding.room_of(session, an_actor(role="consultant", of=each))
    assert hand_over.assign_many(session, MANAGER, [waiting.id], NOON, consultant_id=without_sign_in.id) == {
        waiting.id: None
    }


def test_a_department_has_a_code_of_its_own_and_a_name(session: Session) -> None:
    added = staff.add_department(session, MANAGER, {"code": 10, "name": " Sales "}, NOON)

    assert [(row.code, row.name) for row in session.exec(staff.departments(session, MANAGER))] == [(10, "Sales")]
    assert session.exec(select(AuditEntry.subject)).all() == ["department"]
    for values, wrong in (
        ({"code": 10, "name": "Other"}, ["code"]),
        ({"code": 0, "name": "Other"}, ["code"]),
        ({"code": "ten"}, ["code", "name"]),
        ({"code": 11, "name": " "}, ["name"]),
    ):
        with pytest.raises(Invalid) as error:
            staff.add_department(session, MANAGER, values, NOON)
        assert list(error.value.fields) == wrong
    assert staff.save_department(session, MANAGER, added, 1, {"code": 12, "name": "Sales office"}, NOON) == 2
    with pytest.raises(Conflict):
        staff.save_department(session, MANAGER, added, 1, {"name": "Another"}, NOON)


def test_the_code_of_a_department_stays_while_somebody_is_in_it(session: Session) -> None:
    employee = an_employee(session)
    department = session.exec(select(Department)).one()

    with pytest.raises(Invalid, match="somebody is in this department"):
        staff.save_department(session, MANAGER, department.id, 1, {"code": 5}, NOON)

    assert staff.save_department(session, MANAGER, department.id, 1, {"name": "Sales office"}, NOON) == 2
    assert session.get_one(Employee, employee.id).department_code == department.code


def test_who_looks_after_one_department_renames_that_one_only(session: Session) -> None:
    leader = an_employee(session, department=1001)
    ours = session.exec(select(Department)).one()
    theirs = a_department(session, 1002)
    actor = an_actor("staff.view", "staff.edit", reach=Reach.DEPARTMENT, of=leader)

    assert staff.save_department(session, actor, ours.id, 1, {"name": "We"}, NOON) == 2
    with pytest.raises(NotFound):
        staff.save_department(session, actor, theirs.id, 1, {"name": "They"}, NOON)
    with pytest.raises(Invalid, match="your own department"):
        staff.save_department(session, actor, ours.id, 2, {"code": 7}, NOON)
    with pytest.raises(NotAllowed):
        staff.add_department(session, actor, {"code": 3, "name": "New"}, NOON)


def test_a_sign_in_is_linked_once_by_who_manages_sign_ins(session: Session) -> None:
    one, two = an_employee(session, account_id=None), an_employee(session, account_id=None)
    account, disabled = an_account(session), an_account(session, active=False)
    boss = an_actor("staff.view", "staff.edit", ADMINISTERS)

    assert ids(session.exec(staff.free_accounts(session, boss))) == [account.id]
    assert ids(session.exec(staff.free_accounts(session, MANAGER))) == []
    with pytest.raises(NotAllowed):
        staff.save_employee(session, MANAGER, one.id, 1, {"account_id": account.id}, NOON)
    with pytest.raises(NotAllowed):
        values = {"name": "X", "department_code": 1001, "account_id": account.id}
        staff.add_employee(session, MANAGER, values, NOON)
    for wrong in (disabled.id, 999, "somebody"):
        with pytest.raises(Invalid, match="nobody has yet"):
            staff.save_employee(session, boss, one.id, 1, {"account_id": wrong}, NOON)
    assert staff.save_employee(session, boss, one.id, 1, {"account_id": account.id}, NOON) == 2
    with pytest.raises(Invalid, match="nobody has yet"):
        staff.save_employee(session, boss, two.id, 1, {"account_id": account.id}, NOON)

    assert staff.save_employee(session, boss, one.id, 2, {"account_id": None}, NOON) == 3
    assert staff.save_employee(session, boss, two.id, 1, {"account_id": account.id}, NOON) == 2
