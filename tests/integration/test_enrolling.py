"""From customer to student: the first confirmation does all of it, or nothing."""

import re
from datetime import timedelta

import pytest
from sqlmodel import select

from crm.domain.accounts import Account
from crm.domain.customers import CustomerState
from crm.domain.episodes import Assignment, Outcome
from crm.domain.payments import PaymentKind, PaymentState
from crm.domain.records import Notification
from crm.domain.students import Enrolment, Student
from crm.domain.teaching import StudyRecord
from crm.i18n import Says
from crm.rbac import store as rbac
from crm.services.customers import customers, holding
from crm.services.students import payment_decisions, payments
from crm.settings import ROOT
from crm.xlsx.fields import BY_KEY
from tests.builders import NOON, a_customer, a_payment, a_private_customer, a_public_customer, an_actor
from tests.paying import change_of, confirm, paying, places, reject, student_of
from tests.school_builders import TODAY, a_class_group, a_course_record, a_deposit, a_student_in, a_study_record

DAY = timedelta(days=1)


def test_the_first_confirmation_makes_a_student_of_a_customer(session, finance, seller):
    customer = a_private_customer(session, seller, phone="13800138000")
    group = a_class_group(session, starts_on=TODAY + 7 * DAY)
    deposit = a_deposit(session, customer, group)

    assert confirm(session, finance, deposit) == [None]

    assert (customer.state, customer.consultant_id, customer.last_consultant_id) == (
        CustomerState.ENROLLED,
        None,
        seller.id,
    )
    episode = session.exec(select(Assignment).where(Assignment.customer_id == customer.id)).one()
    assert (episode.outcome, episode.closed_at) == (Outcome.ENROLLED, NOON)
    student = student_of(session, customer)
    assert places(session, student) == [(group.id, TODAY + 7 * DAY, None)]
    sign_in = session.get_one(Account, student.account_id)
    assert (sign_in.name, sign_in.must_change_password, sign_in.active) == ("13800138000", True, True)
    assert rbac.granted_to(session, sign_in.id).roles == ("student",)
    assert (deposit.state, deposit.decided_at, deposit.decided_by_id) == (
        PaymentState.CONFIRMED,
        NOON,
        finance.account_id,
    )


def test_confirming_twice_enrols_once(session, finance, seller):
    customer = a_private_customer(session, seller)
    deposit = a_deposit(session, customer, a_class_group(session))

    confirm(session, finance, deposit)

    assert confirm(session, finance, deposit) == ["Qian confirmed this payment already."]
    assert len(places(session, student_of(session, customer))) == 1


def test_a_second_payment_for_the_same_class_gives_no_second_place(session, finance, seller):
    customer = a_private_customer(session, seller)
    group = a_class_group(session)
    deposit = a_deposit(session, customer, group)
    tuition = a_deposit(session, customer, group, kind=PaymentKind.TUITION, amount_cents=950_000)

    assert confirm(session, finance, tuition, deposit) == [None, None]

    assert len(places(session, student_of(session, customer))) == 1


def test_two_classes_are_two_places(session, finance, seller):
    customer = a_private_customer(session, seller)
    first, second = a_class_group(session), a_class_group(session)

    confirm(session, finance, a_deposit(session, customer, first), a_deposit(session, customer, second))

    assert [place[0] for place in places(session, student_of(session, customer))] == [first.id, second.id]


@pytest.mark.parametrize("make", [a_public_customer, a_customer])
def test_whom_nobody_holds_any_more_enrols_by_a_payment_that_was_recorded_before(session, finance, make):
    customer = make(session)
    deposit = a_deposit(session, customer, a_class_group(session))

    assert confirm(session, finance, deposit) == [None]

    assert (customer.state, student_of(session, customer) is not None) == (CustomerState.ENROLLED, True)


def test_a_full_class_refuses_and_nothing_half_is_done(session, finance, seller):
    group = a_class_group(session, capacity=1)
    a_student_in(session, group)
    customer = a_private_customer(session, seller)
    deposit = a_deposit(session, customer, group)
    accounts = len(session.exec(select(Account)).all())

    (why,) = confirm(session, finance, deposit)

    assert "is full from 2025-03-03 on: 1 of 1 places are taken." in why
    assert (customer.state, deposit.state) == (CustomerState.PRIVATE, PaymentState.PENDING)
    assert student_of(session, customer) is None
    assert len(session.exec(select(Account)).all()) == accounts


def test_the_others_are_confirmed_though_one_is_refused(session, finance, seller):
    group = a_class_group(session, capacity=1)
    paid = [a_deposit(session, a_private_customer(session, seller), group) for _each in range(2)]

    first, second = confirm(session, finance, *paid)

    assert first is None
    assert "is full" in second


def test_whoever_joins_later_takes_the_place_already(session, finance, seller):
    group = a_class_group(session, capacity=1)
    a_student_in(session, group, joined_on=TODAY + 30 * DAY)
    deposit = a_deposit(session, a_private_customer(session, seller), group)

    (why,) = confirm(session, finance, deposit)

    assert "is full" in why


def test_a_place_that_ended_is_free_again_from_that_day_on(session, finance, seller):
    group = a_class_group(session, capacity=1)
    a_student_in(session, group, left_on=TODAY + 2 * DAY)
    early = a_deposit(session, a_private_customer(session, seller), group, takes_effect_on=TODAY + DAY)
    late = a_deposit(session, a_private_customer(session, seller), group, takes_effect_on=TODAY + 2 * DAY)

    first, second = confirm(session, finance, early, late)

    assert "is full" in first
    assert second is None


def test_a_finished_class_takes_nobody(session, finance, seller):
    group = a_class_group(session, starts_on=TODAY - 90 * DAY, ends_on=TODAY - DAY)
    deposit = a_deposit(session, a_private_customer(session, seller), group)

    (why,) = confirm(session, finance, deposit)

    assert "has ended" in why


def test_a_payment_without_a_class_is_refused_until_it_names_one(session, finance, seller):
    customer = a_private_customer(session, seller)

    assert confirm(session, finance, a_payment(session, customer)) == [
        "This payment names no class. Enter the class first."
    ]
    assert customer.state is CustomerState.PRIVATE


def test_who_joins_gets_study_records_for_days_prepared_and_not_yet_held(session, finance, seller):
    group = a_class_group(session, starts_on=TODAY - 10 * DAY)
    a_course_record(session, group, TODAY - DAY, initialised_at=NOON)
    a_course_record(session, group, TODAY, taken_at=NOON)
    tomorrow = a_course_record(session, group, TODAY + DAY, initialised_at=NOON)
    a_course_record(session, group, TODAY + 2 * DAY)
    customer = a_private_customer(session, seller)

    confirm(session, finance, a_deposit(session, customer, group))

    student = student_of(session, customer)
    found = session.exec(select(StudyRecord).where(StudyRecord.student_id == student.id)).all()
    assert [one.course_record_id for one in found] == [tomorrow.id]


def test_rejecting_changes_nothing_but_the_verdict_and_time_counts_again(session, finance, seller):
    customer = a_private_customer(session, seller, since=NOON - 20 * DAY)
    deposit = a_deposit(session, customer, a_class_group(session), recorded_at=NOON - 19 * DAY)

    assert not holding.lapsed(session, customer, NOON)

    assert reject(session, finance, deposit) == [None]

    assert (deposit.state, deposit.rejected_because) == (PaymentState.REJECTED, "No money came.")
    assert (customer.state, student_of(session, customer)) == (CustomerState.PRIVATE, None)
    assert holding.lapsed(session, customer, NOON)


def test_what_was_decided_is_not_decided_otherwise(session, finance, seller):
    group = a_class_group(session)
    confirmed = a_deposit(session, a_private_customer(session, seller), group)
    rejected = a_deposit(session, a_private_customer(session, seller), group)
    confirm(session, finance, confirmed)
    reject(session, finance, rejected)

    assert reject(session, finance, confirmed) == ["Qian confirmed this payment already."]
    assert confirm(session, finance, rejected) == ["Qian rejected this payment already."]


def test_a_class_change_leaves_the_one_and_joins_the_other_on_that_day(session, finance):
    old, new = a_class_group(session), a_class_group(session)
    student = a_student_in(session, old)
    untaken = a_course_record(session, old, TODAY + 5 * DAY, initialised_at=NOON)
    taken = a_course_record(session, old, TODAY + 6 * DAY, taken_at=NOON)
    remarked = a_course_record(session, old, TODAY + 7 * DAY, initialised_at=NOON)
    before = a_course_record(session, old, TODAY + 3 * DAY, initialised_at=NOON)
    for day in (untaken, taken, before):
        a_study_record(session, day, student)
    a_study_record(session, remarked, student, teacher_remark="Spoke to the parents.", version=2)
    there = a_course_record(session, new, TODAY + 5 * DAY, initialised_at=NOON)
    change = change_of(session, student, old, new, takes_effect_on=TODAY + 4 * DAY)

    assert confirm(session, finance, change) == [None]

    assert places(session, student) == [
        (old.id, TODAY, TODAY + 4 * DAY),
        (new.id, TODAY + 4 * DAY, None),
    ]
    days = session.exec(select(StudyRecord.course_record_id).where(StudyRecord.student_id == student.id)).all()
    assert set(days) == {taken.id, remarked.id, before.id, there.id}


def test_a_payment_for_a_class_that_was_left_by_a_later_one_gives_no_place_there(session, finance):
    old, new = a_class_group(session), a_class_group(session)
    student = a_student_in(session, old)
    tuition = paying(session, student, old, PaymentKind.TUITION, 100_000)
    confirm(session, finance, change_of(session, student, old, new))
    before = places(session, student)

    (why,) = confirm(session, finance, tuition)

    assert "recorded after this one. Correct the class" in why
    assert places(session, student) == before
    payments.save(session, finance, tuition.id, tuition.version, {"class_group_id": new.id}, NOON)
    assert confirm(session, finance, tuition) == [None]
    assert places(session, student) == before


def test_whoever_recorded_a_payment_reads_what_its_confirmation_did(session, finance, seller):
    group = a_class_group(session)
    student = a_student_in(session, group)
    deposit = a_deposit(session, a_private_customer(session, seller), group)
    refund = paying(session, student, group, PaymentKind.REFUND, 20_000)
    gone = paying(session, student, group, PaymentKind.WITHDRAWAL, 0)

    confirm(session, finance, deposit, refund, gone)

    told = session.exec(select(Notification.body).where(Notification.link.startswith("/payments"))).all()
    bodies = [str(Says.loaded(body)) for body in told]
    assert ["has the place" in body for body in bodies] == [True, False, False]
    assert len(set(bodies)) == 3


def test_a_change_to_a_full_class_leaves_the_student_where_they_are(session, finance):
    old, new = a_class_group(session), a_class_group(session, capacity=1)
    a_student_in(session, new)
    student = a_student_in(session, old)

    (why,) = confirm(session, finance, change_of(session, student, old, new))

    assert "is full" in why
    assert places(session, student) == [(old.id, TODAY, None)]


def test_a_withdrawal_ends_the_place_on_its_day(session, finance):
    group = a_class_group(session)
    student = a_student_in(session, group)

    gone = paying(session, student, group, PaymentKind.WITHDRAWAL, 0, takes_effect_on=TODAY + DAY)

    assert confirm(session, finance, gone) == [None]
    assert places(session, student) == [(group.id, TODAY, TODAY + DAY)]
    row = session.exec(select(Enrolment)).one()
    assert row.ended_by_id == gone.id


def test_a_withdrawal_before_the_class_begins_leaves_a_place_of_no_day(session, finance):
    group = a_class_group(session, starts_on=TODAY + 30 * DAY)
    student = a_student_in(session, group)

    confirm(session, finance, paying(session, student, group, PaymentKind.WITHDRAWAL, 0))

    assert places(session, student) == [(group.id, TODAY + 30 * DAY, TODAY + 30 * DAY)]


def test_a_refund_of_a_part_moves_money_only_and_of_all_ends_the_place(session, finance):
    group = a_class_group(session)
    student = a_student_in(session, group)

    confirm(session, finance, paying(session, student, group, PaymentKind.REFUND, 20_000))
    assert places(session, student) == [(group.id, TODAY, None)]

    confirm(session, finance, paying(session, student, group, PaymentKind.REFUND, 30_000), now=NOON + DAY)
    assert places(session, student) == [(group.id, TODAY, TODAY + DAY)]


def test_no_more_is_given_back_than_was_paid(session, finance):
    group = a_class_group(session)
    student = a_student_in(session, group)

    assert confirm(session, finance, paying(session, student, group, PaymentKind.REFUND, 50_001)) == [
        "500.00 yuan were paid for this class, so no more can be given back."
    ]


def test_who_comes_back_has_a_second_place_and_the_first_stays_as_it_was(session, finance):
    group = a_class_group(session)
    student = a_student_in(session, group, left_on=TODAY + 3 * DAY)

    confirm(session, finance, paying(session, student, group, PaymentKind.TUITION, 100))

    assert places(session, student) == [
        (group.id, TODAY, TODAY + 3 * DAY),
        (group.id, TODAY + 3 * DAY, None),
    ]


def test_only_who_may_decide_enrols(session, finance, seller):
    deposit = a_deposit(session, a_private_customer(session, seller), a_class_group(session))
    consultant = an_actor(role="consultant", of=seller)

    with pytest.raises(payment_decisions.Refused):
        payment_decisions.confirm_many(session, consultant, [deposit.id], NOON)


# Nobody enrols without a confirmed payment


def test_no_service_form_or_import_enrols_without_a_confirmed_payment(session, finance, seller):
    customer = a_private_customer(session, seller)
    manager = an_actor(role="administrator", of=seller)
    enrolled = {"state": CustomerState.ENROLLED}
    deposit = a_deposit(session, customer, a_class_group(session))

    with pytest.raises(payments.Invalid):
        customers.save_changes(session, manager, customer.id, customer.version, enrolled, NOON)
    with pytest.raises(payments.Invalid):
        customers.add(session, manager, {"name": "Hu", "phone": "13800138001", **enrolled}, NOON)
    with pytest.raises(payments.Invalid):
        payments.save(session, manager, deposit.id, 1, {"state": PaymentState.CONFIRMED}, NOON)
    assert {"state", "student", "enrolled"} & set(BY_KEY) == set()

    session.expire_all()
    assert (customer.state, deposit.state) == (CustomerState.PRIVATE, PaymentState.PENDING)
    assert session.exec(select(Student)).all() == session.exec(select(Enrolment)).all() == []


def test_one_file_alone_makes_students_and_places():
    """Whatever else there is to come, it enrols nobody."""
    makes = re.compile(r"(?<![\w.])(?:Student|Enrolment)\(\s*[a-z_]+\s*=|insert\((?:Student|Enrolment)\)")
    files = [file for folder in ("services", "store", "cli") for file in (ROOT / "crm" / folder).rglob("*.py")]

    assert [file.name for file in files if makes.search(file.read_text("utf-8"))] == ["enrolling.py"]


def test_who_has_a_payment_is_not_deleted(session, seller):
    customer = a_private_customer(session, seller)
    a_payment(session, customer, PaymentState.REJECTED)
    manager = an_actor(role="administrator", of=seller)

    told = customers.delete_many(session, manager, [customer.id], NOON)

    assert str(told[customer.id]) == f"{customer.name} has a payment, so the customer stays."
