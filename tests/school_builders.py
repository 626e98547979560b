"""Campuses, classes, students and places for tests, as `tests.builders` makes people and customers."""

from datetime import date, datetime, timedelta
from itertools import count
from typing import Any

from sqlmodel import Session, select

from crm.domain.classes import ClassGroup, ClassLecturer, ClassState
from crm.domain.customers import Customer, CustomerState
from crm.domain.payments import Payment, PaymentKind, PaymentState
from crm.domain.school import Course, School
from crm.domain.staff import Employee
from crm.domain.students import Enrolment, Student
from crm.domain.teaching import CourseRecord, DeletedDay, StudyRecord
from tests.builders import NOON, a_customer, a_payment, an_account, saved

TODAY = date(2025, 3, 3)
"""The school's day of NOON."""

_number = count(1)


def a_school(session: Session, name: str | None = None) -> School:
    """A campus."""
    return saved(session, School(name=name or f"Campus {next(_number)}", city="Shanghai"))


def a_course(session: Session, name: str | None = None, *, price_cents: int = 1_000_000) -> Course:
    """What is taught."""
    return saved(session, Course(name=name or f"Course {next(_number)}", price_cents=price_cents))


def a_class_group(
    session: Session,
    *lecturers: Employee,
    teacher: Employee | None = None,
    starts_on: date = TODAY,
    capacity: int = 40,
    price_cents: int = 1_000_000,
    state: ClassState = ClassState.RUNNING,
    **values: Any,
) -> ClassGroup:
    """A running class for 10,000 yuan, at a campus and of a course of its own, with these lecturers."""
    if "school_id" not in values:
        values["school_id"] = a_school(session).id
    if "course_id" not in values:
        values["course_id"] = a_course(session, price_cents=price_cents).id
    made: ClassGroup = saved(
        session,
        ClassGroup(
            **{
                "semester": 1,
                "starts_on": starts_on,
                "capacity": capacity,
                "price_cents": price_cents,
                "state": state,
                "teacher_id": teacher.id if teacher else None,
                **values,
            }
        ),
    )
    for lecturer in lecturers:
        saved(session, ClassLecturer(class_group_id=made.id, employee_id=lecturer.id))
    return made


def a_student(
    session: Session,
    name: str | None = None,
    *,
    consultant: Employee | None = None,
    sign_in: bool = True,
    **values: Any,
) -> Student:
    """An enrolled customer with a sign-in that nobody can use, won by `consultant`. No place and no payment yet."""
    if "customer_id" not in values:
        customer = a_customer(
            session,
            name,
            state=CustomerState.ENROLLED,
            last_consultant_id=consultant.id if consultant else None,
        )
        values["customer_id"] = customer.id
    if sign_in and "account_id" not in values:
        values["account_id"] = an_account(session, display_name=name or "").id
    return saved(session, Student(**{"created_at": NOON, **values}))


def an_enrolment(
    session: Session,
    student: Student,
    class_group: ClassGroup,
    *,
    joined_on: date | None = None,
    left_on: date | None = None,
    paid: bool = True,
    **values: Any,
) -> Enrolment:
    """A place in a class from its first day on, with the confirmed deposit that it came by unless `paid` is false."""
    if paid and "payment_id" not in values:
        customer = session.exec(select(Customer).where(Customer.id == student.customer_id)).one()
        values["payment_id"] = a_deposit(session, customer, class_group, PaymentState.CONFIRMED).id
    return saved(
        session,
        Enrolment(
            **{
                "student_id": student.id,
                "class_group_id": class_group.id,
                "joined_on": joined_on or class_group.starts_on,
                "left_on": left_on,
                **values,
            }
        ),
    )


def a_student_in(session: Session, class_group: ClassGroup, name: str | None = None, **values: Any) -> Student:
    """A student with a place in the class; `joined_on` and `left_on` are of the place, the rest of the student."""
    place = {key: values.pop(key) for key in ("joined_on", "left_on", "paid") if key in values}
    student = a_student(session, name, **values)
    an_enrolment(session, student, class_group, **place)
    return student


def a_deposit(
    session: Session,
    customer: Customer,
    class_group: ClassGroup,
    state: PaymentState = PaymentState.PENDING,
    kind: PaymentKind = PaymentKind.DEPOSIT,
    **values: Any,
) -> Payment:
    """A payment for a class: a deposit of 500 yuan that awaits confirmation, unless said otherwise."""
    return a_payment(session, customer, state, kind=kind, class_group_id=class_group.id, **values)


def a_course_record(
    session: Session,
    class_group: ClassGroup,
    held_on: date | None = None,
    *,
    initialised_at: datetime | None = None,
    taken_at: datetime | None = None,
    **values: Any,
) -> CourseRecord:
    """The next day of a class: the day after the last, the first on its first day. Neither initialised nor taken."""
    days = session.exec(select(CourseRecord).where(CourseRecord.class_group_id == class_group.id)).all()
    last = max(days, key=lambda one: one.day_number, default=None)
    if held_on is None:
        held_on = last.held_on + timedelta(days=1) if last else class_group.starts_on
    return saved(
        session,
        CourseRecord(
            **{
                "class_group_id": class_group.id,
                "day_number": last.day_number + 1 if last else 1,
                "held_on": held_on,
                "initialised_at": initialised_at or taken_at,
                "taken_at": taken_at,
                **values,
            }
        ),
    )


def a_deleted_day(session: Session, class_group: ClassGroup, deleted_at: datetime = NOON, **values: Any) -> DeletedDay:
    """A day of a class, a month after its first, that was deleted."""
    shown = {"day_number": 9, "held_on": class_group.starts_on + timedelta(days=30), "title": "", **values}
    day = CourseRecord(class_group_id=class_group.id, **shown)
    number = {"record_id": 900_000 + (class_group.id or 0), "class_group_id": class_group.id}
    return saved(
        session, DeletedDay(**number, **shown, kept=day.model_dump_json(exclude={"id"}), deleted_at=deleted_at)
    )


def a_study_record(session: Session, course_record: CourseRecord, student: Student, **values: Any) -> StudyRecord:
    """One student on one day: present by default, nothing handed in, nothing scored."""
    return saved(session, StudyRecord(**{"course_record_id": course_record.id, "student_id": student.id, **values}))
