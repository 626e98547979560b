"""A student's own grades: in the order of the days, nobody else's, and a median only where it tells nobody's score."""

from datetime import timedelta

import pytest
from sqlmodel import select

from crm.domain.attendance import counted, figure
from crm.domain.students import Enrolment
from crm.domain.teaching import Attendance, ScoreState
from crm.errors import NotAllowed, NotFound
from crm.rbac import Reach
from crm.services.attendance import attendance_figures
from crm.services.scores import class_days, my_grades
from tests.builders import NOON, an_actor
from tests.school_builders import TODAY, a_class_group, a_student_in, a_study_record, an_enrolment
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
        assert not days_of(session, actor, other.group)
        assert set(my_grades.classes(session, actor)) == {klass.group.id}


def test_what_others_handed_in_is_opened_by_no_number(session):
    klass, other = a_scored_class(session, 2), a_scored_class(session, 1)
    _day, (mine, classmates) = a_day(session, klass)
    _day, (theirs,) = a_day(session, other)

    for actor in (the(klass.students[0]), the(klass.students[0], *EVERYTHING)):
        assert my_grades.handed_in(session, actor, mine.id).id == mine.id
        for foreign in (classmates, theirs):
            with pytest.raises(NotFound):
                my_grades.handed_in(session, actor, foreign.id)


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


def test_days_that_are_kept_are_not_even_asked_for_by_who_has_no_place_in_the_class(session):
    klass, other = a_scored_class(session, 1), a_scored_class(session, 1)
    for one in (klass, other):
        a_day(session, one)
    session.flush()
    asked = []

    def kept(_session, class_id):
        asked.append(class_id)
        return class_days.days_of(session, class_id)

    for group in (klass.group, other.group):
        my_grades.of_class(session, the(klass.students[0]), group.id, NOON, kept)

    assert asked == [klass.group.id]


def test_a_day_that_came_after_the_others_were_kept_is_there(session):
    klass = a_scored_class(session, 1)
    a_day(session, klass, TODAY - timedelta(days=2))
    session.flush()
    kept = class_days.days_of(session, klass.group.id or 0)
    a_day(session, klass, TODAY - timedelta(days=1))
    session.flush()
    me = the(klass.students[0])

    found = my_grades.of_class(session, me, klass.group.id, NOON, lambda _session, _class: kept)

    assert [day.held_on for day in found.days] == [TODAY - timedelta(days=2), TODAY - timedelta(days=1)]


def test_who_has_two_classes_reads_the_days_of_the_one_that_was_asked_for(session):
    klass = a_scored_class(session, 1)
    later = a_scored_class(session, 0)
    later = type(later)(later.group, later.lecturer, klass.students)
    an_enrolment(session, klass.students[0], later.group)
    for one, ago in ((klass, 2), (later, 1)):
        a_day(session, one, TODAY - timedelta(days=ago))
    session.flush()
    me = the(klass.students[0])

    assert [day.held_on for day in days_of(session, me, klass.group)] == [TODAY - timedelta(days=2)]
    assert [day.held_on for day in days_of(session, me, later.group)] == [TODAY - timedelta(days=1)]


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


def test_the_attendance_of_ones_own_days_makes_the_figure_that_the_teacher_sees(session):
    klass = a_scored_class(session, 2)
    me, absent = klass.students[0], Attendance.ABSENT
    marks = ((9, absent, True), (8, absent, True), (7, Attendance.EXCUSED, True), (6, Attendance.LATE, True))
    mine = []
    for ago, attendance, taken in (*marks, (2, absent, False)):
        day, (own, theirs) = a_day(session, klass, TODAY - timedelta(days=ago))
        own.attendance, theirs.attendance = attendance, Attendance.PRESENT
        day.taken_at = NOON if taken else None
        mine.append(own)
    mine[3].late_minutes, mine[3].makes_up_id = 40, mine[0].id
    session.flush()

    days = [day.attended for day in days_of(session, the(me), klass.group)]

    rule = attendance_figures.rule()
    assert [str(counted(day, rule)) for day in days] == [
        "1 of 1", "0 of 1", "No: excused", "0.5 of 1", "No: not confirmed",
    ]  # fmt: skip
    assert [str(day.says) for day in days][:2] == ["Absent, made up", "Absent"]
    seen = attendance_figures.of_class(session, an_actor("attendance.view"), klass.group.id)
    assert figure(days, rule) == seen[me.id]
    rows = attendance_figures.counted_rows(session, mine, NOON)
    assert [rows[row.id] for row in mine] == [counted(day, rule) for day in days]


def test_a_day_on_which_one_was_a_guest_does_not_count(session):
    klass = a_scored_class(session, 1)
    (student,) = klass.students
    _missed, (absence,) = a_day(session, klass, TODAY - timedelta(days=5))
    place = session.exec(select(Enrolment).where(Enrolment.student_id == student.id)).one()
    place.left_on = TODAY - timedelta(days=2)
    day, (guest,) = a_day(session, klass, TODAY)
    day.taken_at, guest.makes_up_id = NOON, absence.id
    session.flush()

    days = [day.attended for day in days_of(session, the(student), klass.group)]

    assert [(day.in_class, day.made_up) for day in days] == [(True, False), (False, False)]
    assert str(counted(days[1], attendance_figures.rule())) == "No: not in the class"


def test_open_homework_is_of_all_ones_own_classes_and_of_no_other(session):
    klass, other, foreign = (a_scored_class(session, 1) for _each in range(3))
    (student,) = klass.students
    an_enrolment(session, student, other.group, joined_on=other.group.starts_on)
    for one in (klass, other, foreign):
        for ago, state in ((3, ScoreState.GRADED), (2, ScoreState.NOT_DUE), (1, ScoreState.MISSING)):
            record, rows = a_day(session, one, TODAY - timedelta(days=ago), title=f"{ago}")
            if one is not klass:
                rows.append(a_study_record(session, record, student))
            for row in rows:
                grade(row, 90 if state is ScoreState.GRADED else None)
                row.score_state = state
    a_day(session, klass, TODAY, due_in=None)
    session.flush()

    read = my_grades.of_class(session, the(student), klass.group.id, NOON)
    asked = [one.group.id for one in (klass, other, foreign)]
    found = my_grades.homework(session, the(student), asked, read)

    assert [(one.class_id, (TODAY - one.held_on).days) for one in found] == [
        (klass.group.id, 2), (other.group.id, 2), (klass.group.id, 1), (other.group.id, 1),
    ]  # fmt: skip


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
