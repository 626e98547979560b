"""The record view: the whole story, for whoever may open it, and nothing of anybody else."""

from datetime import timedelta

import pytest
from sqlmodel import Session

from crm.domain.customers import CustomerCourse
from crm.domain.episodes import Origin, Outcome
from crm.domain.imports import ImportBatch
from crm.domain.school import Course
from crm.errors import NotFound
from crm.i18n import says
from crm.services.customers import story
from tests.builders import (
    NOON,
    a_consultant,
    a_customer,
    a_follow_up,
    a_payment,
    a_private_customer,
    a_public_customer,
    an_account,
    an_actor,
    an_episode,
)

MANAGER = an_actor(role="sales_manager")
DAY = timedelta(days=1)


def test_everything_that_happened_is_told_latest_first(session: Session):
    first, second = a_consultant(session, "Ann"), a_consultant(session, "Bob")
    adder = an_account(session, display_name="Mary")
    customer = a_private_customer(session, second, since=NOON, created_at=NOON - 9 * DAY, created_by_id=adder.id)
    an_episode(
        session,
        customer,
        first,
        opened_at=NOON - 8 * DAY,
        closed_at=NOON - DAY,
        outcome=Outcome.NO_FOLLOW_UP,
        reason=says("Ann's turn.").stored(),
    )
    a_follow_up(session, customer, at=NOON - 7 * DAY, consultant_id=first.id, note="Not now.")
    a_follow_up(session, customer, at=NOON + DAY, next_step="Call", next_at=NOON + 2 * DAY)
    a_payment(session, customer, recorded_at=NOON + 2 * DAY)

    told = story.of(session, MANAGER, customer.id, NOON + 2 * DAY)

    assert [(event.kind, event.title, event.who) for event in told.events] == [
        ("payment", says("{kind}: {amount} yuan", kind=says("Deposit"), amount="500.00"), ""),
        ("follow_up", says("Phone"), "Bob"),
        ("opened", Origin.SHARED.label, "Bob"),
        ("closed", Outcome.NO_FOLLOW_UP.label, "Ann"),
        ("follow_up", says("Phone"), "Ann"),
        ("opened", Origin.SHARED.label, "Ann"),
        ("added", says("Added"), "Mary"),
    ]
    assert told.events[5].detail == says("Ann's turn.")
    assert told.events[4].text == "Not now."
    assert told.events[1].detail == says("Next: {step} ({at})", step="Call", at=NOON + 2 * DAY)
    assert (told.holder, told.mine, told.next_step) == ("Bob", False, ("Call", NOON + 2 * DAY))


def test_whom_another_holds_has_no_story(session):
    me, other = a_consultant(session), a_consultant(session)
    hidden = [a_private_customer(session, other), a_customer(session), a_public_customer(session, me)]

    for customer in hidden:
        with pytest.raises(NotFound):
            story.of(session, an_actor(role="consultant", of=me), customer.id, NOON)


def test_the_one_who_holds_it_reads_what_came_before(session):
    me, earlier = a_consultant(session), a_consultant(session, "Ann")
    customer = a_private_customer(session, me)
    a_follow_up(session, customer, at=NOON - DAY, consultant_id=earlier.id, note="Earlier.")

    told = story.of(session, an_actor(role="consultant", of=me), customer.id, NOON)

    assert told.mine
    assert told.reachable
    assert told.customer.phone == customer.phone
    assert [event.who for event in told.events if event.text == "Earlier."] == ["Ann"]


def test_how_to_reach_a_public_customer_is_for_the_one_who_claims(session):
    me = a_consultant(session)
    customer = a_public_customer(session, a_consultant(session), phone="13800138000", qq="10001")

    told = story.of(session, an_actor(role="consultant", of=me), customer.id, NOON)
    for_manager = story.of(session, MANAGER, customer.id, NOON)

    assert (told.reachable, told.customer.phone, told.customer.qq) == (False, None, None)
    assert (for_manager.reachable, for_manager.customer.phone) == (True, "13800138000")
    session.refresh(customer)
    assert customer.phone == "13800138000"


def test_a_referrer_is_named_only_to_whoever_may_open_them(session):
    me, other = a_consultant(session), a_consultant(session)
    friend = a_private_customer(session, other, name="Friend")
    customer = a_private_customer(session, me, referred_by_id=friend.id)

    assert story.of(session, an_actor(role="consultant", of=me), customer.id, NOON).referred_by is None
    assert story.of(session, MANAGER, customer.id, NOON).referred_by == (friend.id, "Friend")


def test_the_sheet_that_brought_it_and_the_courses_are_named(session):
    batch = ImportBatch(
        file_name="march.xlsx", digest="d", rows=1, imported=1, duplicates=0, errors=0, assigned=0, waiting=1,
        imported_at=NOON,
    )  # fmt: skip
    course = Course(name="Python")
    session.add_all([batch, course])
    session.flush()
    customer = a_customer(session, import_batch_id=batch.id)
    session.add(CustomerCourse(customer_id=customer.id, course_id=course.id))

    told = story.of(session, MANAGER, customer.id, NOON)

    assert told.events[0].title == says("Imported from {file}", file="march.xlsx")
    assert told.courses == ("Python",)


def test_the_clock_tells_the_two_o_clock_that_takes_the_customer(session):
    customer = a_private_customer(session, a_consultant(session))

    clock = story.of(session, MANAGER, customer.id, NOON).clock

    assert clock == story.Clock(NOON + 3 * DAY, NOON + 3 * DAY + timedelta(hours=14), None)
    assert story.of(session, MANAGER, a_customer(session).id, NOON).clock is None


def test_a_late_run_still_takes_it_at_its_own_two_o_clock(session):
    customer = a_private_customer(session, a_consultant(session))
    two = NOON + 3 * DAY + timedelta(hours=14)

    clock = story.of(session, MANAGER, customer.id, two + timedelta(minutes=5)).clock

    assert clock is not None
    assert clock.goes_at == two


def test_why_no_two_o_clock_takes_it_is_said(session):
    paid = a_private_customer(session, a_consultant(session))
    a_payment(session, paid)
    extended = a_private_customer(session, a_consultant(session), extended_until=NOON + 9 * DAY)

    kept = story.of(session, MANAGER, paid.id, NOON + 4 * DAY).clock
    later = story.of(session, MANAGER, extended.id, NOON + 4 * DAY).clock

    assert kept == story.Clock(NOON + 3 * DAY, None, says("A payment awaits confirmation."))
    assert later == story.Clock(NOON + 9 * DAY, NOON + 9 * DAY + timedelta(hours=14), None)


def test_reading_a_story_changes_nothing(session):
    customer = a_public_customer(session, phone="13800138000")
    a_payment(session, customer)

    story.of(session, an_actor(role="consultant", of=a_consultant(session)), customer.id, NOON)
    session.flush()

    session.refresh(customer)
    assert (customer.phone, customer.version) == ("13800138000", 1)
