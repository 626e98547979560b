"""What customers paid and owe, read for many at once: the confirmed payments, in the order of their confirmation."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlmodel import Session, col

from crm.domain.balances import Balance, balances, total
from crm.domain.classes import ClassGroup
from crm.domain.payments import Payment, PaymentState
from crm.domain.students import Student
from crm.store.many_rows import is_one_of

Balances = dict[int | None, Balance]


def customers(session: Session, ids: Iterable[int]) -> dict[int, Balances]:
    """Customer -> class -> balance, of those who have a confirmed payment."""
    wanted = sorted(set(ids))
    asked = (
        select(
            col(Payment.customer_id),
            col(Payment.kind),
            col(Payment.amount_cents),
            col(Payment.quoted_cents),
            col(Payment.class_group_id),
            col(Payment.from_class_group_id),
        )
        .where(is_one_of(session, col(Payment.customer_id), wanted), col(Payment.state) == PaymentState.CONFIRMED)
        .order_by(col(Payment.decided_at), col(Payment.id))
    )
    of: dict[int, list[Any]] = defaultdict(list)
    for row in session.execute(asked):
        of[row.customer_id].append(row)
    classes = {row.class_group_id for rows in of.values() for row in rows} - {None}
    prices = dict(
        map(
            tuple,
            session.execute(
                select(col(ClassGroup.id), col(ClassGroup.price_cents)).where(
                    is_one_of(session, col(ClassGroup.id), sorted(classes))
                )
            ),
        )
    )
    return {customer: balances(rows, prices) for customer, rows in of.items()}


def classes(session: Session, ids: Iterable[int]) -> dict[int, Balance]:
    """Class -> the sum of its students' balances."""
    wanted = set(ids)
    payers = session.scalars(
        select(col(Payment.customer_id))
        .where(is_one_of(session, col(Payment.class_group_id), sorted(wanted)))
        .where(col(Payment.state) == PaymentState.CONFIRMED)
        .distinct()
    )
    found: dict[int, list[Balance]] = defaultdict(list)
    for of in customers(session, payers).values():
        for key, balance in of.items():
            if key in wanted and key is not None:
                found[key].append(balance)
    return {key: _sum(parts) for key, parts in found.items()}


def _sum(parts: Sequence[Balance]) -> Balance:
    """Several students' balances as one, of which nothing is owed by those who left."""
    paid, owed = total(parts)
    return Balance(price=paid + owed, towards=paid)


# Columns of tables


def paid_by_students(session: Session, rows: Sequence[Student], _now: datetime) -> dict[int, int]:
    """What each of these students has paid, in cents."""
    return _of_students(session, rows, 0)


def owed_by_students(session: Session, rows: Sequence[Student], _now: datetime) -> dict[int, int]:
    """What each of these students still owes, in cents."""
    return _of_students(session, rows, 1)


def paid_for_classes(session: Session, rows: Sequence[ClassGroup], _now: datetime) -> dict[int, int]:
    """What was paid for each of these classes, in cents."""
    found = classes(session, [row.id for row in rows if row.id is not None])
    return {row.id: found[row.id].paid if row.id in found else 0 for row in rows if row.id is not None}


def owed_for_classes(session: Session, rows: Sequence[ClassGroup], _now: datetime) -> dict[int, int]:
    """What is still owed for each of these classes, in cents."""
    found = classes(session, [row.id for row in rows if row.id is not None])
    return {row.id: found[row.id].owed if row.id in found else 0 for row in rows if row.id is not None}


def _of_students(session: Session, rows: Sequence[Student], part: int) -> dict[int, int]:
    found = customers(session, [row.customer_id for row in rows])
    return {row.id: total(found.get(row.customer_id, {}).values())[part] for row in rows if row.id is not None}
