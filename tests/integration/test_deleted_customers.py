"""Deleted customers come back within 30 days, to whom they were with."""

from datetime import timedelta

from sqlmodel import col, select

from crm.domain.customers import Customer, CustomerState
from crm.domain.episodes import Assignment, Origin, Outcome
from crm.i18n import says
from crm.services.customers import customers
from crm.services.customers.deleted_customers import days_to_restore, recoverable, restore_many
from crm.services.customers.holding import release_many
from crm.services.customers.scopes import NO_SUCH
from tests.builders import (
    NOON,
    a_consultant,
    a_customer,
    a_private_customer,
    a_public_customer,
    an_actor,
    ids,
)

MANAGER = an_actor(role="sales_manager")
LATER = NOON + timedelta(hours=1)
TAKEN = says("This phone number is in the school's records already.")


def fresh(session, customer):
    session.refresh(customer)
    return customer


def test_who_was_held_goes_back_to_the_same_consultant_and_who_waited_waits(session):
    me = a_consultant(session)
    held, waiting, public = a_private_customer(session, me), a_customer(session), a_public_customer(session)
    everybody = [held.id, waiting.id, public.id]
    customers.delete_many(session, MANAGER, everybody, NOON)

    told = restore_many(session, MANAGER, everybody, LATER)

    assert told == dict.fromkeys(everybody)
    assert (fresh(session, held).state, held.consultant_id) == (CustomerState.PRIVATE, me.id)
    assert (held.follow_up_due_at, held.deal_due_at) == (LATER + timedelta(days=3), LATER + timedelta(days=15))
    assert [fresh(session, each).state for each in (waiting, public)] == [CustomerState.WAITING, CustomerState.PUBLIC]
    episodes = session.exec(select(Assignment).where(Assignment.customer_id == held.id).order_by(Assignment.id)).all()
    assert [(each.outcome, each.origin) for each in episodes] == [
        (Outcome.RELEASED, Origin.SHARED),
        (Outcome.FOLLOWING, Origin.TRANSFERRED),
    ]


def test_without_room_or_where_the_consultant_left_they_come_back_to_the_pool(session):
    full, gone = a_consultant(session, max_customers=1), a_consultant(session)
    first, second = a_private_customer(session, full), a_private_customer(session, full)
    theirs = a_private_customer(session, gone)
    customers.delete_many(session, MANAGER, [first.id, second.id, theirs.id], NOON)
    gone.active = False
    session.flush()

    restore_many(session, MANAGER, [first.id, second.id, theirs.id], LATER)

    states = [fresh(session, each).state for each in (first, second, theirs)]
    assert states == [CustomerState.PRIVATE, CustomerState.PUBLIC, CustomerState.PUBLIC]


def test_who_had_been_released_before_the_deletion_stays_in_the_pool(session):
    me = a_consultant(session)
    customer = a_private_customer(session, me)
    release_many(session, an_actor(role="consultant", of=me), [customer.id], NOON)
    customers.delete_many(session, MANAGER, [customer.id], NOON)

    restore_many(session, MANAGER, [customer.id], LATER)

    assert fresh(session, customer).state is CustomerState.PUBLIC


def test_after_30_days_or_where_the_number_is_taken_nobody_comes_back(session):
    old, taken = a_customer(session, deleted_at=NOON), a_customer(session, deleted_at=NOON + timedelta(days=20))
    a_customer(session, phone=taken.phone)

    told = restore_many(session, MANAGER, [old.id, taken.id, 99_999], NOON + timedelta(days=30))

    assert told == {
        old.id: says("The 30 days in which this customer could be brought back are over."),
        taken.id: TAKEN,
        99_999: NO_SUCH,
    }


def test_of_two_with_the_same_number_the_first_comes_back(session):
    first, second = (a_customer(session, phone="13800138000", deleted_at=NOON) for _ in range(2))

    told = restore_many(session, MANAGER, [first.id, second.id], LATER)

    assert told == {first.id: None, second.id: TAKEN}
    alive = session.exec(select(Customer.id).where(col(Customer.deleted_at).is_(None))).all()
    assert alive == [first.id]


def test_the_list_ends_where_bringing_back_does(session):
    a_customer(session)
    gone = a_customer(session, deleted_at=NOON)

    def listed(days):
        return ids(session.exec(recoverable(session, MANAGER, NOON + timedelta(days=days))))

    assert listed(29.9) == [gone.id]
    assert listed(30) == []


def test_how_long_the_deleted_can_still_be_brought_back(session):
    gone = a_customer(session, deleted_at=NOON)

    told = [days_to_restore(gone, NOON + timedelta(days=days)) for days in (0, 0.5, 29, 29.9, 30, 31)]

    assert told == [30, 30, 1, 1, 0, 0]
    assert days_to_restore(a_customer(session), NOON) is None
