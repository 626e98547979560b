"""Apologies: asked for in advance, decided by who teaches the class, taken back, and what each does to a day's mark."""

from datetime import timedelta

import pytest
from sqlmodel import select

from crm.domain.records import Notification
from crm.domain.teaching import Apology, ApologyState, Attendance
from crm.errors import Invalid, NotFound, Refused
from crm.services.attendance import apologies, attendance, taken_days
from crm.services.classes.study_records import initialise
from crm.store.session import reading, writing
from tests.at_once import meanwhile
from tests.builders import NOON
from tests.school_builders import a_class_group, a_course_record
from tests.teaching import DAY, Taught, an_apology

P, E, L = Attendance.PRESENT, Attendance.EXCUSED, Attendance.LATE


def test_a_student_asks_for_a_day_of_an_own_class_from_today_on(session, taught):
    ann = taught.as_student(taught.ann)
    other = a_class_group(session)
    for group, day, reason in (
        (taught.group.id, DAY - timedelta(days=1), "Ill"),
        (other.id, DAY, "Ill"),
        (999_999, DAY, "Ill"),
        (taught.group.id, DAY, " "),
        (taught.group.id, None, "Ill"),
    ):
        with pytest.raises(Invalid):
            apologies.ask(session, ann, group, day, reason, NOON)

    key = apologies.ask(session, ann, taught.group.id, DAY, "Ill", NOON)
    with pytest.raises(Invalid):
        apologies.ask(session, ann, taught.group.id, DAY, "Ill", NOON)

    assert [one.id for one in apologies.mine(session, ann)] == [key]
    assert apologies.mine(session, taught.as_student(taught.ben)) == []
    told = session.exec(select(Notification.account_id)).all()
    assert told == [taught.teacher.account_id]


def test_accepted_the_student_is_excused_at_once_and_on_a_day_that_is_initialised_later(session, taught):
    ann = taught.as_student(taught.ann)
    later = a_course_record(session, taught.group, DAY + timedelta(days=1))
    keys = [apologies.ask(session, ann, taught.group.id, day, "Ill", NOON) for day in (DAY, later.held_on)]

    assert set(apologies.accept_many(session, taught.actor, keys, NOON).values()) == {apologies.NO_SUCH}
    assert apologies.accept_many(session, taught.head, keys, NOON, answer="Get well.") == dict.fromkeys(keys)
    initialise(session, [later.id], NOON)

    assert taught.row(session, taught.ann).attendance is E
    assert taught.row(session, taught.ann, later).attendance is E
    assert taught.row(session, taught.ben).attendance is P
    assert None not in apologies.decline_many(session, taught.head, keys, NOON).values()


def test_who_was_there_stays_late_whatever_was_accepted(session, taught):
    key = apologies.ask(session, taught.as_student(taught.ann), taught.group.id, DAY, "Ill", NOON)
    row = taught.row(session, taught.ann)
    attendance.save(session, taught.actor, row.id, row.version, {"late_minutes": 3}, NOON)

    apologies.accept_many(session, taught.head, [key], NOON)

    assert taught.row(session, taught.ann).attendance is L


def test_an_apology_is_taken_back_by_its_student_alone_and_may_be_asked_anew(session, taught):
    ann = taught.as_student(taught.ann)
    key = apologies.ask(session, ann, taught.group.id, DAY, "Ill", NOON)
    apologies.accept_many(session, taught.head, [key], NOON)
    with pytest.raises(NotFound):
        apologies.take_back(session, taught.as_student(taught.ben), key, NOON)

    apologies.take_back(session, ann, key, NOON)

    assert taught.row(session, taught.ann).attendance is P
    with pytest.raises(Refused):
        apologies.take_back(session, ann, key, NOON)
    assert apologies.ask(session, ann, taught.group.id, DAY, "Ill again", NOON) == key
    assert session.get(Apology, key).state is ApologyState.ASKED


def test_apologies_of_foreign_classes_are_neither_seen_nor_decided(session, taught):
    other = an_apology(session, taught.ann, a_class_group(session))

    told = apologies.accept_many(session, taught.head, [other.id, 999_999], NOON)

    assert set(told.values()) == {apologies.NO_SUCH}
    assert session.exec(apologies.to_decide(session, taught.head)).all() == []


def test_a_day_that_was_taken_is_no_day_to_apologise_for_in_advance(session, taught):
    taken_days.confirm_many(session, taught.actor, [taught.day.id], NOON)

    with pytest.raises(Invalid, match="confirmed already"):
        apologies.ask(session, taught.as_student(taught.ann), taught.group.id, DAY, "Ill", NOON)


def test_the_class_teacher_alone_decides_and_where_there_is_none_the_lecturers_do_and_are_told(session, taught):
    asked = apologies.ask(session, taught.as_student(taught.ann), taught.group.id, DAY, "Ill", NOON)
    assert session.exec(apologies.to_decide(session, taught.actor)).all() == []
    assert apologies.decline_many(session, taught.actor, [asked], NOON) == {asked: apologies.NO_SUCH}

    taught.group.teacher_id = None
    session.flush()
    other = apologies.ask(session, taught.as_student(taught.ben), taught.group.id, DAY, "Ill", NOON)

    assert {one.id for one in session.exec(apologies.to_decide(session, taught.actor))} == {asked, other}
    assert session.exec(apologies.to_decide(session, taught.head)).all() == []
    told = select(Notification.account_id).order_by(Notification.id)
    assert session.exec(told).all() == [taught.teacher.account_id, taught.lecturer.account_id]
    assert apologies.accept_many(session, taught.actor, [asked, other], NOON) == {asked: None, other: None}


def test_an_apology_that_is_accepted_while_its_day_is_initialised_excuses_all_the_same(engine):
    with writing() as session:
        taught = Taught(session)
        later = a_course_record(session, taught.group, DAY + timedelta(days=1))
        asked = an_apology(session, taught.ann, taught.group, later.held_on)

    _made, told = meanwhile(
        engine,
        lambda session: initialise(session, [later.id], NOON),
        lambda session: apologies.accept_many(session, taught.head, [asked.id], NOON),
    )

    assert told == {asked.id: None}
    with reading() as session:
        assert taught.row(session, taught.ann, later).attendance is E
