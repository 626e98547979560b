"""Contacts: who records them, and what they do to the deadline."""

from datetime import timedelta

import pytest
from sqlmodel import select

from crm.domain.deadlines import Deadlines
from crm.domain.episodes import Channel, FollowUp
from crm.errors import Invalid, NotAllowed, NotFound, Refused
from crm.services.customers import follow_ups
from tests.builders import NOON, a_consultant, a_payment, a_private_customer, an_actor, an_employee

LATER = NOON + timedelta(days=1)


def record(session, actor, customer, now=LATER, **values):
    said = {"channel": Channel.PHONE, "note": "Will visit on Friday.", **values}
    return follow_ups.record(session, actor, customer.id, **said, now=now)


def stored(session, customer):
    session.refresh(customer)
    return Deadlines(customer.follow_up_due_at, customer.deal_due_at)


def test_a_follow_up_by_its_consultant_moves_the_deadline(session):
    me = a_consultant(session)
    customer = a_private_customer(session, me)

    actor, tomorrow = an_actor(role="consultant", of=me), LATER + timedelta(days=1)

    kept = record(session, actor, customer, next_step="Call", next_at=tomorrow)

    assert stored(session, customer) == kept.due == (LATER + timedelta(days=3), NOON + timedelta(days=15))
    row = session.get_one(FollowUp, kept.id)
    assert (row.consultant_id, row.at, row.channel, row.next_step) == (me.id, LATER, Channel.PHONE, "Call")
    assert row.assignment_id is not None


def test_a_managers_note_is_kept_and_moves_nothing(session):
    customer = a_private_customer(session, a_consultant(session))
    manager = an_employee(session)

    kept = record(session, an_actor(role="sales_manager", of=manager), customer)

    assert stored(session, customer) == kept.due == (NOON + timedelta(days=3), NOON + timedelta(days=15))
    assert session.get_one(FollowUp, kept.id).assignment_id is None


def test_whom_another_holds_cannot_be_followed_up(session):
    me, customer = a_consultant(session), a_private_customer(session, a_consultant(session))

    with pytest.raises(NotFound):
        record(session, an_actor(role="consultant", of=me), customer)
    with pytest.raises(NotAllowed):
        record(session, an_actor(role="finance", of=me), customer)
    with pytest.raises(Refused):
        record(session, an_actor(role="sales_manager"), customer)


def test_a_contact_before_two_o_clock_saves_a_lapsed_customer(session):
    me = a_consultant(session)
    customer = a_private_customer(session, me)
    now = NOON + timedelta(days=3, hours=13, minutes=59)

    record(session, an_actor(role="consultant", of=me), customer, now=now)

    assert stored(session, customer).follow_up_due_at == now + timedelta(days=3)


def test_a_contact_after_the_two_o_clock_that_takes_the_customer_is_kept_but_saves_nothing(session):
    me = a_consultant(session)
    customer = a_private_customer(session, me)
    before = stored(session, customer)

    kept = record(session, an_actor(role="consultant", of=me), customer, now=NOON + timedelta(days=3, hours=14))

    assert stored(session, customer) == before
    assert session.get_one(FollowUp, kept.id).assignment_id is None


def test_who_was_passed_over_at_two_o_clock_can_be_followed_up(session):
    me = a_consultant(session)
    customer = a_private_customer(session, me)
    a_payment(session, customer)
    now = NOON + timedelta(days=4)

    record(session, an_actor(role="consultant", of=me), customer, now=now)

    assert stored(session, customer).follow_up_due_at == now + timedelta(days=3)


def test_a_double_click_is_one_contact(session):
    me = a_consultant(session)
    customer = a_private_customer(session, me)
    actor = an_actor(role="consultant", of=me)

    first = record(session, actor, customer)
    again = record(session, actor, customer, now=LATER + timedelta(seconds=1))
    other = record(session, actor, customer, now=LATER + timedelta(seconds=2), note="Called back.")

    assert first.id == again.id != other.id
    assert len(session.exec(select(FollowUp)).all()) == 2


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"note": " \n"}, "note"),
        ({"note": "x" * 2001}, "note"),
        ({"next_step": "x" * 501}, "next_step"),
        ({"next_at": LATER}, "next_at"),
        ({"channel": "pigeon"}, "channel"),
    ],
    ids=["no note", "long note", "long step", "a step in the past", "unknown channel"],
)
def test_a_wrong_field_is_named_and_nothing_is_kept(session, values, field):
    me = a_consultant(session)
    customer = a_private_customer(session, me)

    with pytest.raises(Invalid) as told:
        record(session, an_actor(role="consultant", of=me), customer, **values)

    assert set(told.value.fields) == {field}
    assert session.exec(select(FollowUp)).all() == []
