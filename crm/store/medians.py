"""Medians by day of a class, read from an index that holds nothing but what is asked."""

from sqlalchemy import text
from sqlmodel import Session

from crm.domain.scores import ENOUGH
from crm.store.session import is_postgres

# Day by day, so that years of scores are neither grouped nor sorted again: the index has them in order.
_POSTGRES = text("""
    SELECT day.id, middle.score FROM course_record AS day CROSS JOIN LATERAL (
        SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY study.score) AS score FROM study_record AS study
        WHERE study.course_record_id = day.id AND study.score IS NOT NULL HAVING count(*) >= :enough
    ) AS middle WHERE day.class_group_id = :class_id
""")
# SQLite knows no median: it lists the scores of a day in order, and the middle is found here.
_SQLITE = text("""
    SELECT day.id, (
        SELECT group_concat(listed.score) FROM (
            SELECT study.score FROM study_record AS study
            WHERE study.course_record_id = day.id AND study.score IS NOT NULL ORDER BY study.score
        ) AS listed HAVING count(*) >= :enough
    ) FROM course_record AS day WHERE day.class_group_id = :class_id
""")


def class_medians(session: Session, class_id: int) -> dict[int, float]:
    """Course record -> the median of its graded scores, where enough were graded to tell nobody's."""
    given = {"class_id": class_id, "enough": ENOUGH}
    if is_postgres(session):
        return {key: float(value) for key, value in session.execute(_POSTGRES, given).all()}
    return {key: _middle(listed) for key, listed in session.execute(_SQLITE, given).all() if listed}


def _middle(listed: str) -> float:
    """The median of numbers in order, with commas between them."""
    scores = listed.split(",")
    half = len(scores) // 2
    return float(scores[half]) if len(scores) % 2 else (int(scores[half - 1]) + int(scores[half])) / 2
