"""What no column can hold, as somebody might forge it, is refused in a sentence on either database."""

import pytest
from sqlalchemy import literal, select

from crm.domain.scores import NONE
from crm.errors import Refused, ThanosError
from crm.services import attendance, course_records, homework, my_grades, payment_decisions, payments, scoring, students
from crm.services.homework import hand_in
from crm.services.scoring import Typed
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


@pytest.mark.parametrize("sign", ["\0", "\ud800"])
def test_a_sign_that_cannot_be_kept_is_refused_and_nothing_is_written(engine, sign):
    with writing() as session:
        klass = a_scored_class(session, 1)
        day, (row,) = a_day(session, klass)
        payment = a_deposit(session, a_private_customer(session, a_consultant(session)), klass.group)
        me = an_actor(*ME.grants, account_id=klass.students[0].account_id)
    kept = (
        lambda session: hand_in(session, me, row.id, text=f"a{sign}b", note="", file=None, now=NOON),
        lambda session: scoring.save(session, me, [Typed(row.id, 1, (NONE, ""), None, f"a{sign}b")], NOON),
        lambda session: course_records.save(session, me, day.id, 1, {"title": f"a{sign}b"}, NOON),
        lambda session: payment_decisions.reject_many(session, me, [payment.id], NOON, because=f"a{sign}b"),
    )
    for write in kept:
        try:
            with writing() as session:
                write(session)
        except Refused:
            continue
        # SQLite keeps a NUL in a text.
        assert (sign, engine.dialect.name) == ("\0", "sqlite")


def test_what_a_key_was_is_not_told(engine):
    with reading() as session, pytest.raises(Refused) as refused:
        session.execute(select(literal(2**70)))

    assert str(2**70) not in str(refused.value)
