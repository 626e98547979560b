"""The scores of the demo school: of the days that classes had, in every state."""

from datetime import timedelta

from sqlmodel import Session, col, select

from crm.domain.teaching import CourseRecord, ScoreState, StudyRecord
from crm.services.demo import scores
from crm.services.demo.clock import Clock
from crm.services.scores.my_grades import of_class
from crm.settings import settings
from tests.builders import NOON, an_actor
from tests.school_builders import TODAY, a_class_group, a_course_record, a_student_in, a_study_record


def test_scores_are_of_past_days_in_every_state(session: Session) -> None:
    group = a_class_group(session, starts_on=TODAY - timedelta(days=60))
    students = [a_student_in(session, group) for _ in range(12)]
    for ago in range(56, -8, -2):
        day = a_course_record(session, group, TODAY - timedelta(days=ago), initialised_at=NOON)
        for student in students:
            a_study_record(session, day, student)
    clock = Clock(NOON, settings().zone, settings().rules)
    me = students[3].account_id or 0

    scores.fill(session, 7, clock, me)

    states = session.exec(select(StudyRecord.score_state)).all()
    assert set(states) == set(ScoreState) - {ScoreState.MISSING}
    own = of_class(session, an_actor(role="student", account_id=me), group.id or 0, NOON).days
    assert {day.state for day in own} == set(ScoreState)
    late = (
        select(StudyRecord)
        .join(CourseRecord)
        .where(CourseRecord.held_on >= TODAY, StudyRecord.score_state != "not_due")
    )
    assert session.exec(late).all() == []
    scored = session.exec(select(StudyRecord.scored_at).where(col(StudyRecord.scored_at).is_not(None))).all()
    assert scored and all(at < NOON for at in scored if at)
