"""Payments: recorded by who holds the customer, corrected until they are decided, each receipt once."""

from contextlib import nullcontext
from datetime import timedelta
from functools import partial

import pytest
from sqlmodel import select

from crm.domain.payments import Payment, PaymentKind, PaymentState
from crm.errors import Invalid
from crm.grid.acting import Row, Work
from crm.services.students import payment_decisions, payments
from crm.tables.payments import PAYMENTS
from tests.builders import NOON, a_consultant, a_private_customer, a_public_customer, an_actor
from tests.paying import change_of, confirm, places, reject
from tests.school_builders import TODAY, a_class_group, a_deposit, a_student, a_student_in, an_enrolment

DAY = timedelta(days=1)


def record(session, actor, customer, group, **values):
    given = {"kind": "deposit", "amount": 50_000, "class_group_id": group.id if group else None, **values}
    told = payments.record_for(session, actor, [customer.id], NOON, **given)
    return told[customer.id]


def test_a_consultant_records_for_own_customers_only(session, finance, seller):
    group = a_class_group(session)
    actor = an_actor(role="consultant", of=seller)
    theirs = a_private_customer(session, a_consultant(session))

    assert record(session, actor, a_private_customer(session, seller), group) is None
    assert record(session, actor, theirs, group) == record(session, actor, a_public_customer(session), group)
    enrolled = a_student(session, consultant=seller), a_student(session, consultant=a_consultant(session))
    told = [
        payments.record_for_students(
            session, actor, [one.id], NOON, kind="tuition", amount=50_000, class_group_id=group.id
        )[one.id]
        for one in enrolled
    ]
    assert told == [None, payments.NO_SUCH]


def test_a_sales_manager_records_for_the_students_of_who_has_left(session, finance, seller):
    student = a_student_in(session, a_class_group(session), consultant=seller)
    seller.active = False
    session.flush()

    values = {"kind": PaymentKind.WITHDRAWAL, "amount": 0, "takes_effect_on": TODAY}
    manager = an_actor(role="sales_manager", of=a_consultant(session))
    told = payments.record_for_students(session, manager, [student.id], NOON, **values)

    assert told == {student.id: None}


@pytest.mark.parametrize("receipt", [None, "R-2025001"])
def test_the_same_payment_again_within_half_a_minute_is_one(session, finance, seller, receipt):
    actor, group = an_actor(role="consultant", of=seller), a_class_group(session)
    customer = a_private_customer(session, seller)

    told = [record(session, actor, customer, group, receipt_number=receipt) for _each in range(2)]

    assert told == [None, None]

    assert len(session.exec(payments.visible_to(session, actor)).all()) == 1


def test_a_receipt_number_is_used_once_however_it_is_typed(session, finance, seller):
    actor, group = an_actor(role="consultant", of=seller), a_class_group(session)
    record(session, actor, a_private_customer(session, seller), group, receipt_number=" r-2025 001 ")

    with pytest.raises(payments.Invalid) as wrong:
        record(session, actor, a_private_customer(session, seller), group, receipt_number="Ｒ-2025001")

    assert wrong.value.fields.keys() == {"receipt_number"}


def test_the_receipt_of_a_rejected_payment_is_recorded_anew(session, finance, seller):
    actor, group = an_actor(role="consultant", of=seller), a_class_group(session)
    wrong, right, other = (a_private_customer(session, seller) for _each in range(3))
    record(session, actor, wrong, group, receipt_number="R-1")
    rejected = session.exec(select(Payment).where(Payment.customer_id == wrong.id)).one()
    reject(session, finance, rejected, because="Another customer paid this.")

    assert record(session, actor, right, group, receipt_number="r-1") is None

    session.expire_all()
    kept = session.exec(select(Payment).where(Payment.customer_id == right.id)).one()
    assert (rejected.receipt_number, kept.receipt_number) == (None, "R-1")
    assert confirm(session, finance, kept) == [None]
    with pytest.raises(Invalid) as twice:
        record(session, actor, other, group, receipt_number="R-1")
    assert twice.value.fields.keys() == {"receipt_number"}


def test_the_receipt_of_a_rejected_payment_may_be_what_a_pending_one_is_corrected_to(session, finance, seller):
    group = a_class_group(session)
    rejected, pending = (
        a_deposit(session, a_private_customer(session, seller), group, receipt_number=number)
        for number in ("R-1", "R-2")
    )
    reject(session, finance, rejected)

    payments.save(session, finance, pending.id, pending.version, {"receipt_number": "R-1"}, NOON)

    session.expire_all()
    assert (rejected.receipt_number, pending.receipt_number) == (None, "R-1")


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"amount": 0}, "amount"),
        ({"amount": None}, "amount"),
        ({"amount": 12.5}, "amount"),
        ({"amount": -1}, "amount"),
        ({"kind": "gift"}, "kind"),
        ({"class_group_id": None}, "class_group_id"),
        ({"class_group_id": 999_999}, "class_group_id"),
        ({"kind": "withdrawal", "amount": 0}, "class_group_id"),
        ({"kind": "refund"}, "amount"),
        ({"receipt_number": "<b>"}, "receipt_number"),
        ({"quoted": -5}, "quoted"),
    ],
)
def test_what_cannot_be_a_payment_is_said_of_its_field(session, finance, seller, values, field):
    actor, group = an_actor(role="consultant", of=seller), a_class_group(session)
    customer = a_private_customer(session, seller)

    with pytest.raises(payments.Invalid) as wrong:
        record(session, actor, customer, group, **values)

    assert wrong.value.fields.keys() == {field}


def test_a_pending_payment_is_corrected_and_a_decided_one_stays(session, finance, seller):
    actor, group = an_actor(role="consultant", of=seller), a_class_group(session)
    deposit = a_deposit(session, a_private_customer(session, seller), group)

    version = payments.save(session, actor, deposit.id, deposit.version, {"amount_cents": 70_000}, NOON)
    assert (deposit.amount_cents, version) == (70_000, 2)

    confirm(session, finance, deposit)
    with pytest.raises(payments.Invalid):
        payments.save(session, actor, deposit.id, deposit.version, {"amount_cents": 1}, NOON)


def test_a_payment_that_was_corrected_since_finance_saw_it_is_not_decided_unseen(session, finance, seller):
    deposits = [a_deposit(session, a_private_customer(session, seller), a_class_group(session)) for _each in range(3)]
    rows = [Row(one.id, "seen", one.version) for one in deposits]
    for one in deposits[:2]:
        payments.save(session, finance, one.id, one.version, {"amount_cents": 1}, NOON)

    for name, params, row in (("confirm", {}, rows[0]), ("reject", {"because": "No money."}, rows[1])):
        action = next(one for one in PAYMENTS.actions if one.name == name)
        work = Work(action, action.run, params, [row])
        work.step(partial(nullcontext, session), finance, NOON)
        assert [str(why) for why in work.refused.values()] == [
            "Somebody corrected this payment since you saw it. Look at it again."
        ]

    assert {one.state for one in deposits} == {PaymentState.PENDING}
    seen = {one.id: one.version for one in deposits}
    assert set(payment_decisions.confirm_many(session, finance, list(seen), NOON, seen=seen).values()) == {None}


def test_a_class_change_is_corrected_in_both_its_classes(session, finance):
    old, other, new = (a_class_group(session) for _each in range(3))
    student = a_student_in(session, old)
    an_enrolment(session, student, other)
    change = change_of(session, student, old, new)
    offered = {one if isinstance(one, str) else one.name for one in PAYMENTS.edit.fields}

    payments.save(session, finance, change.id, change.version, {"from_class_group_id": other.id}, NOON)

    assert confirm(session, finance, change) == [None]
    assert [(place[0], place[2]) for place in places(session, student)] == [
        (old.id, None), (other.id, TODAY), (new.id, None),
    ]  # fmt: skip
    assert set(payments.CORRECTED) <= offered


def test_a_withdrawal_takes_effect_before_its_class_ends(session, seller):
    group = a_class_group(session, starts_on=TODAY, ends_on=TODAY + 60 * DAY)
    student = a_student_in(session, group, consultant=seller)
    li = an_actor(role="consultant", of=seller)

    def withdraw(day):
        values = {"kind": PaymentKind.WITHDRAWAL, "amount": 0, "takes_effect_on": day}
        return payments.record_for_students(session, li, [student.id], NOON, **values)[student.id]

    with pytest.raises(Invalid) as refused:
        withdraw(TODAY + 61 * DAY)
    assert set(refused.value.fields) == {"takes_effect_on"}
    assert withdraw(TODAY + 60 * DAY) is None
