"""The list of students at risk: live, of classes under way, and of nobody else's."""

from datetime import timedelta

from sqlmodel import select

from crm.domain.classes import ClassState
from crm.domain.students import Enrolment
from crm.domain.teaching import Attendance, StudyRecord
from crm.rbac import Reach
from crm.services.scores.at_risk import at_risk
from tests.builders import NOON, an_actor
from tests.school_builders import TODAY, a_study_record
from tests.scored import a_day, a_scored_class, grade

READER = an_actor("gradebook.view", reach=Reach.ALL)


def test_each_reason_is_found_in_the_order_of_the_days(session):
    klass = a_scored_class(session, 4)
    for ago in range(8, 0, -1):
        _day, rows = a_day(session, klass, TODAY - timedelta(days=ago), due_in=0, taken_at=NOON)
        absent, falls, _lazy, fine = rows
        absent.attendance = Attendance.ABSENT if ago <= 3 else Attendance.PRESENT
        for row, number in ((absent, 80), (falls, 90 if ago > 3 else 60), (fine, 80)):
            grade(row, number)
    for _ in range(20):
        a_day(session, klass, TODAY + timedelta(days=5), due_in=None)
    session.flush()

    found = {one.name: [str(why) for why in one.reasons] for one in at_risk(session, READER, NOON)}

    assert found == {
        "01": ["Absent 3 days in a row."],
        "02": ["The average of the last three scores is 60, of the three before 90."],
        "03": ["8 homeworks missing."],
    }


def test_days_that_were_added_late_stand_where_the_calendar_has_them(session):
    klass = a_scored_class(session, 2)
    for ago in (*range(4, 7), *range(1, 4), 9, 8, 7):
        _day, (absent, falls) = a_day(session, klass, TODAY - timedelta(days=ago), taken_at=NOON)
        absent.attendance = Attendance.ABSENT if ago > 6 else Attendance.PRESENT
        grade(absent, 80)
        grade(falls, 60 if ago <= 3 else 90)
    for _ in range(40):
        a_day(session, klass, TODAY + timedelta(days=5), due_in=None)
    session.flush()

    found = {one.name: [str(why) for why in one.reasons] for one in at_risk(session, READER, NOON)}

    assert found == {"02": ["The average of the last three scores is 60, of the three before 90."]}


def test_an_absence_that_was_made_up_is_none_of_those_in_a_row(session):
    klass = a_scored_class(session, 1)
    for ago in (9, 8, 7, 6, 5, 4):
        a_day(session, klass, TODAY - timedelta(days=ago), due_in=None, taken_at=NOON)
    missed = []
    for ago in (3, 2, 1):
        _day, (row,) = a_day(session, klass, TODAY - timedelta(days=ago), due_in=None, taken_at=NOON)
        row.attendance = Attendance.ABSENT
        missed.append(row)
    for _ in range(20):
        a_day(session, klass, TODAY + timedelta(days=5), due_in=None)
    host = a_scored_class(session, 1, course_id=klass.group.course_id)
    day, _rows = a_day(session, host, TODAY, due_in=None, taken_at=NOON)
    session.flush()
    assert [str(why) for one in at_risk(session, READER, NOON) for why in one.reasons] == ["Absent 3 days in a row."]

    a_study_record(session, day, klass.students[0], makes_up_id=missed[1].id)

    assert at_risk(session, READER, NOON) == []


def test_a_day_that_was_held_and_is_not_confirmed_may_still_be_attended(session):
    klass = a_scored_class(session, 1, ends_on=TODAY - timedelta(days=1))
    taken = [a_day(session, klass, TODAY - timedelta(days=ago), due_in=None, taken_at=NOON) for ago in range(10, 2, -1)]
    open_days = [a_day(session, klass, TODAY - timedelta(days=ago), due_in=None)[0] for ago in (2, 1)]
    for _day, rows in taken[:2]:
        rows[0].attendance = Attendance.ABSENT
    session.flush()

    assert at_risk(session, READER, NOON) == []

    open_days[0].taken_at = NOON
    session.exec(
        select(StudyRecord).where(StudyRecord.course_record_id == open_days[0].id)
    ).one().attendance = Attendance.ABSENT
    session.flush()
    assert [str(why) for one in at_risk(session, READER, NOON) for why in one.reasons] == [
        "Reaches 80 % attendance only if 1 absence is made up."
    ]

    klass.group.ends_on = None
    session.flush()
    assert [str(why) for one in at_risk(session, READER, NOON) for why in one.reasons] == [
        "On the days planned so far, reaches 80 % attendance only if 1 absence is made up."
    ]


def test_a_class_that_nobody_called_under_way_yet_is_listed_all_the_same(session):
    klass = a_scored_class(session, 1, state=ClassState.PLANNED)
    for ago in (3, 2, 1):
        a_day(session, klass, TODAY - timedelta(days=ago), due_in=None, taken_at=NOON)[1][
            0
        ].attendance = Attendance.ABSENT
    session.flush()

    assert [one.class_id for one in at_risk(session, READER, NOON)] == [klass.group.id]


def test_a_class_that_is_over_and_a_student_who_left_are_not_listed(session):
    over, gone = a_scored_class(session, 1, state=ClassState.FINISHED), a_scored_class(session, 2)
    for klass in (over, gone):
        for ago in (3, 2, 1):
            for row in a_day(session, klass, TODAY - timedelta(days=ago), due_in=None, taken_at=NOON)[1]:
                row.attendance = Attendance.ABSENT
    place = session.exec(select(Enrolment).where(Enrolment.student_id == gone.students[0].id)).one()
    place.left_on = TODAY
    session.flush()

    assert [one.student_id for one in at_risk(session, READER, NOON)] == [gone.students[1].id]


def test_a_lecturer_is_told_of_own_classes_only(session):
    mine, other = a_scored_class(session, 1), a_scored_class(session, 1)
    for klass in (mine, other):
        for ago in (3, 2, 1):
            a_day(session, klass, TODAY - timedelta(days=ago), due_in=None, taken_at=NOON)[1][
                0
            ].attendance = Attendance.ABSENT
    session.flush()
    lecturer = an_actor(role="lecturer", of=mine.lecturer)

    assert {one.class_id for one in at_risk(session, lecturer, NOON)} == {mine.group.id}
    assert at_risk(session, lecturer, NOON, other.group.id) == []
