"""Payments of students, what finance decides of them, and what came of it."""

from datetime import date, datetime
from typing import Any

from sqlmodel import Session, col, select

from crm.domain.classes import ClassGroup
from crm.domain.customers import Customer
from crm.domain.payments import Payment, PaymentKind
from crm.domain.students import Enrolment, Student
from crm.rbac import Actor
from crm.services.students import payment_decisions
from tests.builders import NOON
from tests.school_builders import a_deposit


def paying(
    session: Session, student: Student, group: ClassGroup, kind: PaymentKind, amount: int, **values: Any
) -> Payment:
    """A pending payment of the student's for the class."""
    customer = session.get_one(Customer, student.customer_id)
    return a_deposit(session, customer, group, kind=kind, amount_cents=amount, **values)


def change_of(session: Session, student: Student, old: ClassGroup, new: ClassGroup, **values: Any) -> Payment:
    """A pending change of the student's from one class to another."""
    return paying(session, student, new, PaymentKind.CLASS_CHANGE, 0, from_class_group_id=old.id, **values)


def confirm(session: Session, finance: Actor, *rows: Payment, now: datetime = NOON) -> list[str | None]:
    """Confirms them at once; of each None, or why not."""
    told = payment_decisions.confirm_many(session, finance, [one.id or 0 for one in rows], now)
    session.expire_all()
    return [None if why is None else str(why) for why in told.values()]


def reject(session: Session, finance: Actor, *rows: Payment, because: str = "No money came.") -> list[str | None]:
    """Rejects them at once; of each None, or why not."""
    told = payment_decisions.reject_many(session, finance, [one.id or 0 for one in rows], NOON, because=because)
    session.expire_all()
    return [None if why is None else str(why) for why in told.values()]


def student_of(session: Session, customer: Customer) -> Student | None:
    """The student that the customer became."""
    return session.exec(select(Student).where(Student.customer_id == customer.id)).one_or_none()


def places(session: Session, student: Student) -> list[tuple[int, date, date | None]]:
    """The student's places: class, joined, left."""
    asked = select(Enrolment).where(Enrolment.student_id == student.id).order_by(col(Enrolment.id))
    return [(one.class_group_id, one.joined_on, one.left_on) for one in session.exec(asked)]
