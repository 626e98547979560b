"""Days of a class: adding, a series, changing, deleting, and who may."""

from datetime import date, timedelta
from threading import Barrier, Thread

import pytest
from sqlmodel import select

from crm.domain.series import days_of
from crm.domain.teaching import Attendance, CourseRecord, StudyRecord
from crm.errors import Conflict, Invalid, NotFound, Told
from crm.services.classes import class_calendar, course_records, series
from crm.services.classes.series import Series
from crm.store.session import reading, writing
from tests.builders import NOON, an_actor, an_employee
from tests.school_builders import TODAY, a_class_group, a_course_record, a_student, a_study_record
from tests.teaching import DAY, in_class

WEEK = frozenset(range(5))


@pytest.fixture
def taught(session):
    """(class, its lecturer as an actor, the lecturer)."""
    lecturer = an_employee(session)
    return a_class_group(session, lecturer), an_actor(role="lecturer", of=lecturer), lecturer


def days(session, group):
    rows = session.exec(
        select(CourseRecord).where(CourseRecord.class_group_id == group.id).order_by(CourseRecord.day_number)
    )
    return [(row.day_number, row.held_on) for row in rows]


def test_day_numbers_run_on_by_themselves_and_the_lecturer_is_who_adds(session, taught):
    group, actor, lecturer = taught

    for each in range(2):
        key = course_records.add(
            session, actor, {"class_group_id": group.id, "held_on": DAY + timedelta(days=each)}, NOON
        ).id

    assert days(session, group) == [(1, DAY), (2, DAY + timedelta(days=1))]
    assert session.get(CourseRecord, key).lecturer_id == lecturer.id


def test_a_class_has_one_record_a_day(session, taught):
    group, actor, _lecturer = taught
    a_course_record(session, group, DAY)

    with pytest.raises(Invalid) as refused:
        course_records.add(session, actor, {"class_group_id": group.id, "held_on": DAY}, NOON)

    assert "held_on" in refused.value.fields


def test_a_foreign_class_and_one_that_never_was_answer_alike(session, taught):
    _group, actor, _lecturer = taught
    other = a_class_group(session)
    a_course_record(session, other, DAY)
    said = set()
    for key in (other.id, 999_999):
        with pytest.raises(Invalid) as refused:
            course_records.add(session, actor, {"class_group_id": key, "held_on": DAY}, NOON)
        said.add(str(refused.value))
        with pytest.raises(Invalid) as refused:
            series.plan(session, actor, Series(key, WEEK, DAY, DAY))
        said.add(str(refused.value))

    assert len(said) == 1


def test_a_lecturer_of_another_class_cannot_be_named(session, taught):
    group, actor, _lecturer = taught
    stranger = an_employee(session)

    with pytest.raises(Invalid) as refused:
        course_records.add(
            session, actor, {"class_group_id": group.id, "held_on": DAY, "lecturer_id": stranger.id}, NOON
        )

    assert "lecturer_id" in refused.value.fields


def test_homework_without_a_title_is_refused(session, taught):
    group, actor, _lecturer = taught

    with pytest.raises(Invalid) as refused:
        course_records.add(session, actor, {"class_group_id": group.id, "held_on": DAY, "homework_due_on": DAY}, NOON)

    assert "homework_title" in refused.value.fields


@pytest.mark.parametrize("left", [{"homework_brief": "Pages 3 to 5"}, {"homework_due_on": DAY}])
def test_a_title_is_not_taken_from_under_homework(session, taught, left):
    group, actor, _lecturer = taught
    record = a_course_record(session, group, DAY, homework_title="Exercise", **left)

    with pytest.raises(Invalid) as refused:
        course_records.save(session, actor, record.id, record.version, {"homework_title": ""}, NOON)

    assert "homework_title" in refused.value.fields


def test_a_series_passes_over_what_is_there_and_adds_nothing_the_second_time(session, taught):
    group, actor, _lecturer = taught
    a_course_record(session, group, DAY + timedelta(days=1))
    asked = Series(group.id, WEEK, DAY, DAY + timedelta(days=13), ((DAY + timedelta(days=7), DAY + timedelta(days=8)),))

    planned = series.plan(session, actor, asked)
    made = series.add_series(session, actor, asked, NOON)
    again = series.add_series(session, actor, asked, NOON)

    assert planned == made
    assert (len(made.new), len(made.there), len(made.off)) == (7, 1, 2)
    assert (again.new, len(again.there)) == ((), 8)
    assert [number for number, _day in days(session, group)] == list(range(1, 9))
    expected = set(days_of(DAY, DAY + timedelta(days=13), WEEK, asked.holidays))
    assert {day for _number, day in days(session, group)} == expected


def test_a_series_begins_with_what_is_left_of_the_class_and_tells_what_lies_outside_its_dates(session):
    lecturer = an_employee(session)
    group = a_class_group(session, lecturer, starts_on=DAY, ends_on=DAY + timedelta(days=4))
    actor = an_actor(role="lecturer", of=lecturer)

    planned = series.plan(session, actor, Series(group.id, WEEK, DAY - timedelta(days=3), DAY + timedelta(days=8)))

    assert (planned.before, planned.after) == (planned.new[:1], planned.new[6:])
    assert planned.new[0] < DAY and planned.new[6] > DAY + timedelta(days=4)
    for away, left in ((-3, (0, 4)), (2, (2, 4)), (4, (4, 4)), (5, (5, None))):
        first, last = series.what_is_left(session, actor, group.id, DAY + timedelta(days=away))
        assert (first - DAY, last and (last - DAY).days) == (timedelta(days=left[0]), left[1])


@pytest.mark.parametrize(("away", "why"), [(-1, "before the class begins"), (0, None), (5, "after the class ends")])
def test_a_day_outside_the_dates_of_its_class_is_added_and_said(session, away, why):
    lecturer = an_employee(session)
    group = a_class_group(session, lecturer, starts_on=DAY, ends_on=DAY + timedelta(days=4))
    asked = {"class_group_id": group.id, "held_on": DAY + timedelta(days=away)}

    added = course_records.add(session, an_actor(role="lecturer", of=lecturer), asked, NOON)

    assert (why is None and added.odd is None) or why in str(added.odd)


@pytest.mark.parametrize(("away", "told"), [(0, False), (1, True)])
def test_of_a_day_to_come_it_is_said_that_a_list_up_to_today_does_not_have_it(session, taught, away, told):
    group, lecturer, _employee = taught
    asked = {"class_group_id": group.id, "held_on": TODAY + timedelta(days=away)}

    added = course_records.add(session, lecturer, asked, NOON)

    assert ("a list of days up to today does not have it" in str(added.says)) is told


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"weekdays": frozenset()}, "weekdays"),
        ({"weekdays": frozenset({9})}, "weekdays"),
        ({"last": None}, "first"),
        ({"last": DAY - timedelta(days=1)}, "last"),
        ({"last": DAY + timedelta(days=800)}, "last"),
        ({"first": date(1999, 12, 1), "last": date(1999, 12, 31)}, "first"),
        ({"first": date(2199, 12, 1), "last": date(2200, 1, 31)}, "last"),
    ],
)
def test_a_series_that_makes_no_sense_is_refused_by_field(session, taught, change, field):
    group, actor, _lecturer = taught
    asked = {"class_group_id": group.id, "weekdays": WEEK, "first": DAY, "last": DAY, **change}

    with pytest.raises(Invalid) as refused:
        series.plan(session, actor, Series(**asked))

    assert field in refused.value.fields


def test_of_two_who_add_at_once_each_gets_a_number(engine):
    with writing() as session:
        lecturer = an_employee(session)
        group, actor = a_class_group(session, lecturer), an_actor(role="lecturer", of=lecturer)
    start = Barrier(2)

    def add(offset: int) -> None:
        start.wait()
        for each in range(5):
            with writing() as session:
                day = DAY + timedelta(days=2 * each + offset)
                course_records.add(session, actor, {"class_group_id": group.id, "held_on": day}, NOON)

    threads = [Thread(target=add, args=(offset,)) for offset in range(2)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()

    with reading() as session:
        assert [number for number, _day in days(session, group)] == list(range(1, 11))


def test_initialising_many_gives_an_account_of_each(session, taught):
    group, actor, _lecturer = taught
    in_class(session, a_student(session), group)
    full, empty = a_course_record(session, group, DAY), a_course_record(session, group, DAY - timedelta(days=60))
    foreign = a_course_record(session, a_class_group(session))

    told = course_records.initialise_many(session, actor, [full.id, empty.id, foreign.id], NOON)

    assert isinstance(told[full.id], Told)
    assert str(told[full.id].says) == "Created 1, kept 0."
    assert str(told[empty.id]) == "Nobody is in the class on that day."
    assert told[foreign.id] == course_records.NO_SUCH


def test_a_day_is_changed_against_the_version_seen_and_its_date_stays_once_initialised(session, taught):
    group, actor, _lecturer = taught
    day = a_course_record(session, group, DAY)

    assert (
        course_records.save(session, actor, day.id, 1, {"title": "Loops", "held_on": DAY + timedelta(days=1)}, NOON)
        == 2
    )
    with pytest.raises(Conflict):
        course_records.save(session, actor, day.id, 1, {"title": "Other"}, NOON)
    in_class(session, a_student(session), group)
    course_records.initialise_many(session, actor, [day.id], NOON)
    with pytest.raises(Invalid):
        course_records.save(session, actor, day.id, 3, {"held_on": DAY}, NOON)
    with pytest.raises(NotFound):
        course_records.save(
            session, an_actor(role="lecturer", of=an_employee(session)), day.id, 3, {"title": "x"}, NOON
        )


def test_a_day_goes_only_while_nothing_was_recorded(session, taught):
    group, actor, _lecturer = taught
    student = a_student(session)
    untouched, noted, taken = (a_course_record(session, group, initialised_at=NOON) for _each in range(3))
    for day in (untouched, noted, taken):
        a_study_record(session, day, student)
    session.exec(select(StudyRecord).where(StudyRecord.course_record_id == noted.id)).one().attendance = Attendance.LATE
    taken.taken_at = NOON
    session.flush()

    told = course_records.delete_many(session, actor, [untouched.id, noted.id, taken.id], NOON)

    assert [told[each.id] is None for each in (untouched, noted, taken)] == [True, False, False]
    assert {row.course_record_id for row in session.exec(select(StudyRecord))} == {noted.id, taken.id}


def test_a_day_that_is_made_up_on_another_stays_whatever_else_goes(session, taught):
    group, actor, _lecturer = taught
    student = a_student(session)
    missed, making, untouched = (a_course_record(session, group, initialised_at=NOON) for _each in range(3))
    record = a_study_record(session, missed, student)
    a_study_record(session, making, student, makes_up_id=record.id)

    told = course_records.delete_many(session, actor, [missed.id, untouched.id], NOON)

    assert [told[each.id] is None for each in (missed, untouched)] == [False, True]


def test_the_calendar_of_a_month_has_all_its_days_and_those_of_own_classes_for_who_teaches(session, taught):
    group, lecturer, _who = taught
    first = DAY.replace(day=1)
    made = [a_course_record(session, one, first) for one in (group, a_class_group(session), a_class_group(session))]
    a_course_record(session, group, first - timedelta(days=1))
    manager = an_actor("course-records.view", of=an_employee(session))

    assert [one.id for one in class_calendar.month(session, manager, first, own=False)] == [one.id for one in made]
    assert [one.id for one in class_calendar.month(session, lecturer, first, own=True)] == [made[0].id]
    assert class_calendar.teaches(session, lecturer)
    assert not class_calendar.teaches(session, manager)
    assert not class_calendar.teaches(session, an_actor("course-records.view"))
