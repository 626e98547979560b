"""A student's own grades: in the order of the days, nobody else's, and a median only where it tells nobody's score."""

from datetime import timedelta

import pytest
from sqlmodel import select

from crm.domain.students import Enrolment
from crm.domain.teaching import Attendance, ScoreState
from crm.errors import NotAllowed
from crm.rbac import Reach
from crm.services import my_grades
from tests.builders import NOON, an_actor
from tests.school_builders import TODAY, a_class_group, a_student_in, an_enrolment
from tests.scored import a_day, a_scored_class, grade

EVERYTHING = ("grades.view", "grades.hand_in", "gradebook.view", "gradebook.score")


def the(student, *actions):
    return an_actor(*actions, role="student", account_id=student.account_id)


def days_of(session, actor, group, now=NOON):
    return my_grades.of_class(session, actor, group.id, now).days


def test_points_are_in_the_order_of_the_days_however_they_were_entered(session):
    klass = a_scored_class(session, 1)
    for ago, number in ((2, 70), (9, 90), (5, 80)):
        _day, (row,) = a_day(session, klass, TODAY - timedelta(days=ago))
        grade(row, number)
    session.flush()

    days = days_of(session, the(klass.students[0]), klass.group)

    assert [day.number for day in days] == [90, 80, 70]
    assert [day.held_on for day in days] == sorted(day.held_on for day in days)


def test_a_student_reads_nobody_elses_scores_whatever_was_asked_or_granted(session):
    klass, other = a_scored_class(session, 2), a_scored_class(session, 1)
    for one in (klass, other):
        for row in a_day(session, one)[1]:
            grade(row, 90)
    session.flush()

    for actor in (the(klass.students[0]), the(klass.students[0], *EVERYTHING)):
        assert len(days_of(session, actor, klass.group)) == 1
        assert days_of(session, actor, other.group) == ()
        assert set(my_grades.classes(session, actor)) == {klass.group.id}


def test_who_is_no_student_has_no_grades(session):
    klass = a_scored_class(session, 1)
    a_day(session, klass)

    for actor in (an_actor("grades.view", of=klass.lecturer), an_actor("grades.view", reach=Reach.ALL)):
        assert not my_grades.classes(session, actor)
        assert not days_of(session, actor, klass.group)
    with pytest.raises(NotAllowed):
        my_grades.classes(session, an_actor(account_id=klass.students[0].account_id))


@pytest.mark.parametrize(("scores", "middle"), [([100, 0, 50, 90], None), ([100, 0, 50, 90, 9], 50.0),
                                                ([9, 100, 0, 50, 90, 60], 55.0)])  # fmt: skip
def test_the_class_median_is_there_from_five_graded_on(session, scores, middle):
    klass = a_scored_class(session, len(scores) + 2)
    _day, rows = a_day(session, klass)
    for row, number in zip(rows, scores, strict=False):
        grade(row, number)
    rows[-1].score_state = ScoreState.COPIED
    session.flush()

    (day,) = days_of(session, the(klass.students[0]), klass.group)

    assert day.median == middle


def test_a_state_has_no_number_and_what_was_due_is_missing_the_day_after(session):
    klass = a_scored_class(session, 1)
    for state in (ScoreState.COPIED, ScoreState.FAILED, ScoreState.NOT_DUE):
        a_day(session, klass, due_in=0)[1][0].score_state = state
    session.flush()
    me = the(klass.students[0])

    def states(now):
        return [(day.state, day.number) for day in days_of(session, me, klass.group, now)]

    assert [state for state, _number in states(NOON)][-1] is ScoreState.NOT_DUE
    assert states(NOON + timedelta(days=1)) == [
        (ScoreState.COPIED, None),
        (ScoreState.FAILED, None),
        (ScoreState.MISSING, None),
    ]


def test_days_before_joining_and_after_leaving_are_not_ones_own(session):
    group = a_class_group(session, starts_on=TODAY - timedelta(days=30))
    student = a_student_in(session, group, joined_on=TODAY - timedelta(days=3), left_on=TODAY, consultant=None)
    klass = a_scored_class(session, 0)
    klass = type(klass)(group, klass.lecturer, [student])
    for ago in (4, 3, 1, 0):
        a_day(session, klass, TODAY - timedelta(days=ago))

    days = days_of(session, the(student), group)

    assert [day.held_on for day in days] == [TODAY - timedelta(days=3), TODAY - timedelta(days=1)]


def test_who_has_two_classes_finds_the_later_one_first(session):
    klass = a_scored_class(session, 1)
    later = a_class_group(session, starts_on=TODAY)
    an_enrolment(session, klass.students[0], later)

    assert list(my_grades.classes(session, the(klass.students[0]))) == [later.id, klass.group.id]


def test_the_strip_is_ones_own_latest_days_in_order_and_tells_what_was_confirmed(session):
    klass = a_scored_class(session, 2)
    for ago, attendance, taken in ((2, Attendance.PRESENT, False), (9, Attendance.ABSENT, True)):
        day, (mine, theirs) = a_day(session, klass, TODAY - timedelta(days=ago))
        mine.attendance, theirs.attendance = attendance, Attendance.EXCUSED
        day.taken_at = NOON if taken else None
    session.flush()
    mine, other = the(klass.students[0]), a_scored_class(session, 1)

    days = my_grades.strip(session, mine, klass.group.id)

    assert [(TODAY - day.held_on, day.mark.attendance, day.taken) for day in days] == [
        (timedelta(days=9), Attendance.ABSENT, True),
        (timedelta(days=2), Attendance.PRESENT, False),
    ]
    assert my_grades.strip(session, the(other.students[0]), klass.group.id) == []


def test_who_had_left_by_the_day_is_none_of_the_five_of_the_median(session):
    klass = a_scored_class(session, 6)
    _day, rows = a_day(session, klass)
    for row, number in zip(rows, (50, 60, 70, 80, 90, 100), strict=True):
        grade(row, number)
    session.flush()

    def seen():
        me = an_actor(role="student", account_id=klass.students[-1].account_id)
        return my_grades.of_class(session, me, klass.group.id, NOON).days[0].median

    medians = [seen()]
    for student in klass.students[:2]:
        place = session.exec(select(Enrolment).where(Enrolment.student_id == student.id)).one()
        place.left_on = place.joined_on
        session.flush()
        medians.append(seen())

    assert medians == [75, 80, None]
