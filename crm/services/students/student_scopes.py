"""Whose a paying customer, a payment and a student are, said once: the same condition filters lists and checks rows."""

from typing import Any

from sqlalchemy import ColumnElement, and_, or_, select
from sqlmodel import col

from crm.domain.classes import ClassGroup
from crm.domain.customers import Customer, CustomerState
from crm.domain.payments import Payment
from crm.domain.staff import Employee
from crm.domain.students import Enrolment, Student
from crm.rbac import Scope
from crm.services.classes.class_scopes import CLASSES
from crm.services.customers.scopes import LIVE


def _won_by(staff: Any) -> ColumnElement[bool]:
    """Customers whom one of `staff` holds, and those who enrolled with one of them."""
    enrolled = and_(col(Customer.state) == CustomerState.ENROLLED, col(Customer.last_consultant_id).in_(staff))
    return or_(col(Customer.consultant_id).in_(staff), enrolled)


def _of(department: int) -> Any:
    return select(col(Employee.id)).where(col(Employee.department_code) == department)


def _customers(condition: ColumnElement[bool]) -> Any:
    return select(col(Customer.id)).where(LIVE, condition)


CLIENTS = Scope(
    key=col(Customer.id),
    own=lambda owner: _won_by([owner]),
    department=lambda code: _won_by(_of(code)),
)
"""Customers who may pay: those one holds, and those who enrolled with one. Never whom another holds."""

PAYMENTS = Scope(
    key=col(Payment.id),
    own=lambda owner: col(Payment.customer_id).in_(_customers(_won_by([owner]))),
    department=lambda code: col(Payment.customer_id).in_(_customers(_won_by(_of(code)))),
)
"""Payments, by whose customer pays: not by who recorded them, so that they follow a customer to the next consultant."""


def _student(won: ColumnElement[bool], taught: ColumnElement[bool]) -> ColumnElement[bool]:
    """Students one won, and those who have or had a place in a class one teaches."""
    placed = select(col(Enrolment.student_id)).where(
        col(Enrolment.class_group_id).in_(select(col(ClassGroup.id)).where(taught))
    )
    return or_(col(Student.customer_id).in_(_customers(won)), col(Student.id).in_(placed))


STUDENTS = Scope(
    key=col(Student.id),
    own=lambda owner: _student(_won_by([owner]), CLASSES.own(owner)),
    department=lambda code: _student(_won_by(_of(code)), CLASSES.department(code)),
)
"""Students: those who enrolled with one and those one teaches or taught, the same of one's department's staff, all."""
