"""The sign-ins of students: made with the student, opened by a one-time password that is shown once.

A new sign-in has no password that would open it. Somebody who may hands one out when the student is there to take
it: it exists on the screen of that one visit, and here as a hash only. No notice carries it, because a message waits
in an outbox and stays in a mailbox.
"""

import re
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import exists, select, update
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, col

from crm.domain.accounts import Account
from crm.domain.customers import Customer
from crm.domain.students import Student
from crm.errors import Refused
from crm.i18n import says
from crm.rbac import Actor
from crm.rbac import store as rbac
from crm.services.access import audit
from crm.services.access.accounts import NAME
from crm.services.access.passwords import hashed, made_up
from crm.services.access.sessions import end_every
from crm.services.seen_rows import lock_row
from crm.services.students.student_scopes import STUDENTS

SIGN_IN = "students.sign_in"
ROLE = "student"
CLOSED = "$2b$12$" + "." * 53
"""The hash of a sign-in that no password opens yet: nobody knows one that has it, and to find that out takes as long as
with any other, so that nobody learns by the clock whose phone number is a sign-in's name."""


@dataclass(frozen=True, slots=True)
class HandedOut:
    """What the student signs in with, once. The password is left out wherever this is written down."""

    name: str
    password: str = field(repr=False)


def make(session: Session, student: Student, customer: Customer, now: datetime) -> Account:
    """The sign-in of a new student, with the role of students and closed until a password is handed out.

    Its name is the phone number, else the QQ number, else the student's number.
    """
    assert student.id is not None
    account = _first_free(session, _names(customer, student.id), customer.name, now)
    role = rbac.role_named(session, ROLE)
    if role is not None and role.id is not None and account.id is not None:
        rbac.give_role(session, account.id, [role.id])
    student.account_id = account.id
    session.flush()
    return account


def rename(session: Session, customer_id: int, before: str, after: str) -> None:
    """The sign-in of the student that the customer is bears the new name, unless it has one of its own."""
    theirs = select(col(Student.account_id)).where(col(Student.customer_id) == customer_id).scalar_subquery()
    session.execute(
        update(Account)
        .where(col(Account.id) == theirs, col(Account.display_name) == before)
        .values(display_name=after),
        execution_options={"synchronize_session": False},
    )


def hand_out(session: Session, actor: Actor, student_id: int, now: datetime) -> HandedOut:
    """A new one-time password for the student's sign-in, which has to be changed at the first sign-in.

    Ends every session of it. Raises `NotFound`, `NotAllowed`, and `Refused` where the sign-in may do more than
    students do, or was disabled: that is for whoever manages sign-ins.
    """
    actor.require(SIGN_IN)
    actor.require_to_be_oneself(SIGN_IN)
    student = lock_row(session, Student, student_id, STUDENTS.where(actor, SIGN_IN), SIGN_IN)
    if student.account_id is None:
        account = make(session, student, session.get_one(Customer, student.customer_id), now)
        student.version += 1
    else:
        account = session.get_one(Account, student.account_id, populate_existing=True)
    assert account.id is not None
    if not account.active or not set(rbac.granted_to(session, account.id).roles) <= {ROLE}:
        raise Refused(says("This sign-in is looked after under People: it was disabled, or may do more than students."))
    secret = made_up()
    account.password_hash = hashed(secret)
    account.must_change_password = True
    end_every(session, account)
    audit.record(session, actor, SIGN_IN, "account", account.id, None, {"password": "reset"}, now)
    return HandedOut(account.name, secret)


def _names(customer: Customer, number: int) -> list[str]:
    """What the sign-in may be called, the best first."""
    typed = [re.sub(r"\D", "", one) for one in (customer.phone, customer.qq) if one]
    return [one for one in typed if NAME.fullmatch(one)] + [f"s{number:06d}", f"student{number:06d}"]


def _first_free(session: Session, names: list[str], display_name: str, now: datetime) -> Account:
    for name in names:
        if session.scalar(select(exists().where(col(Account.name) == name))):
            continue
        account = Account(
            name=name, display_name=display_name, password_hash=CLOSED, must_change_password=True, created_at=now
        )
        try:
            with session.begin_nested():
                session.add(account)
                session.flush()
        except IntegrityError:
            # Somebody took the name a moment earlier.
            continue
        return account
    raise Refused(says("No name for a sign-in is free. Make one under People first."))
