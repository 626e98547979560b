"""Scoring a day: what is typed is saved against what was seen, cell by cell, and only where somebody may."""

from datetime import timedelta

import pytest
from sqlalchemy.exc import IntegrityError
from sqlmodel import select, update

from crm.domain.records import AuditEntry
from crm.domain.scores import NONE, UNREAD, Score
from crm.domain.students import Enrolment
from crm.domain.teaching import Attendance, ScoreState, StudyRecord
from crm.errors import NotAllowed, NotFound
from crm.rbac import Reach
from crm.services.scores.gradebook_scopes import NO_SUCH_ROW
from crm.services.scores.scoring import REMARK, TYPED, Typed, save, sheet
from tests.builders import NOON, an_actor
from tests.school_builders import TODAY
from tests.scored import a_day, a_scored_class, grade

GRADED = ScoreState.GRADED


@pytest.fixture
def klass(session):
    return a_scored_class(session)


@pytest.fixture
def lecturer(klass):
    return an_actor(role="lecturer", of=klass.lecturer)


def typed(row, score=None, remark=None, seen=NONE, version=None):
    return Typed(row.id, version or row.version, (seen, row.teacher_remark or ""), score, remark)


def stored(session, row):
    session.refresh(row)
    return row.score_state, row.score, row.teacher_remark


def test_a_sheet_has_the_students_in_the_order_of_their_names(session, klass, lecturer):
    day, rows = a_day(session, klass)

    seen = sheet(session, lecturer, day.id, NOON)

    assert [line.name for line in seen.lines] == ["01", "02", "03"]
    assert {line.id for line in seen.lines} == {row.id for row in rows}
    assert {(line.score, line.state) for line in seen.lines} == {(NONE, ScoreState.NOT_DUE)}


def test_one_save_takes_letters_numbers_states_and_remarks(session, klass, lecturer):
    _day, (first, second, third) = a_day(session, klass)

    told = save(
        session,
        lecturer,
        [typed(first, "b+", "Well done"), typed(second, "７２"), typed(third, "抄袭", "See me")],
        NOON,
    )

    assert (told.saved, told.why) == (5, {})
    assert stored(session, first) == (GRADED, 85, "Well done")
    assert stored(session, second) == (GRADED, 72, None)
    assert stored(session, third) == (ScoreState.COPIED, None, "See me")
    assert (first.scored_at, first.scored_by_id, first.version) == (NOON, klass.lecturer.account_id, 2)
    kept = session.exec(select(AuditEntry).where(AuditEntry.subject_id == first.id)).one()
    assert (kept.action, kept.after) == ("gradebook.score", '{"fields": ["score", "remark"]}')


def test_an_emptied_cell_is_not_scored_any_more(session, klass, lecturer):
    _day, (row, *_rest) = a_day(session, klass)
    grade(row, 80)
    session.flush()

    save(session, lecturer, [typed(row, "", seen=Score(GRADED, 80))], NOON)

    assert stored(session, row) == (ScoreState.NOT_DUE, None, None)
    assert row.scored_at is None


def test_a_cell_that_cannot_be_read_harms_no_other(session, klass, lecturer):
    _day, (first, second, _third) = a_day(session, klass)

    told = save(session, lecturer, [typed(first, "ninety", "Late"), typed(second, "A")], NOON)

    assert told.why == {(first.id, TYPED): UNREAD}
    assert stored(session, first) == (ScoreState.NOT_DUE, None, "Late")
    assert stored(session, second) == (GRADED, 90, None)


@pytest.mark.parametrize("sentinel", ["-1", "-100", "-1000", "101"])
def test_a_score_is_validated_before_it_is_written(session, klass, lecturer, sentinel):
    _day, (row, *_rest) = a_day(session, klass)

    told = save(session, lecturer, [typed(row, sentinel)], NOON)

    assert (told.saved, told.why) == (0, {(row.id, TYPED): UNREAD})
    assert stored(session, row) == (ScoreState.NOT_DUE, None, None)


@pytest.mark.parametrize("values", [{"score": -1}, {"score": -100}, {"score": -1000}, {"score": 101}])
@pytest.mark.parametrize("state", [GRADED, ScoreState.MISSING])
def test_the_database_itself_refuses_a_sentinel(session, klass, values, state):
    _day, (row, *_rest) = a_day(session, klass)

    with pytest.raises(IntegrityError), session.begin_nested():
        session.execute(update(StudyRecord).where(StudyRecord.id == row.id).values(score_state=state, **values))


@pytest.mark.parametrize("state", [each for each in ScoreState if each is not GRADED])
def test_the_database_itself_refuses_a_state_with_a_number(session, klass, state):
    _day, (row, *_rest) = a_day(session, klass)

    with pytest.raises(IntegrityError), session.begin_nested():
        session.execute(update(StudyRecord).where(StudyRecord.id == row.id).values(score_state=state, score=50))


def test_what_somebody_else_scored_meanwhile_is_told_and_kept_until_it_is_saved_again(session, klass, lecturer):
    _day, (row, *_rest) = a_day(session, klass)
    save(session, lecturer, [typed(row, "80")], NOON)

    # The sheet was drawn before that.
    told = save(session, lecturer, [typed(row, "95", "Mine", version=1)], NOON)

    assert told.why.keys() == {(row.id, TYPED)}
    assert "“80”" in str(told.why[row.id, TYPED])
    assert stored(session, row) == (GRADED, 80, "Mine")

    told = save(session, lecturer, [typed(row, "95", seen=Score(GRADED, 80))], NOON)

    assert not told.why
    assert stored(session, row)[:2] == (GRADED, 95)


def test_a_day_on_which_the_student_was_not_in_the_class_is_not_scored(session, klass, lecturer):
    _day, (row, *_rest) = a_day(session, klass)
    place = session.exec(select(Enrolment).where(Enrolment.student_id == row.student_id)).one()
    place.left_on = TODAY
    session.flush()

    told = save(session, lecturer, [typed(row, "A", "Well done")], NOON)

    assert (told.saved, set(told.why.values())) == (0, {NO_SUCH_ROW})
    assert stored(session, row) == (ScoreState.NOT_DUE, None, None)


def test_two_who_type_the_same_do_not_contradict(session, klass, lecturer):
    _day, (row, *_rest) = a_day(session, klass)
    save(session, lecturer, [typed(row, "80")], NOON)

    told = save(session, lecturer, [typed(row, "b", version=1)], NOON)

    assert (told.saved, told.why) == (0, {})


def test_attendance_that_was_taken_meanwhile_is_no_conflict(session, klass, lecturer):
    _day, (row, *_rest) = a_day(session, klass)
    row.attendance, row.version = Attendance.ABSENT, 2
    session.flush()

    told = save(session, lecturer, [typed(row, "80", version=1)], NOON)

    assert not told.why
    assert stored(session, row)[:2] == (GRADED, 80)
    assert (row.attendance, row.version) == (Attendance.ABSENT, 3)


def test_nobody_scores_another_class(session, klass):
    _day, (row, *_rest) = a_day(session, klass)
    other = an_actor(role="lecturer", of=a_scored_class(session).lecturer)

    told = save(session, other, [typed(row, "100", "Bravo")], NOON)

    assert (told.saved, set(told.why)) == (0, {(row.id, TYPED), (row.id, REMARK)})
    assert stored(session, row) == (ScoreState.NOT_DUE, None, None)
    with pytest.raises(NotFound):
        sheet(session, other, row.course_record_id, NOON)


def test_whoever_may_only_look_scores_nothing(session, klass):
    _day, (row, *_rest) = a_day(session, klass)
    reader = an_actor("gradebook.view", reach=Reach.ALL)

    with pytest.raises(NotAllowed):
        save(session, reader, [typed(row, "100")], NOON)
    with pytest.raises(NotAllowed):
        sheet(session, reader, row.course_record_id, NOON)


def test_who_had_left_before_the_day_is_not_on_its_sheet(session, klass, lecturer):
    day, _rows = a_day(session, klass)
    place = session.exec(select(Enrolment).where(Enrolment.student_id == klass.students[1].id)).one()
    place.left_on = day.held_on
    session.flush()

    assert [line.name for line in sheet(session, lecturer, day.id, NOON).lines] == ["01", "03"]


def test_the_sheet_shows_what_is_missing_by_its_due_date_and_stores_nothing(session, klass, lecturer):
    day, (first, second, _third) = a_day(session, klass)
    second.handed_in_at = NOON + timedelta(days=9)
    session.flush()

    lines = sheet(session, lecturer, day.id, NOON + timedelta(days=10)).lines

    assert [(line.state, line.late) for line in lines] == [
        (ScoreState.MISSING, False),
        (ScoreState.NOT_DUE, True),
        (ScoreState.MISSING, False),
    ]
    assert stored(session, first)[0] is ScoreState.NOT_DUE
