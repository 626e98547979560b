"""What is typed about a payment, checked: by itself, and against the classes and what was paid before."""

import re
from collections.abc import Mapping
from typing import Any

from sqlalchemy import select
from sqlmodel import Session, col

from crm.domain import normalise
from crm.domain.classes import ClassGroup, ClassState
from crm.domain.money import MOST_CENTS, within, yuan
from crm.domain.normalise import Wrong, half_width
from crm.domain.payments import Payment, PaymentKind, PaymentState
from crm.errors import Invalid
from crm.i18n import Says, says
from crm.services.students import enrolling, money_of
from crm.services.typed_cells import a_day

FREE = (PaymentKind.CLASS_CHANGE, PaymentKind.WITHDRAWAL)
"""Kinds that may cost nothing."""
NEW = (PaymentKind.DEPOSIT, PaymentKind.TUITION)
"""Kinds that give a place."""
SAME_RECEIPT = says("This receipt number is in use already.")
_RECEIPT = re.compile(r"[0-9A-Z][0-9A-Z./#-]{0,63}")


def receipt_number(typed: Any) -> str | None:
    """A receipt number as it is kept and compared: half-width, capitals, no spaces. Raises `Wrong`."""
    text = receipt_typed(normalise.written(typed))
    if text and not _RECEIPT.fullmatch(text):
        raise Wrong(says("A receipt number has letters, digits and - . / # only, 64 at most."))
    return text or None


def receipt_typed(text: str) -> str:
    """What was typed of a receipt number, as it would be kept."""
    return "".join(half_width(text).split()).upper()


def required(session: Session, customer_id: int, values: Mapping[str, Any]) -> dict[str, Any]:
    """The values, with the class filled in where the student has one only."""
    filled = dict(values)
    key = "from_class_group_id" if _kind(values) is PaymentKind.CLASS_CHANGE else "class_group_id"
    if _kind(values) not in NEW and filled.get(key) is None:
        classes = _open(session, customer_id)
        if len(classes) == 1:
            filled[key] = classes[0]
    return filled


def checked(session: Session, customer_id: int, values: Mapping[str, Any]) -> dict[str, Any]:
    """The values of a whole payment ready for the columns. Raises `Invalid` by field."""
    wrong: dict[str, Says] = {}
    cells: dict[str, Any] = {}
    for key, value in values.items():
        try:
            cells[key] = _CHECKS[key](value)
        except Wrong as error:
            wrong[key] = error.says
    if wrong:
        raise Invalid.of(wrong)
    kind, amount = cells["kind"], cells["amount_cents"] or 0
    cells["amount_cents"] = amount
    if amount == 0 and kind not in FREE:
        wrong["amount_cents"] = says("Enter an amount of more than nothing.")
    if kind is not PaymentKind.CLASS_CHANGE:
        cells["from_class_group_id"] = None
    wrong |= _classes(session, customer_id, cells)
    if not wrong and kind is PaymentKind.REFUND:
        wrong |= _refund(session, customer_id, cells)
    if wrong:
        raise Invalid.of(wrong)
    return cells


def require_free(session: Session, number: str | None, payment_id: int | None = None) -> None:
    """Raises `Invalid` where another payment than `payment_id` has the receipt number, but one that was rejected.

    That gives its number to whoever records it as it should have been.
    """
    same = select(col(Payment.id)).where(
        col(Payment.receipt_number) == number,
        col(Payment.id).is_distinct_from(payment_id),
        col(Payment.state) != PaymentState.REJECTED,
    )
    if number is not None and session.scalar(same) is not None:
        raise Invalid.of({"receipt_number": SAME_RECEIPT})


def _classes(session: Session, customer_id: int, cells: Mapping[str, Any]) -> dict[str, Says]:
    kind, wanted, left = cells["kind"], cells["class_group_id"], cells["from_class_group_id"]
    group = session.get(ClassGroup, wanted) if wanted is not None else None
    if group is None:
        return {"class_group_id": says("Choose the class.")}
    day = cells["takes_effect_on"]
    over = group.ends_on is not None and day is not None and day > group.ends_on
    # A place that ended after its class could not be ended again on the right day.
    if over and kind is not PaymentKind.REFUND:
        return {"takes_effect_on": says("This class has ended by then.")}
    if kind in (*NEW, PaymentKind.CLASS_CHANGE) and group.state is ClassState.FINISHED:
        return {"class_group_id": says("This class has ended by then.")}
    if kind is PaymentKind.CLASS_CHANGE:
        if left == wanted:
            return {"class_group_id": says("Choose another class than the one that is left.")}
        if left not in _open(session, customer_id):
            return {"from_class_group_id": says("Choose the class that the student leaves.")}
    if kind is PaymentKind.WITHDRAWAL and wanted not in _open(session, customer_id):
        return {"class_group_id": says("The student has no place in this class that could end.")}
    return {}


def _refund(session: Session, customer_id: int, cells: Mapping[str, Any]) -> dict[str, Says]:
    why = too_much(session, customer_id, cells["class_group_id"], cells["amount_cents"])
    return {"amount_cents": why} if why is not None else {}


def too_much(session: Session, customer_id: int, class_group_id: int | None, amount: int) -> Says | None:
    """Why so much cannot be given back for the class: nobody gets more than was paid. None where it can."""
    balance = money_of.customers(session, [customer_id]).get(customer_id, {}).get(class_group_id)
    paid = balance.towards if balance is not None else 0
    if amount > paid:
        return says("{paid} yuan were paid for this class, so no more can be given back.", paid=yuan(paid))
    return None


def _open(session: Session, customer_id: int) -> list[int]:
    student = enrolling.student_of(session, customer_id)
    if student is None or student.id is None:
        return []
    return [place.class_group_id for place in enrolling.open_places(session, student.id)]


def _kind(values: Mapping[str, Any]) -> PaymentKind | None:
    return next((one for one in PaymentKind if one == values.get("kind")), None)


def _a_kind(value: Any) -> PaymentKind:
    found = _kind({"kind": value})
    if found is None:
        raise Wrong(says("Choose what the money is for."))
    return found


def _cents(value: Any) -> int | None:
    if value is None or value == "":
        return None
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= MOST_CENTS:
        raise Wrong(says("Enter an amount in yuan with at most two decimals, such as 1280.50."))
    return within(value)


def _row(value: Any) -> int | None:
    if value is None or (isinstance(value, int) and not isinstance(value, bool)):
        return value
    raise Wrong(says("Choose the class."))


_CHECKS: Mapping[str, Any] = {
    "kind": _a_kind,
    "amount_cents": _cents,
    "quoted_cents": _cents,
    "class_group_id": _row,
    "from_class_group_id": _row,
    "receipt_number": receipt_number,
    "takes_effect_on": a_day,
    "note": lambda value: normalise.lines(value, 500),
}
