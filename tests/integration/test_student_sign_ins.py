"""A student's sign-in: closed until a one-time password is handed out, by whoever may."""

import bcrypt
import pytest

from crm.domain.accounts import Account
from crm.errors import NotFound
from crm.rbac import store as rbac
from crm.services.access.passwords import matches
from crm.services.customers import customers
from crm.services.students import student_sign_ins
from tests.builders import NOON, a_private_customer, an_account, an_actor, an_employee
from tests.paying import confirm, student_of
from tests.school_builders import a_class_group, a_deposit, a_student, a_student_in


def test_a_new_sign_in_opens_with_the_password_that_was_handed_out(session, finance, seller):
    customer = a_private_customer(session, seller, phone=None, qq="10001")
    confirm(session, finance, a_deposit(session, customer, a_class_group(session)))
    student = student_of(session, customer)
    account = session.get_one(Account, student.account_id)
    assert account.name == "10001"
    assert account.password_hash == student_sign_ins.CLOSED

    handed = student_sign_ins.hand_out(session, finance, student.id, NOON)

    assert handed.name == "10001"
    assert matches(handed.password, account.password_hash)
    assert account.must_change_password


def test_a_closed_sign_in_is_checked_like_any_other_and_opens_to_nobody():
    assert bcrypt.checkpw(b"", student_sign_ins.CLOSED.encode()) is False


def test_a_taken_name_gives_way_to_a_number(session, finance, seller):
    an_account(session, "13800138000")
    customer = a_private_customer(session, seller, phone="13800138000")

    confirm(session, finance, a_deposit(session, customer, a_class_group(session)))

    student = student_of(session, customer)
    assert session.get_one(Account, student.account_id).name == f"s{student.id:06d}"


def test_a_student_whose_name_is_corrected_is_called_so_everywhere(session, finance, seller):
    customer, other = (a_private_customer(session, seller, name="Hu Jnu") for _each in range(2))
    group = a_class_group(session)
    confirm(session, finance, a_deposit(session, customer, group), a_deposit(session, other, group))
    student, namesake = student_of(session, customer), student_of(session, other)
    manager = an_actor(role="sales_manager")

    def names():
        return [session.get_one(Account, one.account_id).display_name for one in (student, namesake)]

    customers.save_changes(session, manager, customer.id, customer.version, {"name": "Hu Jun"}, NOON)
    session.expire_all()
    assert names() == ["Hu Jun", "Hu Jnu"]

    session.get_one(Account, student.account_id).display_name = "Jun"
    customers.save_changes(session, manager, customer.id, customer.version, {"name": "Hu Juen"}, NOON)
    session.expire_all()
    assert names() == ["Jun", "Hu Jnu"]


def test_a_students_sign_in_that_may_more_is_not_reset_here(session, finance):
    student = a_student(session, "Hu")
    rbac.give_role(session, student.account_id, [rbac.role_named(session, "administrator").id])

    with pytest.raises(student_sign_ins.Refused):
        student_sign_ins.hand_out(session, finance, student.id, NOON)


def test_a_teacher_hands_out_to_own_classes_only(session, finance):
    mine, other = an_employee(session), an_employee(session)
    student = a_student_in(session, a_class_group(session, teacher=mine), "Hu")
    rbac.give_role(session, student.account_id, [rbac.role_named(session, "student").id])

    assert student_sign_ins.hand_out(session, an_actor(role="class_teacher", of=mine), student.id, NOON)
    with pytest.raises(NotFound):
        student_sign_ins.hand_out(session, an_actor(role="class_teacher", of=other), student.id, NOON)
