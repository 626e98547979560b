"""A class's gradebook, and classes beside each other: what stands in a cell, and figures of the graded only."""

from dataclasses import replace
from datetime import timedelta

import pytest

from crm.domain.scores import NONE, Score
from crm.domain.teaching import Attendance, ScoreState
from crm.errors import NotAllowed, NotFound
from crm.rbac import Reach
from crm.services.scores import scoring
from crm.services.scores.at_risk import at_risk
from crm.services.scores.class_gradebook import book, compare, letters
from crm.services.scores.score_sheets import EXPORT
from tests.builders import NOON, an_actor
from tests.school_builders import TODAY, a_student_in
from tests.scored import a_day, a_scored_class, grade

READER = an_actor("gradebook.view", reach=Reach.ALL)


def test_a_gradebook_has_students_by_name_and_days_by_the_calendar(session):
    klass = a_scored_class(session, 2)
    for ago, scores in ((1, (70, None)), (5, (None, 90)), (3, (80, 60))):
        for row, number in zip(a_day(session, klass, TODAY - timedelta(days=ago))[1], scores, strict=True):
            grade(row, number)
    session.flush()

    seen = book(session, READER, klass.group.id, NOON)

    assert [pupil.name for pupil in seen.pupils] == ["01", "02"]
    assert [day.held_on for day in seen.days] == [TODAY - timedelta(days=ago) for ago in (5, 3, 1)]
    assert [seen.of_pupil(pupil) for pupil in seen.pupils] == [[None, 80, 70], [90, 60, None]]
    assert seen.of_day(seen.days[1]) == [80, 60]
    assert seen.figures() == (75.0, 75.0)


def test_two_of_one_name_are_told_apart_wherever_they_are_scored_and_keep_it_in_the_sheet(session):
    klass = a_scored_class(session, 1)
    klass.students.extend(a_student_in(session, klass.group, "02") for _each in range(2))
    day, rows = a_day(session, klass, TODAY - timedelta(days=1))
    for row in rows:
        row.attendance = Attendance.ABSENT
    day.taken_at = NOON
    session.flush()
    names = ["01", *(f"02 · {student.customer_id}" for student in klass.students[1:])]

    seen = book(session, READER, klass.group.id, NOON)
    to_score = scoring.sheet(session, an_actor(role="lecturer", of=klass.lecturer), day.id, NOON)

    assert seen.names() == names
    assert [pupil.name for pupil in seen.pupils] == ["01", "02", "02"]
    assert [line.name for line in to_score.lines] == names
    assert [one.name for one in at_risk(session, READER, NOON)] == sorted(names)


def test_a_cell_is_a_number_a_state_or_nothing(session):
    klass = a_scored_class(session, 3)
    _day, (first, second, _third) = a_day(session, klass, due_in=0)
    grade(first, 0)
    second.score_state = ScoreState.COPIED
    _later, rows = a_day(session, klass, TODAY + timedelta(days=2))
    session.delete(rows[2])
    session.flush()

    seen = book(session, READER, klass.group.id, NOON + timedelta(days=1))
    cells = [[seen.cells.get((pupil.id, day.id)) for day in seen.days] for pupil in seen.pupils]

    assert cells == [
        [Score(ScoreState.GRADED, 0), NONE],
        [Score(ScoreState.COPIED), NONE],
        [Score(ScoreState.MISSING), None],
    ]
    assert letters(list(seen.cells.values())) == {**dict.fromkeys(letters([]), 0), "D": 1}


def test_a_lecturer_opens_the_gradebooks_of_own_classes_only(session):
    klass, other = a_scored_class(session, 1), a_scored_class(session, 1)
    for one in (klass, other):
        grade(a_day(session, one)[1][0], 50)
    session.flush()
    lecturer = an_actor(role="lecturer", of=klass.lecturer)

    assert book(session, lecturer, klass.group.id, NOON).pupils
    with pytest.raises(NotFound):
        book(session, lecturer, other.group.id, NOON)
    assert [one.class_id for one in compare(session, lecturer, NOON)] == [klass.group.id]


def test_a_comparison_that_is_taken_home_has_the_classes_one_may_export(session):
    mine, other = a_scored_class(session, 1), a_scored_class(session, 1)
    for klass in (mine, other):
        grade(a_day(session, klass)[1][0], 80)
    session.flush()
    sees = an_actor("gradebook.view", reach=Reach.ALL, of=mine.lecturer)
    takes = replace(sees, grants={**sees.grants, "gradebook.export": Reach.OWN})

    assert {one.class_id for one in compare(session, takes, NOON)} == {mine.group.id, other.group.id}
    assert [one.class_id for one in compare(session, takes, NOON, EXPORT)] == [mine.group.id]
    with pytest.raises(NotAllowed):
        compare(session, sees, NOON, EXPORT)
    assert an_actor(role="sales_manager").may(EXPORT)


def test_classes_are_compared_by_what_is_graded_and_told_what_is_not(session):
    klass, few = a_scored_class(session, 7), a_scored_class(session, 4)
    for one in (klass, few):
        _day, rows = a_day(session, one, due_in=0)
        for row, number in zip(rows, (100, 90, 85, 40, 10), strict=False):
            grade(row, number)
    rows = a_day(session, klass, due_in=None)[1]
    rows[0].score_state, rows[1].score_state = ScoreState.COPIED, ScoreState.FAILED
    session.flush()

    found = {one.class_id: one for one in compare(session, READER, NOON + timedelta(days=1))}

    whole = found[klass.group.id]
    assert (whole.average, whole.median) == (65.0, 85.0)
    assert (whole.graded, whole.missing, whole.copied, whole.failed) == (5, 2, 1, 1)
    assert whole.letters == {**dict.fromkeys(whole.letters, 0), "A+": 1, "A": 1, "B+": 1, "C-": 1, "D": 1}
    assert (found[few.group.id].average, found[few.group.id].graded) == (None, 4)
