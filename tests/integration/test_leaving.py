"""A consultant's sign-in is disabled, and what becomes of the customers."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlmodel import col, select

from crm.domain.accounts import Account
from crm.domain.customers import Customer, CustomerState
from crm.domain.episodes import Assignment, Outcome
from crm.domain.records import Notification
from crm.domain.staff import ConsultantQuota
from crm.errors import Conflict, Invalid, NotAllowed, Refused, ThanosError
from crm.rbac import Reach
from crm.services.access import accounts
from crm.services.access.permissions import SYSTEM, install_roles
from crm.services.customers import pool
from crm.services.doctor import check
from crm.services.staff import leaving
from crm.services.staff.leaving import HandOut, MoveTo, Stay
from crm.store.session import reading, writing
from tests.builders import NOON, a_consultant, a_private_customer, a_public_customer, an_account, an_actor

LATER = NOON + timedelta(hours=1)


@pytest.fixture
def office(session):
    """Li, who holds three customers, and two colleagues who take more, one of twice the weight."""
    install_roles(session)
    accounts.create(session, SYSTEM, "admin", "administrator", None, "", None, NOON)
    li = a_consultant(session, "Li", account_id=an_account(session, "li").id)
    small, large = a_consultant(session, "Small", weight=10), a_consultant(session, "Large", weight=20)
    held = [a_private_customer(session, li) for _ in range(3)]
    return session, li, small, large, [one.id for one in held]


def customers(session, ids):
    asked = select(Customer).where(col(Customer.id).in_(ids)).order_by(col(Customer.id))
    return list(session.exec(asked.execution_options(populate_existing=True)))


def closed(session, consultant):
    asked = select(Assignment).where(Assignment.consultant_id == consultant.id, col(Assignment.closed_at).is_not(None))
    return {one.customer_id: one.outcome for one in session.exec(asked)}


def test_handed_out_again_they_go_to_whose_turn_it_is(office):
    session, li, small, large, held = office

    left = leaving.disable(session, SYSTEM, "li", HandOut(), LATER)

    now = customers(session, held)
    assert (left.given, left.waiting, left.lapsed) == (3, 0, 0)
    assert sorted(one.consultant_id for one in now) == sorted([small.id, large.id, large.id])
    assert {one.last_consultant_id for one in now} == {li.id}
    assert {one.follow_up_due_at for one in now} == {LATER + timedelta(days=3)}
    assert closed(session, li) == dict.fromkeys(held, Outcome.LEFT_SCHOOL)
    assert {one.account_id for one in session.exec(select(Notification)).all()} == {small.account_id, large.account_id}
    assert not session.get(Account, li.account_id).active
    session.commit()
    assert check(session, LATER) == []


def test_moved_they_all_go_to_the_one_who_was_named(office):
    session, li, small, _large, held = office

    left = leaving.disable(session, SYSTEM, "li", MoveTo(small.id), LATER)

    assert left.given == 3
    assert {one.consultant_id for one in customers(session, held)} == {small.id}
    assert closed(session, li) == dict.fromkeys(held, Outcome.TRANSFERRED)
    session.commit()
    assert check(session, LATER) == []


def test_without_room_for_all_nothing_is_done(engine):
    with writing() as session:
        li = a_consultant(session, "Li", account_id=an_account(session, "li").id)
        narrow = a_consultant(session, "Narrow", max_customers=2)
        held = [a_private_customer(session, li).id for _ in range(3)]

    with pytest.raises(Refused) as refused, writing() as session:
        leaving.disable(session, SYSTEM, "li", MoveTo(narrow.id), LATER)

    assert str(refused.value).startswith("1 of 3 customers cannot go there: Narrow holds 2 customers")
    with reading() as session:
        assert {one.consultant_id for one in customers(session, held)} == {li.id}
        assert session.exec(select(Account.active).where(Account.name == "li")).one()


def test_who_has_no_room_anywhere_waits_with_the_reason(office):
    session, _li, small, large, held = office
    for full in (small, large):
        session.get(ConsultantQuota, full.id).max_customers = 1

    left = leaving.disable(session, SYSTEM, "li", HandOut(), LATER)

    assert (left.given, left.waiting) == (2, 1)
    waits = [one for one in customers(session, held) if one.state is CustomerState.WAITING]
    assert len(waits) == 1
    assert waits[0].waiting_reason
    session.commit()
    assert check(session, LATER) == []


@pytest.mark.parametrize("way", ["out", "to"])
def test_whose_deadlines_have_passed_is_left_to_the_rule(office, way):
    session, li, small, _large, _held = office
    late = a_private_customer(session, li, since=NOON - timedelta(days=5)).id

    left = leaving.disable(session, SYSTEM, "li", HandOut() if way == "out" else MoveTo(small.id), LATER)

    assert (left.given, left.lapsed) == (3, 1)
    assert [str(one) for one in left.says()][-1] == "Out of time, so in the public pool after the next run: 1."
    (stays,) = customers(session, [late])
    assert (stays.consultant_id, stays.state) == (li.id, CustomerState.PRIVATE)


def test_customers_stay_where_nobody_says_what_becomes_of_them(office):
    session, li, *_others, held = office

    leaving.disable(session, SYSTEM, "li", Stay(), LATER)

    assert {one.consultant_id for one in customers(session, held)} == {li.id}


def test_whoever_was_seen_to_hold_none_and_was_given_one_meanwhile_stays_until_somebody_says(office):
    session, li, *_others, held = office

    with pytest.raises(Conflict) as refused:
        leaving.disable(session, SYSTEM, "li", None, LATER)

    assert "meanwhile" in str(refused.value)
    assert session.get_one(Account, li.account_id).active
    leaving.disable(session, SYSTEM, "li", MoveTo(_others[0].id), LATER)
    leaving.disable(session, SYSTEM, "li", None, LATER)
    assert {one.consultant_id for one in customers(session, held)} == {_others[0].id}


def test_nobody_hands_on_customers_whom_they_may_not_assign(office):
    session, _li, small, _large, _held = office
    manages = an_actor("people.manage", of=small)
    narrow = replace(manages, grants={**manages.grants, "customers.assign": Reach.OWN})

    for by in (manages, narrow):
        with pytest.raises(NotAllowed):
            leaving.disable(session, by, "li", HandOut(), LATER)


@pytest.mark.parametrize("who", ["Li", "nobody"])
def test_they_are_moved_to_a_consultant_who_stays(office, who):
    session, li, *_others = office

    with pytest.raises(Invalid) as refused:
        leaving.disable(session, SYSTEM, "li", MoveTo(li.id if who == "Li" else 999), LATER)

    assert set(refused.value.fields) == {"consultant_id"}


def test_the_last_administrator_stays_whatever_becomes_of_customers(office):
    session, *_rest = office

    with pytest.raises(Refused):
        leaving.disable(session, SYSTEM, "admin", HandOut(), LATER)


def test_a_claim_at_the_same_moment_leaves_nobody_with_who_was_disabled(engine):
    with writing() as session:
        install_roles(session)
        accounts.create(session, SYSTEM, "admin", "administrator", None, "", None, NOON)
        li = a_consultant(session, "Li", account_id=an_account(session, "li").id)
        a_consultant(session, "Small")
        public = [a_public_customer(session).id for _ in range(20)]
    me = an_actor("pool.view", "pool.claim", of=li)

    def claim(customer_id):
        try:
            with writing() as session:
                pool.claim(session, me, customer_id, LATER)
        except ThanosError:
            return False
        return True

    def disable():
        with writing() as session:
            leaving.disable(session, SYSTEM, "li", HandOut(), LATER)

    with ThreadPoolExecutor(4) as threads:
        claims = [threads.submit(claim, one) for one in public[:10]]
        done = threads.submit(disable)
        claims += [threads.submit(claim, one) for one in public[10:]]
        done.result()
        [one.result() for one in claims]

    with reading() as session:
        assert session.exec(select(Customer.id).where(Customer.consultant_id == li.id)).all() == []
        assert check(session, LATER) == []
