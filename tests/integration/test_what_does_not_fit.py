"""What no column can hold, as somebody might forge it, is refused in a sentence on either database."""

import pytest
from sqlalchemy import literal, select
from sqlmodel import col

from crm.domain.payments import Payment
from crm.domain.scores import NONE
from crm.domain.teaching import Apology, CourseRecord, StudyRecord
from crm.errors import Refused, ThanosError
from crm.services.attendance import apologies, attendance
from crm.services.classes import course_records
from crm.services.scores import homework, my_grades, scoring
from crm.services.scores.homework import hand_in
from crm.services.scores.scoring import Typed
from crm.services.students import payment_decisions, payments, students
from crm.store.session import reading, writing
from tests.builders import NOON, a_consultant, a_private_customer, an_actor
from tests.school_builders import a_deposit
from tests.scored import a_day, a_scored_class

ME = an_actor(
    *(attendance.TAKE, course_records.EDIT, course_records.INITIALISE, homework.HAND_IN, my_grades.VIEW, scoring.SCORE),
    *(payment_decisions.DECIDE, payments.RECORD, payments.VIEW, students.VIEW),
)
BY_KEY = {
    "confirm": lambda session, key: payment_decisions.confirm_many(session, ME, [key], NOON),
    "payment": lambda session, key: payments.sheet(session, ME, key),
    "student": lambda session, key: students.sheet(session, ME, key),
    "day": lambda session, key: scoring.sheet(session, ME, key, NOON),
    "homework": lambda session, key: homework.fetch(session, ME, key, "x" * 43),
    "own day": lambda session, key: my_grades.handed_in(session, ME, key),
    "initialise": lambda session, key: course_records.initialise_many(session, ME, [key], NOON),
    "mark": lambda session, key: attendance.mark_many(session, ME, [key], NOON, "absent"),
}


@pytest.mark.parametrize("ask", BY_KEY.values(), ids=BY_KEY.keys())
def test_a_key_that_no_row_can_have_finds_nothing(engine, ask):
    for key in (0, -1, 2**31, 2**63, 10**30):
        with writing() as session:
            try:
                told = ask(session, key)
            except ThanosError:
                continue
            assert str(told.get(key))
            assert told[key] is not None


def test_a_sign_that_cannot_be_kept_or_seen_is_left_out_of_what_is_written(engine):
    typed, kept = "a\0b\ud800c\x1b\u202ed", "abcd"
    with writing() as session:
        klass = a_scored_class(session, 1)
        day, (row,) = a_day(session, klass)
        payment = a_deposit(session, a_private_customer(session, a_consultant(session)), klass.group)
        me = an_actor(*ME.grants, apologies.APOLOGISE, account_id=klass.students[0].account_id)

        hand_in(session, me, row.id, text=typed, note=typed, file=None, seen=None, now=NOON)
        scoring.save(session, me, [Typed(row.id, row.version, (NONE, ""), None, typed)], NOON)
        course_records.save(session, me, day.id, 1, {"title": typed, "content": typed}, NOON)
        payment_decisions.reject_many(session, me, [payment.id], NOON, because=typed)
        apologies.ask(session, me, klass.group.id, day.held_on, typed, NOON)

    with reading() as session:
        row, day = session.get(StudyRecord, row.id), session.get(CourseRecord, day.id)
        assert (row.homework_text, row.student_remark, row.teacher_remark) == (kept, kept, kept)
        assert (day.title, day.content) == (kept, kept)
        assert session.get(Payment, payment.id).rejected_because == kept
        assert session.scalar(select(col(Apology.reason))) == kept


def test_any_number_of_cells_is_saved_at_once(engine):
    with writing() as session:
        (row,) = a_day(session, a_scored_class(session, 1))[1]
        # More than PostgreSQL takes parameters.
        others = [Typed(each, 1, (NONE, "")) for each in range(10**6, 10**6 + 70_000)]

        assert scoring.save(session, ME, [Typed(row.id, 1, (NONE, ""), "A"), *others], NOON).saved == 1


def test_what_a_key_was_is_not_told(engine):
    with reading() as session, pytest.raises(Refused) as refused:
        session.execute(select(literal(2**70)))

    assert str(2**70) not in str(refused.value)
