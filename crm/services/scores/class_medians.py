"""The medians of a class, which its students see beside their own scores."""

from collections.abc import Mapping

from sqlalchemy import select
from sqlmodel import Session, col

from crm.domain.classes import ClassGroup
from crm.domain.scores import ENOUGH, median
from crm.domain.students import Enrolment
from crm.domain.teaching import CourseRecord, StudyRecord
from crm.services.scores.gradebook_scopes import COUNTS
from crm.store.medians import class_medians


def medians_of(session: Session, class_id: int) -> Mapping[int, float]:
    """Course record -> the median of the class, of who was in it on that day, where it tells nobody's score.

    The same for everybody of the class, so no actor is asked for: `my_grades.of_class` has asked before.
    """
    found = class_medians(session, class_id)
    came_or_left = select(col(Enrolment.student_id)).join(
        ClassGroup, col(ClassGroup.id) == col(Enrolment.class_group_id)
    )
    some = session.scalars(
        came_or_left.where(
            col(Enrolment.class_group_id) == class_id,
            col(Enrolment.left_on).is_not(None) | (col(Enrolment.joined_on) > col(ClassGroup.starts_on)),
        )
    ).all()
    if not some:
        return found
    # Asked again where one was graded who had no place on the day.
    graded = (
        select(col(CourseRecord.id), col(StudyRecord.score))
        .join(StudyRecord, col(StudyRecord.course_record_id) == col(CourseRecord.id))
        .where(col(CourseRecord.class_group_id) == class_id, col(StudyRecord.score).is_not(None))
    )
    strange = {day for day, _score in session.execute(graded.where(col(StudyRecord.student_id).in_(some), ~COUNTS))}
    of: dict[int, list[int | None]] = {day: [] for day in strange}
    if strange:
        for day, score in session.execute(graded.where(col(CourseRecord.id).in_(strange), COUNTS)):
            of[day].append(score)
    for day, scores in of.items():
        middle = median(scores) if len(scores) >= ENOUGH else None
        found.pop(day, None)
        if middle is not None:
            found[day] = middle
    return found
