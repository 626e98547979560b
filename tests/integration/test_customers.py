"""Who sees whom, and what changes a customer: rules 1, 3 and 6 on real databases."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from sqlmodel import Session, select

from crm.domain.customers import Customer, CustomerCourse, CustomerState, Education
from crm.domain.episodes import Assignment, Origin, Outcome
from crm.domain.records import AuditEntry
from crm.domain.school import Course
from crm.errors import Conflict, Invalid, NotAllowed, NotFound, Refused
from crm.i18n import says
from crm.rbac import Reach
from crm.services.customers import customers
from crm.services.customers.deleted_customers import recoverable
from crm.services.customers.holding import extend_many, release_many
from crm.services.customers.scopes import EXPIRES_AT, NO_SUCH
from tests.builders import (
    NOON,
    a_consultant,
    a_customer,
    a_payment,
    a_private_customer,
    a_public_customer,
    an_actor,
    ids,
)

MANAGER = an_actor(role="sales_manager")
TAKEN = {"phone": says("This phone number is in the school's records already.")}


def fresh(session: Session, customer: Customer) -> Customer:
    session.refresh(customer)
    return customer


def episodes(session: Session, customer: Customer) -> list[Assignment]:
    asked = select(Assignment).where(Assignment.customer_id == customer.id).order_by(Assignment.id)
    return list(session.exec(asked.execution_options(populate_existing=True)))


# Who sees whom


def test_a_consultant_sees_own_customers_only(session):
    me, other = a_consultant(session), a_consultant(session)
    own = a_private_customer(session, me)
    a_private_customer(session, other)
    a_customer(session)
    a_public_customer(session)

    seen = session.exec(customers.mine(session, an_actor(role="consultant", of=me))).all()

    assert ids(seen) == [own.id]


def test_whom_another_holds_is_not_found_just_as_whom_there_never_was(session):
    me, other = a_consultant(session), a_consultant(session)
    theirs = a_private_customer(session, other)
    actor = an_actor(role="consultant", of=me)

    for customer_id in (theirs.id, 99_999):
        with pytest.raises(NotFound) as told:
            customers.get(session, actor, "my-customers.view", customer_id)
        assert told.value.says == NO_SUCH


def test_a_department_reach_sees_what_its_consultants_hold(session):
    here, there = a_consultant(session, department=1002), a_consultant(session, department=1003)
    ours = a_private_customer(session, here)
    a_private_customer(session, there)
    leader = an_actor("customers.view", "my-customers.view", reach=Reach.DEPARTMENT, of=here)

    assert ids(session.exec(customers.visible_to(session, leader))) == [ours.id]
    assert ids(session.exec(customers.mine(session, leader))) == [ours.id]


def test_a_manager_sees_everyone_but_the_deleted(session):
    me = a_consultant(session)
    seen = [a_private_customer(session, me), a_customer(session), a_public_customer(session, me)]
    a_customer(session, deleted_at=NOON)

    assert sorted(ids(session.exec(customers.visible_to(session, MANAGER)))) == ids(seen)


def test_without_the_permission_there_is_no_list(session):
    with pytest.raises(NotAllowed):
        customers.visible_to(session, an_actor(role="lecturer"))
    with pytest.raises(NotAllowed):
        customers.visible_to(session, an_actor(role="consultant", of=a_consultant(session)))


def test_sorting_by_expiry_follows_the_rule(session):
    me = a_consultant(session)
    late = a_private_customer(session, me, follow_up_days=1, extended_until=NOON + timedelta(days=9))
    soon = a_private_customer(session, me, follow_up_days=5, deal_days=2)
    middle = a_private_customer(session, me, extended_until=NOON + timedelta(days=1))

    listed = session.exec(customers.mine(session, an_actor(role="consultant", of=me)).order_by(EXPIRES_AT))

    assert ids(listed) == [soon.id, middle.id, late.id]


# Changing fields


def test_changes_are_made_uniform_and_raise_the_version(session):
    customer = a_customer(session)
    changes = {"phone": "＋86 138-0013-8000", "salary": "8k", "education": Education.MASTER, "note": "  two\nlines "}

    version = customers.save_changes(session, MANAGER, customer.id, 1, changes, NOON)

    saved = fresh(session, customer)
    assert (saved.phone, saved.salary, saved.education, saved.note) == (
        "13800138000",
        8000,
        Education.MASTER,
        "two\nlines",
    )
    assert version == saved.version == 2


def test_whoever_comes_second_reads_the_values_now_there(session):
    customer = a_customer(session, "Ann")
    customers.save_changes(session, MANAGER, customer.id, 1, {"name": "Anna", "note": "called"}, NOON)

    with pytest.raises(Conflict) as told:
        customers.save_changes(session, MANAGER, customer.id, 1, {"name": "Anne"}, NOON)

    assert told.value.theirs == {"name": "Anna"}
    assert told.value.says == says("Somebody else changed {name} since you saw it.", name="Anna")
    assert fresh(session, customer).name == "Anna"


def test_a_consultant_edits_own_customers_and_finds_no_others(session):
    me, other = a_consultant(session), a_consultant(session)
    own, theirs = a_private_customer(session, me), a_private_customer(session, other)
    public = a_public_customer(session)
    actor = an_actor(role="consultant", of=me)

    customers.save_changes(session, actor, own.id, 1, {"note": "mine"}, NOON)

    assert fresh(session, own).note == "mine"
    for hidden in (theirs, public):
        with pytest.raises(NotFound):
            customers.save_changes(session, actor, hidden.id, 1, {"note": "not mine"}, NOON)
    with pytest.raises(NotAllowed):
        customers.save_changes(session, an_actor(role="finance"), own.id, 2, {"note": "?"}, NOON)


def test_a_taken_number_is_refused_in_the_same_words_whoever_has_it(session):
    me, other = a_consultant(session), a_consultant(session)
    own = a_private_customer(session, me)
    rows = [
        a_private_customer(session, other),
        a_private_customer(session, me),
        a_public_customer(session, other),
        a_customer(session),
    ]

    for row in rows:
        with pytest.raises(Invalid) as told:
            customers.save_changes(session, an_actor(role="consultant", of=me), own.id, 1, {"phone": row.phone}, NOON)
        assert told.value.fields == TAKEN


def test_the_number_of_a_deleted_customer_is_free(session):
    gone = a_customer(session, deleted_at=NOON)
    customer = a_customer(session)

    customers.save_changes(session, MANAGER, customer.id, 1, {"phone": gone.phone}, NOON)

    assert fresh(session, customer).phone == gone.phone


def test_every_wrong_field_is_named_and_nothing_is_saved(session):
    customer = a_customer(session, "Ann")
    changes = {"name": " ", "phone": "123", "salary": -5, "consultant_id": 1, "note": "kept out"}

    with pytest.raises(Invalid) as told:
        customers.save_changes(session, MANAGER, customer.id, 1, changes, NOON)

    assert set(told.value.fields) == {"name", "phone", "salary", "consultant_id"}
    assert (fresh(session, customer).name, customer.note, customer.version) == ("Ann", None, 1)


def test_one_way_to_reach_a_customer_has_to_stay(session):
    customer = a_customer(session, phone="13800138000", qq="10001")

    version = customers.save_changes(session, MANAGER, customer.id, 1, {"phone": None}, NOON)
    with pytest.raises(Invalid) as told:
        customers.save_changes(session, MANAGER, customer.id, version, {"qq": ""}, NOON)

    assert told.value.fields == {"phone": says("Enter a phone number, a QQ number or a WeChat name.")}


def test_a_referrer_is_one_whom_the_editor_may_open(session):
    me, other = a_consultant(session), a_consultant(session)
    own, friend = a_private_customer(session, me), a_private_customer(session, me)
    hidden = a_private_customer(session, other)
    actor = an_actor(role="consultant", of=me)

    version = customers.save_changes(session, actor, own.id, 1, {"referred_by_id": friend.id}, NOON)

    assert fresh(session, own).referred_by_id == friend.id
    for wrong in (hidden.id, 99_999, own.id):
        with pytest.raises(Invalid) as told:
            customers.save_changes(session, actor, own.id, version, {"referred_by_id": wrong}, NOON)
        assert set(told.value.fields) == {"referred_by_id"}


def test_courses_of_interest_are_replaced_by_those_chosen(session):
    courses = [Course(name=name) for name in ("Python", "Accounting", "English")]
    session.add_all(courses)
    session.flush()
    first, second, third = ids(courses)
    customer = a_customer(session)

    version = customers.save_changes(session, MANAGER, customer.id, 1, {"course_ids": [first, second]}, NOON)
    customers.save_changes(session, MANAGER, customer.id, version, {"course_ids": [third, second, third]}, NOON)

    chosen = session.exec(select(CustomerCourse.course_id).where(CustomerCourse.customer_id == customer.id)).all()
    assert sorted(chosen) == [second, third]


def test_the_audit_log_names_the_fields_and_no_number(session):
    customer = a_customer(session)

    customers.save_changes(session, MANAGER, customer.id, 1, {"phone": "13800138000", "note": "x"}, NOON)

    entry = session.exec(select(AuditEntry)).one()
    assert (entry.action, entry.subject_id, entry.after) == (
        "customers.edit",
        customer.id,
        '{"fields": ["note", "phone"]}',
    )


# Adding one


def test_an_added_customer_is_shared_out_at_once(session):
    me = a_consultant(session)

    added = customers.add(session, MANAGER, {"name": "李雷", "phone": "13800138000"}, NOON)

    customer = session.get_one(Customer, added.id, populate_existing=True)
    assert added.shared is not None
    assert added.shared.by_consultant == {me.id: 1}
    assert (customer.state, customer.consultant_id) == (CustomerState.PRIVATE, me.id)
    assert [episode.origin for episode in episodes(session, customer)] == [Origin.SHARED]


def test_an_added_customer_waits_where_nobody_has_room(session):
    a_consultant(session, max_customers=0)

    added = customers.add(session, MANAGER, {"name": "李雷", "qq": "10001"}, NOON)

    customer = session.get_one(Customer, added.id, populate_existing=True)
    assert (customer.state, customer.consultant_id) == (CustomerState.WAITING, None)


def test_a_form_is_checked_like_a_sheet(session):
    with pytest.raises(Invalid) as told:
        customers.add(session, MANAGER, {"name": "", "phone": "12", "education": "wizard"}, NOON)
    assert set(told.value.fields) == {"name", "phone", "education"}

    taken = a_customer(session)
    with pytest.raises(Invalid) as told:
        customers.add(session, MANAGER, {"name": "Ann", "phone": taken.phone}, NOON)
    assert told.value.fields == TAKEN


def test_a_consultant_keeps_a_customer_won_personally(session):
    me = a_consultant(session)

    added = customers.add_mine(session, an_actor(role="consultant", of=me), {"name": "Ann", "wechat": "ann"}, NOON)

    customer = session.get_one(Customer, added.id)
    assert (customer.state, customer.consultant_id) == (CustomerState.PRIVATE, me.id)
    assert customer.deal_due_at == NOON + timedelta(days=15)
    assert [(each.origin, each.opened_at) for each in episodes(session, customer)] == [(Origin.ADDED, NOON)]


def test_nobody_adds_beyond_the_own_cap(session):
    me = a_consultant(session, max_customers=1)
    a_private_customer(session, me)

    with pytest.raises(Refused) as told:
        customers.add_mine(session, an_actor(role="consultant", of=me), {"name": "Ann", "wechat": "ann"}, NOON)

    assert told.value.says == says("You hold {held} of {cap} customers.", held=1, cap=1)


# Letting go, extending, deleting


def test_releasing_makes_public_and_closes_the_episode(session):
    me, other = a_consultant(session), a_consultant(session)
    own, theirs = a_private_customer(session, me), a_private_customer(session, other)

    later = (NOON + timedelta(hours=1)).astimezone(ZoneInfo("Asia/Shanghai"))

    told = release_many(session, an_actor(role="consultant", of=me), [own.id, theirs.id], later)

    assert told == {own.id: None, theirs.id: NO_SUCH}
    assert (fresh(session, own).state, own.consultant_id, own.last_consultant_id) == (CustomerState.PUBLIC, None, me.id)
    assert own.follow_up_due_at is None
    assert [(each.outcome, each.closed_at) for each in episodes(session, own)] == [(Outcome.RELEASED, later)]
    assert fresh(session, theirs).state is CustomerState.PRIVATE


def test_who_waited_for_a_lock_closes_no_episode_before_it_began(session):
    me = a_consultant(session)
    customer = a_private_customer(session, me, since=NOON)

    release_many(session, an_actor(role="consultant", of=me), [customer.id], NOON - timedelta(seconds=2))

    assert [each.closed_at for each in episodes(session, customer)] == [NOON]


def test_nobody_escapes_the_rule_by_releasing_or_extending_after_the_time_ran_out(session):
    me = a_consultant(session)
    customer = a_private_customer(session, me)
    now = NOON + timedelta(days=4)
    why = says("The time for this customer ran out: it goes to the public pool.")

    released = release_many(session, an_actor(role="consultant", of=me), [customer.id], now)
    extended = extend_many(session, MANAGER, [customer.id], now, until=now + timedelta(days=2))

    assert released == extended == {customer.id: why}


def test_who_has_a_pending_payment_can_still_be_extended(session):
    customer = a_private_customer(session, a_consultant(session))
    a_payment(session, customer)
    now = NOON + timedelta(days=4)

    assert extend_many(session, MANAGER, [customer.id], now, until=now + timedelta(days=2)) == {customer.id: None}


@pytest.mark.parametrize(("day", "taken"), [(date(2025, 11, 1), True), (date(2025, 11, 2), False)])
def test_the_last_day_of_an_extension_is_counted_on_the_calendar_also_where_clocks_change(
    session, use_settings, day, taken
):
    use_settings('[school]\ntime_zone = "Europe/Berlin"')
    customer = a_private_customer(session, a_consultant(session))
    # Half past midnight of 2 October; by 26 October an hour is put back.
    now = datetime(2025, 10, 1, 22, 30, tzinfo=UTC)
    customer.follow_up_due_at = customer.deal_due_at = now + timedelta(days=2)
    session.flush()

    if taken:
        assert extend_many(session, MANAGER, [customer.id], now, until=day) == {customer.id: None}
    else:
        with pytest.raises(Invalid):
            extend_many(session, MANAGER, [customer.id], now, until=day)


def test_an_extension_to_a_day_lasts_to_its_end_in_school(session):
    customer, public = a_private_customer(session, a_consultant(session)), a_public_customer(session)

    told = extend_many(session, MANAGER, [customer.id, public.id], NOON, until=date(2025, 3, 10))

    assert told == {customer.id: None, public.id: says("No consultant holds this customer.")}
    until = fresh(session, customer).extended_until
    assert until is not None
    assert until.isoformat() == "2025-03-10T16:00:00+00:00"


@pytest.mark.parametrize("until", [date(2025, 3, 2), date(2025, 5, 1)], ids=["past", "too far off"])
def test_an_extension_has_bounds(session, until):
    with pytest.raises(Invalid) as told:
        extend_many(session, MANAGER, [], NOON, until=until)

    assert told.value.fields == {"until": says("Choose a day from today to {days} days from now.", days=30)}


def test_the_deleted_leave_their_consultant_and_every_list(session):
    me = a_consultant(session)
    held, waiting = a_private_customer(session, me), a_customer(session)

    told = customers.delete_many(session, MANAGER, [held.id, waiting.id, 99_999], NOON)

    assert told == {held.id: None, waiting.id: None, 99_999: NO_SUCH}
    assert session.exec(customers.visible_to(session, MANAGER)).all() == []
    assert sorted(ids(session.exec(recoverable(session, MANAGER, NOON)))) == [held.id, waiting.id]
    assert [each.outcome for each in episodes(session, held)] == [Outcome.RELEASED]


def test_who_enrolled_cannot_be_deleted(session):
    enrolled = a_customer(session, state=CustomerState.ENROLLED)

    told = customers.delete_many(session, MANAGER, [enrolled.id], NOON)

    assert told == {enrolled.id: says("Who has enrolled cannot be deleted.")}


def test_whose_time_ran_out_is_not_deleted_before_the_rule_has_closed_the_episode(session):
    me = a_consultant(session)
    late = a_private_customer(session, me, follow_up_days=1)
    in_time = a_private_customer(session, me, follow_up_days=4)
    extended = a_private_customer(session, me, follow_up_days=1, extended_until=NOON + timedelta(days=9))
    paid = a_private_customer(session, me, follow_up_days=1)
    a_payment(session, paid)
    everybody = [late.id, in_time.id, extended.id, paid.id]

    told = customers.delete_many(session, MANAGER, everybody, NOON + timedelta(days=3))

    assert told == {
        late.id: says("The time for this customer ran out: it goes to the public pool."),
        in_time.id: None,
        extended.id: None,
        paid.id: says("{name} has a payment, so the customer stays.", name=paid.name),
    }
    assert [each.outcome for each in episodes(session, late)] == [Outcome.FOLLOWING]
