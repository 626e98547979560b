"""Classes: who sees and changes them, who can teach them, and how many fit in."""

import json
from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest
from sqlmodel import Session, select

from crm.domain.classes import ClassGroup, ClassLecturer, ClassState
from crm.domain.customers import Customer
from crm.domain.payments import PaymentKind
from crm.domain.records import AuditEntry
from crm.domain.students import Student
from crm.errors import Conflict, Invalid, NotAllowed, NotFound
from crm.grid.query import read_page
from crm.grid.view import read_view
from crm.rbac import Reach
from crm.services.classes import classes, courses
from crm.services.students import student_payments, students
from crm.tables.students import STUDENTS
from tests.builders import NOON, a_consultant, a_department, a_payment, an_actor, an_employee
from tests.school_builders import TODAY, a_class_group, a_course, a_deposit, a_school, a_student_in, an_enrolment

DAY = timedelta(days=1)
HEAD = an_actor(role="administrator")


def names(session, actor):
    return [one.id for one in session.exec(classes.visible_to(session, actor)).all()]


def test_teachers_see_their_own_classes_and_consultants_all(session: Session):
    lecturer, teacher, seller = an_employee(session), an_employee(session), a_consultant(session)
    lectured, led, other = (
        a_class_group(session, lecturer),
        a_class_group(session, teacher=teacher),
        a_class_group(session),
    )

    assert names(session, an_actor(role="lecturer", of=lecturer)) == [lectured.id]
    assert names(session, an_actor(role="class_teacher", of=teacher)) == [led.id]
    assert names(session, an_actor(role="consultant", of=seller)) == [lectured.id, led.id, other.id]


def test_a_class_is_added_with_its_lecturers_and_costs_what_the_course_does(session: Session):
    one, two = an_employee(session), an_employee(session)

    added = classes.add(session, HEAD, {**new(session), "lecturer_ids": [one.id, two.id]}, NOON)

    row = session.get_one(ClassGroup, added)
    assert (row.price_cents, row.state, row.capacity) == (1_980_000, ClassState.PLANNED, 40)
    assert classes.lecturers_of(session, [row], NOON) == {added: f"{one.name}, {two.name}"}


def test_who_taught_a_class_and_who_teaches_it_now_is_noted(session: Session):
    one, two = an_employee(session), an_employee(session)

    added = classes.add(session, HEAD, {**new(session), "lecturer_ids": [one.id], "note": "Room 3"}, NOON)
    classes.save(session, HEAD, added, 1, {"lecturer_ids": [two.id], "teacher_id": one.id, "note": "Room 4"}, NOON)

    entries = session.exec(select(AuditEntry).where(AuditEntry.subject == "class_group").order_by(AuditEntry.id)).all()
    first, second = [(json.loads(each.before or "{}"), json.loads(each.after)) for each in entries]
    assert (first[1]["lecturer_ids"], first[1]["starts_on"], first[1]["fields"]) == ([one.id], f"{TODAY}", ["note"])
    assert second == (
        {"lecturer_ids": [one.id], "teacher_id": None, "fields": ["note"]},
        {"lecturer_ids": [two.id], "teacher_id": one.id, "fields": ["note"]},
    )


def new(session, **values):
    return {
        "school_id": a_school(session).id,
        "course_id": a_course(session, price_cents=1_980_000).id,
        "semester": 1,
        "starts_on": TODAY,
        **values,
    }


def test_only_staff_of_the_departments_named_can_teach(session: Session, use_settings):
    use_settings("[school]\nlecturer_departments = [1003]\nclass_teacher_departments = [1004]\n")
    a_department(session, 1003, "Teaching"), a_department(session, 1004, "Affairs")
    lecturer, teacher = an_employee(session, department=1003), an_employee(session, department=1004)
    gone = an_employee(session, department=1003, active=False)

    assert session.scalars(classes.possible_lecturers(session, HEAD)).all() == [lecturer]
    assert session.scalars(classes.possible_teachers(session, HEAD)).all() == [teacher]
    for wrong in (
        {"lecturer_ids": [teacher.id]},
        {"lecturer_ids": [gone.id]},
        {"lecturer_ids": ["1"]},
        {"teacher_id": lecturer.id},
    ):
        with pytest.raises(Invalid) as told:
            classes.add(session, HEAD, new(session, **wrong), NOON)
        assert told.value.fields.keys() == wrong.keys()
    assert classes.add(session, HEAD, new(session, lecturer_ids=[lecturer.id], teacher_id=teacher.id), NOON)


def test_who_teaches_a_class_already_stays_when_the_departments_change(session: Session, use_settings):
    lecturer = an_employee(session)
    group = a_class_group(session, lecturer, teacher=lecturer)
    use_settings("[school]\nlecturer_departments = [1003]\nclass_teacher_departments = [1004]\n")

    changes = {"lecturer_ids": [lecturer.id], "teacher_id": lecturer.id, "note": "Evenings"}

    assert classes.save(session, HEAD, group.id, 1, changes, NOON) == 2


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"semester": 0}, "semester"),
        ({"capacity": 0}, "capacity"),
        ({"price_cents": -1}, "price_cents"),
        ({"ends_on": TODAY - DAY}, "ends_on"),
        ({"school_id": 99_999}, "school_id"),
        ({"course_id": None}, "course_id"),
        ({"state": "closed"}, "state"),
        ({"version": 7}, "version"),
    ],
)
def test_what_cannot_be_a_class_is_said_of_its_field(session: Session, values, field):
    with pytest.raises(Invalid) as told:
        classes.add(session, HEAD, new(session, **values), NOON)

    assert told.value.fields.keys() == {field}


def test_one_run_of_a_course_is_at_a_campus_once(session: Session):
    values = new(session)
    classes.add(session, HEAD, values, NOON)

    with pytest.raises(Invalid) as told:
        classes.add(session, HEAD, values, NOON)

    assert told.value.fields.keys() == {"semester"}


def test_a_class_keeps_room_for_everybody_in_it_and_to_come(session: Session):
    group = a_class_group(session, capacity=5)
    a_student_in(session, group)
    a_student_in(session, group, joined_on=TODAY + 9 * DAY)
    a_student_in(session, group, left_on=TODAY)

    with pytest.raises(Invalid):
        classes.save(session, HEAD, group.id, 1, {"capacity": 1}, NOON)
    assert classes.save(session, HEAD, group.id, 1, {"capacity": 2}, NOON) == 2
    assert classes.in_it_today(session, [group], NOON) == {group.id: 1}


def test_a_change_is_saved_against_the_version_seen_and_lecturers_with_it(session: Session):
    one, two = an_employee(session), an_employee(session)
    group = a_class_group(session, one)

    classes.save(session, HEAD, group.id, 1, {"lecturer_ids": [two.id], "state": ClassState.FINISHED}, NOON)

    assert session.exec(select(ClassLecturer.employee_id)).all() == [two.id]
    with pytest.raises(Conflict):
        classes.save(session, HEAD, group.id, 1, {"note": "late"}, NOON)


def test_who_looks_after_own_classes_only_changes_no_other_and_adds_none(session: Session):
    teacher = an_employee(session)
    mine, other = a_class_group(session, teacher=teacher), a_class_group(session)
    actor = an_actor("classes.view", "classes.edit", reach=classes.Reach.OWN, of=teacher)

    assert classes.save(session, actor, mine.id, 1, {"note": "Ours"}, NOON) == 2
    with pytest.raises(NotFound):
        classes.save(session, actor, other.id, 1, {"note": "Theirs"}, NOON)
    with pytest.raises(NotAllowed):
        classes.add(session, actor, new(session), NOON)


def test_what_is_paid_and_owed_for_a_class_is_the_sum_of_its_students(session: Session):
    group = a_class_group(session, price_cents=1_000_000)
    a_student_in(session, group), a_student_in(session, group)

    found = classes.money(session, HEAD, group.id)

    assert (found.paid, found.owed) == (100_000, 1_900_000)


# Campuses and courses


def test_campuses_and_courses_are_added_and_renamed_by_who_looks_after_all(session: Session):
    campus = courses.add_school(session, HEAD, {"name": "North", "city": "Xi'an"}, NOON)
    course = courses.add_course(session, HEAD, {"name": "Python", "price_cents": 1_980_000}, NOON)

    assert courses.save_school(session, HEAD, campus, 1, {"name": "South"}, NOON) == 2
    assert courses.save_course(session, HEAD, course, 1, {"active": False}, NOON) == 2
    assert session.scalars(classes.active_courses(session, HEAD)).all() == []
    with pytest.raises(Invalid):
        courses.add_school(session, HEAD, {"name": "South"}, NOON)
    with pytest.raises(NotAllowed):
        courses.add_school(session, an_actor("courses.edit", reach=classes.Reach.OWN), {"name": "East"}, NOON)


# Students


def test_contact_in_need_and_placement_are_kept_by_who_teaches_the_student(session: Session):
    teacher, other = an_employee(session), an_employee(session)
    student = a_student_in(session, a_class_group(session, teacher=teacher), "Hu")
    actor = an_actor(role="class_teacher", of=teacher)
    found = {"contact_in_need": "Hu Lan", "contact_in_need_phone": "138 0013 8000", "placed_salary": "1.2万"}

    assert students.save(session, actor, student.id, 1, found, NOON) == 2
    assert (student.contact_in_need_phone, student.placed_salary) == ("13800138000", 12_000)
    with pytest.raises(NotFound):
        students.save(session, an_actor(role="class_teacher", of=other), student.id, 2, found, NOON)
    with pytest.raises(Invalid):
        students.save(session, actor, student.id, 2, {"customer_id": 1}, NOON)


def test_students_are_found_by_their_classes_those_who_left_too(session: Session):
    teacher = an_employee(session)
    mine, other = a_class_group(session, teacher=teacher), a_class_group(session)
    here, left = a_student_in(session, mine, "Hu"), a_student_in(session, mine, "Lu", left_on=TODAY + DAY)
    stranger = a_student_in(session, other, "Mu")
    actor = an_actor(role="class_teacher", of=teacher)

    def found(who, group):
        view = read_view(STUDENTS, {"class": [str(group.id)]})
        return {one.id for one in read_page(STUDENTS, session, who, view, ZoneInfo("Asia/Shanghai")).rows}

    assert set(students.classes_seen(session, actor)) == {mine.id}
    by_class = next(one for one in STUDENTS.filters if one.name == "class")
    assert set(by_class.named(session, actor, Student, [mine.id, other.id])) == {mine.id}
    assert found(actor, mine) == {here.id, left.id}
    assert found(actor, other) == set()
    assert found(an_actor("students.view", reach=Reach.ALL), other) == {stranger.id}


def test_a_student_is_read_with_places_and_with_money_only_by_who_may(session: Session):
    teacher, seller = an_employee(session), a_consultant(session)
    group = a_class_group(session, teacher=teacher)
    student = a_student_in(session, group, "Hu", consultant=seller, left_on=TODAY + DAY)

    taught = students.sheet(session, an_actor(role="class_teacher", of=teacher), student.id)
    won = students.sheet(session, an_actor(role="consultant", of=seller), student.id)

    assert [(one.joined_on, one.left_on, one.balance) for one in taught.places] == [(TODAY, TODAY + DAY, None)]
    assert [one.balance.paid for one in won.places if one.balance] == [50_000]


def test_the_sums_of_a_student_open_to_the_payments_that_the_reader_sees_in_their_list(session: Session):
    seller, stranger = a_consultant(session), a_consultant(session)
    left, group = a_class_group(session), a_class_group(session)
    student = a_student_in(session, group, consultant=seller)
    customer = session.get_one(Customer, student.customer_id)
    change = a_deposit(session, customer, group, kind=PaymentKind.CLASS_CHANGE, from_class_group_id=left.id)
    loose = a_payment(session, customer, kind=PaymentKind.TUITION)

    def read(actor):
        return student_payments.by_class(session, actor, student.id)

    mine = read(an_actor(role="consultant", of=seller))
    assert {key: [one.kind.value for one in some] for key, some in mine.items()} == {
        group.id: ["deposit", "class_change"],
        left.id: ["class_change"],
        None: ["tuition"],
    }
    assert mine[left.id] == [change] and mine[None] == [loose]
    assert read(an_actor(role="finance")) == mine
    assert read(an_actor(role="consultant", of=stranger)) == {}
    with pytest.raises(NotAllowed):
        read(an_actor(role="lecturer", of=stranger))


def test_who_came_back_to_a_class_has_what_is_paid_for_it_once(session: Session):
    seller = a_consultant(session)
    group = a_class_group(session)
    student = a_student_in(session, group, consultant=seller, left_on=TODAY + DAY)
    an_enrolment(session, student, group, joined_on=TODAY + 5 * DAY, paid=False)

    sheet = students.sheet(session, an_actor(role="consultant", of=seller), student.id)

    assert [one.balance and one.balance.paid for one in sheet.places] == [None, 50_000]
