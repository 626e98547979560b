"""What a student has paid and owes: one function, from the confirmed payments."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Protocol

from crm.domain.payments import PaymentKind


class Confirmed(Protocol):
    """A confirmed payment as the sum asks for it."""

    @property
    def kind(self) -> PaymentKind: ...
    @property
    def amount_cents(self) -> int: ...
    @property
    def quoted_cents(self) -> int | None: ...
    @property
    def class_group_id(self) -> int | None: ...
    @property
    def from_class_group_id(self) -> int | None: ...


@dataclass(frozen=True, slots=True)
class Balance:
    """Cents: the price agreed, what was paid towards it less what was given back, and what else the school keeps.

    `kept` are fees, and what was paid before somebody left. `left` tells that nothing more is owed because the
    student left the class.
    """

    price: int = 0
    towards: int = 0
    kept: int = 0
    left: bool = False

    @property
    def paid(self) -> int:
        """All that the school has of it."""
        return self.towards + self.kept

    @property
    def owed(self) -> int:
        """What is still to be paid; below zero: to be given back."""
        return 0 if self.left else self.price - self.towards

    def __add__(self, other: "Balance") -> "Balance":
        return Balance(self.price + other.price, self.towards + other.towards, self.kept + other.kept)


NOTHING = Balance()
_TOWARDS = (PaymentKind.DEPOSIT, PaymentKind.TUITION)
_JOINS = (*_TOWARDS, PaymentKind.CLASS_CHANGE)


def balances(payments: Iterable[Confirmed], prices: Mapping[int, int]) -> dict[int | None, Balance]:
    """One customer's balance by class, from the confirmed payments in the order of their confirmation.

    The price is the one last quoted for the class, else the class's own (`prices`). Deposit and tuition count
    towards it, refunds less. A class change takes what was paid along to the new class; its fee, and that of a
    withdrawal, is kept. After a change, a withdrawal, or once all was given back, nothing more is owed for the class
    that was left; whoever comes back owes its price anew.
    A payment for no class in particular stands under None, as credit.
    """
    found: dict[int | None, Balance] = {}
    for one in payments:
        key = one.class_group_id
        here = found.get(key) or Balance(price=prices.get(key, 0) if key is not None else 0)
        if one.quoted_cents is not None:
            here = replace(here, price=one.quoted_cents)
        if here.left and one.kind in _JOINS:
            # Back again: what was paid before they left stays the school's.
            here = replace(here, kept=here.paid, towards=0, left=False)
        if one.kind in _TOWARDS:
            here = replace(here, towards=here.towards + one.amount_cents)
        elif one.kind is PaymentKind.REFUND:
            rest = here.towards - one.amount_cents
            here = replace(here, towards=rest, left=here.left or rest <= 0)
        elif one.kind is PaymentKind.WITHDRAWAL:
            here = replace(here, kept=here.kept + one.amount_cents, left=True)
        else:
            before = found.get(one.from_class_group_id, NOTHING)
            # Its price stays agreed: who comes back owes it.
            found[one.from_class_group_id] = replace(before, towards=0, left=True)
            here = replace(here, towards=here.towards + before.towards, kept=here.kept + one.amount_cents)
        found[key] = here
    return found


def total(parts: Iterable[Balance]) -> tuple[int, int]:
    """What was paid and what is owed over several classes, in cents."""
    listed = list(parts)
    return sum(one.paid for one in listed), sum(one.owed for one in listed)
