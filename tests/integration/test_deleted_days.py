"""A deleted day of a class comes back within 30 days, with the study records of who is in the class on that day."""

from datetime import timedelta

import pytest
from sqlmodel import select

from crm.domain.teaching import Attendance, CourseRecord, DeletedDay, StudyRecord
from crm.errors import NotFound, Told
from crm.services.classes import course_days, course_records, deleted_days
from crm.services.classes.course_days import NO_SUCH
from tests.builders import NOON, an_actor, an_employee
from tests.school_builders import a_class_group, a_course_record, a_student
from tests.teaching import DAY, an_apology, in_class


@pytest.fixture
def taught(session):
    """(class, its lecturer as an actor)."""
    lecturer = an_employee(session)
    return a_class_group(session, lecturer), an_actor(role="lecturer", of=lecturer)


def delete(session, actor, *days, now=NOON):
    told = course_records.delete_many(session, actor, [day.id for day in days], now)
    assert set(told.values()) == {None}
    session.expunge_all()


def days(session, group):
    asked = select(CourseRecord).where(CourseRecord.class_group_id == group.id).order_by(CourseRecord.held_on)
    return [
        (row.day_number, row.held_on, row.title)
        for row in session.exec(asked.execution_options(populate_existing=True))
    ]


def kept(session):
    return session.exec(select(DeletedDay).order_by(DeletedDay.id)).all()


def test_undone_it_is_there_as_it_was_and_counts_as_changed(session, taught):
    group, actor = taught
    first, second = (
        a_course_record(
            session, group, title=title, content="循环", homework_title="Loops", homework_due_on=DAY + timedelta(days=9)
        )
        for title in ("One", "Two")
    )
    before = days(session, group)
    delete(session, actor, first, second)
    assert days(session, group) == []

    told = deleted_days.undo_many(session, actor, [first.id, second.id], NOON)

    assert told == {first.id: None, second.id: None}
    assert days(session, group) == before
    back = session.get(CourseRecord, first.id)
    assert (back.content, back.homework_title, back.homework_due_on, back.version) == (
        "循环",
        "Loops",
        DAY + timedelta(days=9),
        2,
    )
    assert back.initialised_at is None
    assert kept(session) == []


def test_whoever_still_looks_at_a_deleted_day_changes_no_other(session, taught):
    group, actor = taught
    gone = a_course_record(session, group, DAY)
    in_class(session, a_student(session), group)
    course_records.initialise_many(session, actor, [gone.id], NOON)
    seen = session.exec(select(StudyRecord.id).where(StudyRecord.course_record_id == gone.id)).one()
    delete(session, actor, gone)
    other = a_course_record(session, group, DAY, title="Another")
    course_records.initialise_many(session, actor, [other.id], NOON)

    with pytest.raises(NotFound):
        course_records.save(session, actor, gone.id, 2, {"title": "Meant for the first"}, NOON)

    assert seen not in session.exec(select(StudyRecord.id)).all()


def test_who_is_in_the_class_on_that_day_has_a_study_record_again(session, taught):
    group, actor = taught
    day = a_course_record(session, group, DAY)
    there, sorry = (in_class(session, a_student(session), group) for _each in range(2))
    course_records.initialise_many(session, actor, [day.id], NOON)
    delete(session, actor, day)
    an_apology(session, sorry, group, DAY, state="accepted")

    assert deleted_days.undo_many(session, actor, [day.id], NOON) == {day.id: None}

    records = session.exec(select(StudyRecord).where(StudyRecord.course_record_id == day.id)).all()
    assert {row.student_id: row.attendance for row in records} == {
        there.id: Attendance.PRESENT,
        sorry.id: Attendance.EXCUSED,
    }
    assert session.get(CourseRecord, day.id).initialised_at is not None


def test_a_date_that_was_given_again_stays_with_the_new_day(session, taught):
    group, actor = taught
    day = a_course_record(session, group, DAY)
    delete(session, actor, day)
    a_course_record(session, group, DAY, title="New")

    told = deleted_days.undo_many(session, actor, [day.id], NOON)

    assert str(told[day.id]) == f"This class has day 1 on {DAY} already."
    assert days(session, group) == [(1, DAY, "New")]
    assert len(kept(session)) == 1


def test_a_number_that_was_given_again_is_replaced_by_the_next(session, taught):
    group, actor = taught
    day = a_course_record(session, group, DAY, title="Old")
    delete(session, actor, day)
    a_course_record(session, group, DAY + timedelta(days=1), title="New")

    told = deleted_days.undo_many(session, actor, [day.id], NOON)

    assert isinstance(told[day.id], Told)
    assert days(session, group) == [(2, DAY, "Old"), (1, DAY + timedelta(days=1), "New")]


def test_the_same_number_deleted_twice_brings_back_the_last(session, taught):
    group, actor = taught
    day = a_course_record(session, group, DAY, id=700, title="Old")
    delete(session, actor, day)
    again = a_course_record(session, group, DAY + timedelta(days=1), id=700, title="New")
    delete(session, actor, again)

    deleted_days.undo_many(session, actor, [700], NOON)
    deleted_days.restore_many(session, actor, [kept(session)[0].id], NOON)

    assert [title for _number, _day, title in days(session, group)] == ["Old", "New"]


def test_it_comes_back_for_30_days_and_is_forgotten_then(session, taught):
    group, actor = taught
    day = a_course_record(session, group, DAY)
    delete(session, actor, day)
    (row,) = kept(session)
    before, after = NOON + timedelta(days=30, seconds=-1), NOON + timedelta(days=30)

    assert deleted_days.days_to_restore(row, before) == 1
    assert session.exec(deleted_days.recoverable(session, actor, before)).all() == [row]
    assert session.exec(deleted_days.recoverable(session, actor, after)).all() == []
    assert "30 days" in str(deleted_days.restore_many(session, actor, [row.id], after)[row.id])
    assert deleted_days.forget_old(session, before) == 0
    assert deleted_days.forget_old(session, after) == 1
    session.expunge_all()
    assert kept(session) == []


def test_it_is_called_by_its_class_number_and_date(session, taught):
    group, actor = taught
    day = a_course_record(session, group, DAY)
    name = str(course_days.called(session, [day.id])[day.id])
    delete(session, actor, day)
    (row,) = kept(session)

    assert str(deleted_days.called(session, [row.id])[row.id]) == name


def test_a_day_of_a_foreign_class_and_one_that_never_was_answer_alike(session, taught):
    _group, actor = taught
    lecturer = an_employee(session)
    theirs = a_course_record(session, a_class_group(session, lecturer), DAY)
    delete(session, an_actor(role="lecturer", of=lecturer), theirs)
    (row,) = kept(session)

    assert deleted_days.undo_many(session, actor, [theirs.id, 999_999], NOON) == {theirs.id: NO_SUCH, 999_999: NO_SUCH}
    assert deleted_days.restore_many(session, actor, [row.id], NOON) == {row.id: NO_SUCH}
    assert session.exec(deleted_days.recoverable(session, actor, NOON)).all() == []
