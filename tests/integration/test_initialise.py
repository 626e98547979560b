"""Initialising days of a class: only what is missing, for whoever is in the class on that day."""

from datetime import date, timedelta
from threading import Barrier, Thread

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlmodel import Session, select

from crm.domain.teaching import ApologyState, Attendance, CourseRecord, StudyRecord
from crm.services.classes.study_records import Made, initialise
from crm.store.session import reading, writing
from tests.builders import NOON
from tests.school_builders import a_class_group, a_course_record, a_student, a_study_record
from tests.teaching import DAY, an_apology, in_class


def states(session, day):
    rows = session.exec(select(StudyRecord).where(StudyRecord.course_record_id == day.id)).all()
    return {row.student_id: row.attendance for row in rows}


def test_everybody_in_the_class_on_that_day_is_present_by_default(session):
    group = a_class_group(session)
    ann, ben = a_student(session), a_student(session)
    in_class(session, ann, group)
    in_class(session, ben, group)
    day = a_course_record(session, group)

    made = initialise(session, [day.id], NOON)

    assert made == {day.id: Made(2, 0)}
    assert states(session, day) == {ann.id: Attendance.PRESENT, ben.id: Attendance.PRESENT}
    session.refresh(day)
    assert (day.initialised_at, day.taken_at) == (NOON, None)


def test_a_record_initialised_twice_is_there_once_and_keeps_what_was_set(session):
    group, ann = a_class_group(session), a_student(session)
    in_class(session, ann, group)
    day = a_course_record(session, group)
    initialise(session, [day.id], NOON)
    session.exec(select(StudyRecord)).one().attendance = Attendance.ABSENT
    session.flush()

    assert initialise(session, [day.id], NOON) == {day.id: Made(0, 1)}
    assert states(session, day) == {ann.id: Attendance.ABSENT}


def test_late_joiners_get_the_records_they_lack(session):
    group, ann, late = a_class_group(session), a_student(session), a_student(session)
    in_class(session, ann, group)
    days = [a_course_record(session, group, DAY + timedelta(days=each)) for each in range(3)]
    initialise(session, [each.id for each in days], NOON)

    in_class(session, late, group, joined_on=DAY + timedelta(days=1))
    again = initialise(session, [each.id for each in days], NOON)

    assert list(again.values()) == [Made(0, 1), Made(1, 1), Made(1, 1)]
    assert late.id not in states(session, days[0])


def test_a_taken_day_to_which_somebody_is_added_has_to_be_confirmed_again(session):
    group, ann, late = a_class_group(session), a_student(session), a_student(session)
    in_class(session, ann, group)
    day = a_course_record(session, group)
    initialise(session, [day.id], NOON)
    day.taken_at = NOON
    session.flush()

    initialise(session, [day.id], NOON)
    session.refresh(day)
    assert day.taken_at == NOON

    in_class(session, late, group)
    initialise(session, [day.id], NOON)
    session.refresh(day)
    assert (day.taken_at, day.initialised_at) == (None, NOON)


def test_who_apologised_is_excused_once_that_was_accepted(session):
    group = a_class_group(session)
    people = {state: a_student(session) for state in ApologyState}
    for state, student in people.items():
        in_class(session, student, group)
        an_apology(session, student, group, DAY, state)
    day = a_course_record(session, group)

    initialise(session, [day.id], NOON)

    excused = {key for key, state in states(session, day).items() if state is Attendance.EXCUSED}
    assert excused == {people[ApologyState.ACCEPTED].id}


def test_a_day_on_which_nobody_is_in_the_class_stays_as_it_is(session):
    day = a_course_record(session, a_class_group(session))

    assert initialise(session, [day.id], NOON) == {day.id: Made(0, 0)}
    session.refresh(day)
    assert day.initialised_at is None


def test_two_at_once_make_each_record_once(engine):
    with writing() as session:
        group = a_class_group(session)
        for _each in range(5):
            in_class(session, a_student(session), group)
        keys = [a_course_record(session, group, DAY + timedelta(days=each)).id for each in range(6)]
    start, created = Barrier(2), []

    def run(ids):
        start.wait()
        with writing() as session:
            created.append(sum(one.created for one in initialise(session, ids, NOON).values()))

    threads = [Thread(target=run, args=(ids,)) for ids in (keys, keys[::-1])]
    for one in threads:
        one.start()
    for one in threads:
        one.join()

    assert sum(created) == 30
    with reading() as session:
        assert len(session.exec(select(StudyRecord)).all()) == 30
        assert all(row.initialised_at for row in session.exec(select(CourseRecord)))


SPANS = st.tuples(st.integers(0, 2), st.integers(0, 6), st.none() | st.integers(0, 6))


class _Undone(Exception):
    pass


@pytest.fixture
def school(session):
    groups = [a_class_group(session) for _each in range(3)]
    days = [a_course_record(session, group, DAY + timedelta(days=each)) for group in groups for each in range(5)]
    return groups, days, [a_student(session) for _each in range(3)]


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(places=st.lists(st.tuples(st.integers(0, 2), SPANS), max_size=8), some=st.sets(st.integers(0, 14)))
def test_whoever_comes_and_goes_the_right_people_have_a_record_on_each_day(
    session: Session, school, places: list[tuple[int, tuple[int, int, int | None]]], some: set[int]
):
    groups, days, students = school
    spans: list[tuple[int, int, date, date | None]] = []
    for who, (which, start, length) in places:
        if any(one[:2] == (who, which) and one[3] is None for one in spans):
            continue
        joined = DAY + timedelta(days=start)
        spans.append((who, which, joined, None if length is None else joined + timedelta(days=length)))
    try:
        with session.begin_nested():
            for who, which, joined, left in spans:
                in_class(session, students[who], groups[which], joined, left)

            # Some first, so that the second time finds days of both sorts.
            initialise(session, [days[each].id for each in some], NOON)
            initialise(session, [day.id for day in days], NOON)

            found = set(session.exec(select(StudyRecord.course_record_id, StudyRecord.student_id)).all())
            expected = {
                (day.id, students[who].id)
                for day in days
                for who, which, joined, left in spans
                if day.class_group_id == groups[which].id
                and joined <= day.held_on
                and (left is None or day.held_on < left)
            }
            assert found == expected
            raise _Undone
    except _Undone:
        session.expire_all()


def test_a_record_that_is_there_for_another_reason_is_kept(session):
    group, guest = a_class_group(session), a_student(session)
    day = a_course_record(session, group)
    a_study_record(session, day, guest)

    assert initialise(session, [day.id], NOON) == {day.id: Made(0, 1)}
