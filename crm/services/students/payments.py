"""Payments: who sees them, recording one, and correcting it while it awaits confirmation.

Confirming and rejecting is in `payment_decisions`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, exists, select, update
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, col
from sqlmodel import select as select_rows
from sqlmodel.sql.expression import SelectOfScalar

from crm.domain.accounts import Account
from crm.domain.customers import Customer, CustomerState
from crm.domain.money import yuan
from crm.domain.payments import Payment, PaymentKind, PaymentState
from crm.domain.students import Student
from crm.errors import Invalid, NotFound, ThanosError, deny
from crm.i18n import Says, says
from crm.rbac import Actor
from crm.services.access import audit
from crm.services.classes.class_names import named
from crm.services.customers.holding import TOO_LATE, lapsed_among, locked
from crm.services.customers.scopes import HELD, LIVE, NO_SUCH
from crm.services.seen_rows import NO_RECORD, lock_row, require_seen
from crm.services.students.payment_checks import SAME_RECEIPT, checked, require_free, required
from crm.services.students.student_scopes import CLIENTS, PAYMENTS, STUDENTS
from crm.services.typed_cells import NOT_TYPED
from crm.store.many_rows import is_one_of

VIEW, RECORD, EDIT = "payments.view", "payments.record", "payments.edit"
DOUBLE_CLICK = timedelta(seconds=30)
_ONE = says("A payment is of one customer. Choose one.")
_ENROLLED = col(Customer.state) == CustomerState.ENROLLED


@dataclass(frozen=True, slots=True, kw_only=True)
class Typed:
    """What is asked for when a payment is recorded. Amounts in cents, the day on the school's calendar."""

    kind: PaymentKind | str
    amount: int | None = None
    class_group_id: int | None = None
    from_class_group_id: int | None = None
    quoted: int | None = None
    receipt_number: str | None = None
    takes_effect_on: date | None = None
    note: str | None = None

    def columns(self) -> dict[str, Any]:
        """The same under the names of the columns."""
        return {_COLUMNS.get(one.name, one.name): getattr(self, one.name) for one in fields(self)}


_COLUMNS = {"amount": "amount_cents", "quoted": "quoted_cents"}


def visible_to(_session: Session, actor: Actor) -> SelectOfScalar[Payment]:
    """The payments of the customers in the actor's reach."""
    actor.require(VIEW)
    return select_rows(Payment).where(PAYMENTS.where(actor, VIEW))


def record_for(
    session: Session, actor: Actor, ids: Sequence[int], now: datetime, **values: Any
) -> Mapping[int, Says | None]:
    """Record a payment of one customer whom a consultant holds, as `Typed` has it. Per id: None, or why not.

    Finance confirms or rejects it, and while it is pending the customer does not expire; one that comes after the
    time ran out keeps nobody. The same again within half a minute is one payment. Raises `Invalid` by field.
    """
    actor.require(RECORD)
    if len(set(ids)) != 1:
        return dict.fromkeys(ids, _ONE)
    return {ids[0]: _record(session, actor, ids[0], HELD, Typed(**values), now)}


def record_for_students(
    session: Session, actor: Actor, ids: Sequence[int], now: datetime, **values: Any
) -> Mapping[int, Says | None]:
    """The same of one student, who enrolled with the actor as far as the reach goes. Raises `Invalid` by field."""
    actor.require(RECORD)
    if len(set(ids)) != 1:
        return dict.fromkeys(ids, _ONE)
    asked = (
        select(col(Student.customer_id))
        .join(Customer, col(Customer.id) == col(Student.customer_id))
        .where(col(Student.id) == ids[0], CLIENTS.where(actor, RECORD))
    )
    customer_id = session.scalar(asked)
    if customer_id is None:
        deny(RECORD, ids[0])
        return {ids[0]: NO_SUCH}
    return {ids[0]: _record(session, actor, customer_id, _ENROLLED, Typed(**values), now)}


def _record(
    session: Session, actor: Actor, customer_id: int, state: ColumnElement[bool], typed: Typed, now: datetime
) -> Says | None:
    within = LIVE & state & CLIENTS.where(actor, RECORD)
    customer = locked(session, [customer_id], within, RECORD).get(customer_id)
    if customer is None:
        return NO_SUCH
    if customer_id in lapsed_among(session, [customer], now):
        return TOO_LATE
    try:
        cells = checked(session, customer_id, required(session, customer_id, typed.columns()))
    except Invalid as wrong:
        raise Invalid.of({_TYPED.get(key, key): why for key, why in wrong.fields.items()}) from wrong
    if _same_again(session, customer_id, cells, now):
        return None
    require_free(session, cells["receipt_number"])
    row = Payment(
        customer_id=customer_id,
        consultant_id=customer.consultant_id or customer.last_consultant_id,
        recorded_at=now,
        recorded_by_id=_account(actor),
        **cells,
    )
    _free_receipt_number(session, actor, RECORD, cells["receipt_number"], now)
    _write(session, row)
    kept = {"customer": customer_id, "kind": str(row.kind), "amount_cents": row.amount_cents}
    audit.record(session, actor, RECORD, "payment", row.id, None, kept, now)
    return None


def save(
    session: Session, actor: Actor, payment_id: int, version: int, changes: Mapping[str, Any], now: datetime
) -> int:
    """Correct a payment that awaits confirmation, against the version seen; returns the new version.

    Raises `Conflict` with the values now there, `Invalid` by field, `NotFound`, and `Refused` once it was decided.
    """
    actor.require(EDIT)
    payment = find(session, actor, EDIT, payment_id)
    require_seen(payment, version, changes)
    if payment.state is not PaymentState.PENDING:
        raise Invalid.of(dict.fromkeys(changes, DECIDED))
    wrong = {key: NOT_TYPED for key in changes if key not in CORRECTED}
    if wrong:
        raise Invalid.of(wrong)
    whole = {key: getattr(payment, key) for key in (*CORRECTED, "kind")} | dict(changes)
    cells = checked(session, payment.customer_id, whole)
    require_free(session, cells["receipt_number"], payment_id)
    _free_receipt_number(session, actor, EDIT, cells["receipt_number"], now)
    for key in changes:
        setattr(payment, key, cells[key])
    payment.version = version + 1
    _write(session, payment)
    audit.record(session, actor, EDIT, "payment", payment_id, None, {"fields": sorted(changes)}, now)
    return version + 1


CORRECTED = (
    "amount_cents",
    "class_group_id",
    "from_class_group_id",
    "quoted_cents",
    "receipt_number",
    "takes_effect_on",
    "note",
)
"""What can be corrected of a payment while it is pending. Another kind is another payment."""
DECIDED = says("This payment was decided already, so it stays as it is.")
_TYPED = {column: name for name, column in _COLUMNS.items()}


def called(session: Session, ids: Sequence[int]) -> dict[int, Says]:
    """What these payments are called, by id: whose, what for and how much."""
    asked = (
        select(col(Payment.id), col(Customer.name), col(Payment.kind), col(Payment.amount_cents))
        .join(Customer, col(Customer.id) == col(Payment.customer_id))
        .where(is_one_of(session, col(Payment.id), ids))
    )
    return {
        key: says("{name}: {kind}, {amount} yuan", name=name, kind=kind.label, amount=yuan(amount))
        for key, name, kind, amount in session.execute(asked)
    }


def class_names(session: Session, rows: Sequence[Payment], _now: datetime) -> dict[int, Says]:
    """The name of the class that each payment is for."""
    return _named(session, {row.id: row.class_group_id for row in rows if row.id is not None})


def left_names(session: Session, rows: Sequence[Payment], _now: datetime) -> dict[int, Says]:
    """The name of the class that is left by each class change."""
    return _named(session, {row.id: row.from_class_group_id for row in rows if row.id is not None})


def _named(session: Session, classes: Mapping[int, int | None]) -> dict[int, Says]:
    names = named(session, [key for key in classes.values() if key is not None])
    return {row: names[key] for row, key in classes.items() if key is not None}


def decided(_session: Session, _actor: Actor, rows: Sequence[Payment]) -> Mapping[int, Says]:
    """Which of these payments cannot be corrected any more, by id."""
    return {row.id: DECIDED for row in rows if row.id is not None and row.state is not PaymentState.PENDING}


@dataclass(frozen=True, slots=True)
class Sheet:
    """One payment as somebody may read it. `student_id` is whom it concerns, where they may see that student."""

    payment: Payment
    customer: str
    class_name: Says | None
    left_name: Says | None
    recorded_by: str
    decided_by: str | None
    student_id: int | None


def sheet(session: Session, actor: Actor, payment_id: int) -> Sheet:
    """All about one payment. Raises `NotFound`, `NotAllowed`."""
    row = session.exec(visible_to(session, actor).where(Payment.id == payment_id)).one_or_none()
    if row is None:
        raise NotFound(NO_RECORD, VIEW, payment_id)
    names = named(session, [key for key in (row.class_group_id, row.from_class_group_id) if key is not None])
    people = dict(
        map(
            tuple,
            session.execute(
                select(col(Account.id), col(Account.display_name)).where(
                    col(Account.id).in_([row.recorded_by_id, row.decided_by_id])
                )
            ),
        )
    )
    student = select(col(Student.id)).where(
        col(Student.customer_id) == row.customer_id, STUDENTS.where(actor, "students.view")
    )
    return Sheet(
        row,
        session.get_one(Customer, row.customer_id).name,
        names.get(row.class_group_id or 0),
        names.get(row.from_class_group_id or 0),
        people.get(row.recorded_by_id, ""),
        people.get(row.decided_by_id) if row.decided_by_id is not None else None,
        session.scalar(student),
    )


def find(session: Session, actor: Actor, permission: str, payment_id: int) -> Payment:
    """One payment on whom the actor may do `permission`, locked until the commit. Raises `NotFound`."""
    return lock_row(session, Payment, payment_id, PAYMENTS.where(actor, permission), permission)


def _free_receipt_number(session: Session, actor: Actor, action: str, number: str | None, now: datetime) -> None:
    """A rejected payment that has this number has it no longer: the same receipt belongs to the one recorded now."""
    if number is None:
        return
    freed = session.scalars(
        update(Payment)
        .where(col(Payment.receipt_number) == number, col(Payment.state) == PaymentState.REJECTED)
        .values(receipt_number=None, version=col(Payment.version) + 1)
        .returning(col(Payment.id)),
        execution_options={"synchronize_session": "fetch"},
    ).all()
    before, after = {"receipt_number": number}, {"receipt_number": None}
    audit.record_many(session, actor, action, "payment", [(key, before, after) for key in freed if key], now)


def _write(session: Session, row: Payment) -> None:
    try:
        with session.begin_nested():
            session.add(row)
            session.flush()
    except IntegrityError as error:
        if "receipt_number" not in str(error.orig):
            raise
        # The same words whoever's payment has it, so that nobody learns of a customer who is not theirs.
        raise Invalid.of({"receipt_number": SAME_RECEIPT}) from error


def _same_again(session: Session, customer_id: int, cells: Mapping[str, Any], now: datetime) -> bool:
    same = (getattr(Payment, key).is_not_distinct_from(value) for key, value in cells.items())
    asked = exists().where(
        col(Payment.customer_id) == customer_id,
        col(Payment.state) == PaymentState.PENDING,
        col(Payment.recorded_at) > now - DOUBLE_CLICK,
        *same,
    )
    return bool(session.scalar(select(asked)))


def _account(actor: Actor) -> int:
    if actor.account_id is None:
        raise ThanosError(says("Only a person can record a payment."))
    return actor.account_id
