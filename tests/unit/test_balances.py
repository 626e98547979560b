"""What was paid and what is owed, from confirmed payments; and money as people type it."""

from typing import NamedTuple

import pytest

from crm.domain.balances import Balance, balances, total
from crm.domain.money import cents, yuan
from crm.domain.normalise import Wrong
from crm.domain.payments import PaymentKind

A, B = 1, 2
PRICES = {A: 1_000_000, B: 1_500_000}


class Paid(NamedTuple):
    kind: PaymentKind
    amount_cents: int
    class_group_id: int | None = A
    from_class_group_id: int | None = None
    quoted_cents: int | None = None


DEPOSIT = Paid(PaymentKind.DEPOSIT, 50_000)
TUITION = Paid(PaymentKind.TUITION, 950_000)


def refund(amount):
    return Paid(PaymentKind.REFUND, amount)


def of(*payments):
    return balances(payments, PRICES)


def test_the_price_less_deposit_and_tuition_is_owed():
    assert (of(DEPOSIT)[A].paid, of(DEPOSIT)[A].owed) == (50_000, 950_000)
    assert (of(DEPOSIT, TUITION)[A].paid, of(DEPOSIT, TUITION)[A].owed) == (1_000_000, 0)


def test_the_price_that_was_quoted_last_counts():
    quoted = [DEPOSIT._replace(quoted_cents=900_000), TUITION._replace(amount_cents=1, quoted_cents=800_000), refund(1)]

    assert of(*quoted)[A].price == 800_000


def test_a_refund_of_a_part_is_owed_again_and_of_all_ends_it():
    assert of(DEPOSIT, TUITION, refund(100_000))[A].owed == 100_000
    assert of(DEPOSIT, refund(50_000))[A] == Balance(price=1_000_000, towards=0, left=True)
    assert of(DEPOSIT, refund(50_000))[A].owed == 0


def test_after_a_withdrawal_nothing_more_is_owed_and_its_fee_is_kept():
    gone = of(DEPOSIT, Paid(PaymentKind.WITHDRAWAL, 10_000))[A]

    assert (gone.paid, gone.owed) == (60_000, 0)


def test_a_class_change_takes_what_was_paid_along():
    moved = of(DEPOSIT, TUITION, Paid(PaymentKind.CLASS_CHANGE, 20_000, B, A))

    assert (moved[A].paid, moved[A].owed) == (0, 0)
    assert (moved[B].paid, moved[B].owed) == (1_020_000, 500_000)


def test_who_comes_back_owes_the_price_anew_and_the_school_keeps_what_it_had():
    back = of(DEPOSIT, Paid(PaymentKind.WITHDRAWAL, 0), TUITION)[A]

    assert (back.paid, back.owed) == (1_000_000, 50_000)


def test_who_changes_back_owes_what_was_agreed_for_the_first_class():
    agreed = DEPOSIT._replace(quoted_cents=900_000)
    to_b, to_a = Paid(PaymentKind.CLASS_CHANGE, 0, B, A), Paid(PaymentKind.CLASS_CHANGE, 0, A, B)

    assert (of(DEPOSIT, to_b, to_a)[A].paid, of(DEPOSIT, to_b, to_a)[A].owed) == (50_000, 950_000)
    assert of(agreed, to_b, to_a)[A].owed == 850_000
    assert of(agreed, to_b, to_a)[B].owed == 0


def test_who_is_in_the_class_again_that_was_left_by_a_change_owes_its_price():
    both = of(DEPOSIT, Paid(PaymentKind.CLASS_CHANGE, 0, B, A), TUITION)

    assert (both[A].paid, both[A].owed) == (950_000, 50_000)
    assert (both[B].paid, both[B].owed) == (50_000, 1_450_000)


def test_who_comes_back_by_a_change_leaves_the_school_what_it_had():
    left = (DEPOSIT, Paid(PaymentKind.WITHDRAWAL, 0), TUITION._replace(class_group_id=B))
    back = of(*left, Paid(PaymentKind.CLASS_CHANGE, 0, A, B))[A]

    assert (back.paid, back.owed) == (1_000_000, 50_000)


def test_several_classes_are_told_apart_and_summed():
    both = of(DEPOSIT, TUITION._replace(class_group_id=B), DEPOSIT._replace(class_group_id=None))

    assert total(both.values()) == (1_050_000, 950_000 + 550_000 - 50_000)


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("1280.5", 128_050),
        ("1,280.50", 128_050),
        ("￥１２８０", 128_000),
        ("0.07", 7),
        ("19.99 元", 1_999),
        (500, 50_000),
    ],
)
def test_yuan_are_kept_as_whole_cents(typed, kept):
    assert cents(typed) == kept


@pytest.mark.parametrize("typed", ["1.005", "1e3", "-1", "", "ten", "1.", "NaN", "20000000.01"])
def test_what_is_no_amount_is_refused(typed):
    with pytest.raises(Wrong):
        cents(typed)


def test_cents_are_shown_as_yuan():
    assert [yuan(one) for one in (128_050, 7, -1_999, 0)] == ["1,280.50", "0.07", "-19.99", "0.00"]
