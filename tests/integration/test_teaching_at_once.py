"""What two people do to the same day of a class at the same moment: nothing that was recorded is lost by it."""

from datetime import timedelta

import pytest
from sqlmodel import select

from crm.domain.marks import Mark
from crm.domain.payments import PaymentKind
from crm.domain.scores import NONE
from crm.domain.teaching import Attendance, CourseRecord, ScoreState, StudyRecord
from crm.errors import Invalid, Refused
from crm.services.attendance import attendance, make_ups
from crm.services.attendance.class_day import lacking_records
from crm.services.classes import course_records, series
from crm.services.classes.series import Series
from crm.services.scores import homework, scoring
from crm.services.scores.scoring import TYPED, Typed
from crm.services.students import payment_decisions
from crm.store.session import reading, writing
from tests.at_once import meanwhile
from tests.builders import NOON, a_consultant, a_private_customer, an_actor, an_employee
from tests.paying import paying
from tests.school_builders import TODAY, a_course_record, a_deposit
from tests.scored import a_day, a_scored_class


class Taught:
    """A day of a class with two students, and what may be done to it, each by whom it is for."""

    def __init__(self, session):
        self.of = a_scored_class(session, 2)
        self.day, (self.row, _other) = a_day(session, self.of)
        self.lecturer = an_actor(role="lecturer", of=self.of.lecturer)
        self.student = an_actor(role="student", account_id=self.of.students[0].account_id)
        self.finance = an_actor(role="finance", of=an_employee(session))

    def hand_in(self, session):
        homework.hand_in(session, self.student, self.row.id, text="Mine", note="", file=None, seen=None, now=NOON)

    def score(self, session, text="A"):
        return scoring.save(session, self.lecturer, [Typed(self.row.id, 1, (NONE, ""), text)], NOON)

    def call_it_missing(self, session):
        return self.score(session, "missing")

    def note_as_absent(self, session):
        student = self.of.students[0].id
        marks, seen = {student: Mark(Attendance.ABSENT)}, {student: 1}
        return attendance.apply(session, self.lecturer, self.day.id, marks, seen, NOON)

    def delete_the_day(self, session):
        return course_records.delete_many(session, self.lecturer, [self.day.id], NOON)[self.day.id]


@pytest.fixture
def taught(engine):
    with writing(engine) as session:
        return Taught(session)


@pytest.mark.parametrize("record", [Taught.hand_in, Taught.score, Taught.note_as_absent])
def test_a_day_is_not_deleted_under_the_hands_of_who_records_something_on_it(engine, taught, record):
    _done, why = meanwhile(engine, lambda session: record(taught, session), taught.delete_the_day)

    assert "stays" in str(why)
    with reading(engine) as session:
        assert session.get(StudyRecord, taught.row.id).version == 2


@pytest.mark.parametrize("record", [Taught.score, Taught.call_it_missing])
def test_homework_that_comes_in_while_it_is_scored_is_looked_at_first(engine, taught, record):
    _done, told = meanwhile(engine, taught.hand_in, lambda session: record(taught, session))

    assert (told.saved, told.why.keys()) == (0, {(taught.row.id, TYPED)})
    with reading(engine) as session:
        row = session.get(StudyRecord, taught.row.id)
        assert (row.score_state, row.handed_in_at) == (ScoreState.NOT_DUE, NOON)


def test_what_is_scored_while_it_is_handed_in_again_stays_scored(engine, taught):
    _done, told = meanwhile(engine, taught.score, taught.hand_in)

    assert isinstance(told, Refused)
    with reading(engine) as session:
        assert session.get(StudyRecord, taught.row.id).score == 90


def test_of_two_who_take_the_same_day_the_second_is_told_whom_the_first_noted(engine, taught):
    _done, told = meanwhile(engine, taught.note_as_absent, taught.note_as_absent)

    assert (told.before, told.changed) == ({}, ("01",))


@pytest.mark.parametrize("enrols_first", [True, False])
def test_who_enrols_while_a_day_is_initialised_has_a_record_on_it(engine, taught, enrols_first):
    with writing(engine) as session:
        day = a_course_record(session, taught.of.group, TODAY + timedelta(days=1))
        deposit = a_deposit(session, a_private_customer(session, a_consultant(session)), taught.of.group).id

    def enrol(session):
        return payment_decisions.confirm_many(session, taught.finance, [deposit], NOON)

    def initialise(session):
        return course_records.initialise_many(session, taught.lecturer, [day.id], NOON)

    meanwhile(engine, *((enrol, initialise) if enrols_first else (initialise, enrol)))

    with reading(engine) as session:
        there = select(StudyRecord).where(StudyRecord.course_record_id == day.id)
        assert len(session.exec(there).all()) == 3
        assert session.execute(lacking_records(CourseRecord.id == day.id)).all() == []


def test_a_series_that_is_added_twice_at_once_is_there_once(engine, taught):
    days = Series(taught.of.group.id, frozenset(range(5)), TODAY + timedelta(days=1), TODAY + timedelta(days=14))

    def add(session):
        return len(series.add_series(session, taught.lecturer, days, NOON).new)

    first, second = meanwhile(engine, add, add)

    assert first == 10
    assert second == 0 or "already" in str(second)
    with reading(engine) as session:
        held = session.exec(select(CourseRecord.held_on)).all()
        assert len(held) == len(set(held)) == 11


def missed_and_next_day(engine, taught, **values):
    """A day after the one that is noted as missed; returns its id."""
    with writing(engine) as session:
        session.get(StudyRecord, taught.row.id).attendance = Attendance.ABSENT
        return a_course_record(session, taught.of.group, TODAY + timedelta(days=1), **values).id


def test_a_make_up_that_is_linked_while_its_day_is_initialised_is_on_the_record_made(engine, taught):
    day = missed_and_next_day(engine, taught)

    _made, made = meanwhile(
        engine,
        lambda session: course_records.initialise_many(session, taught.lecturer, [day], NOON),
        lambda session: make_ups.link(session, taught.lecturer, day, taught.row.id, NOON),
    )

    with reading(engine) as session:
        row = session.get(StudyRecord, made)
        assert (row.course_record_id, row.makes_up_id) == (day, taught.row.id)


def test_what_turns_out_not_to_be_missed_is_not_made_up(engine, taught):
    day = missed_and_next_day(engine, taught, initialised_at=NOON)

    _done, told = meanwhile(
        engine,
        lambda session: attendance.mark_many(session, taught.lecturer, [taught.row.id], NOON, "present"),
        lambda session: make_ups.link(session, taught.lecturer, day, taught.row.id, NOON),
    )

    assert isinstance(told, Invalid)


def test_an_excused_day_that_is_made_up_while_the_student_leaves_stays(engine, taught):
    day = missed_and_next_day(engine, taught)
    with writing(engine) as session:
        session.get_one(StudyRecord, taught.row.id).attendance = Attendance.EXCUSED
        leaves = paying(session, taught.of.students[0], taught.of.group, PaymentKind.WITHDRAWAL, 0)

    _made, told = meanwhile(
        engine,
        lambda session: make_ups.link(session, taught.lecturer, day, taught.row.id, NOON),
        lambda session: payment_decisions.confirm_many(session, taught.finance, [leaves.id], NOON),
    )

    assert told == {leaves.id: None}
    with reading(engine) as session:
        assert session.get(StudyRecord, taught.row.id)
