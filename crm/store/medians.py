"""Medians by day of a class, read from an index that holds nothing but what is asked."""

import json

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
# SQLite knows no median. It counts the scores of each day; where as many were graded, the middle is as far from the
# first in the index. To list all scores and look for it here takes nearly twice as long.
_SQLITE_COUNTS = text("""
    SELECT day.id, (
        SELECT count(*) FROM study_record AS study WHERE study.course_record_id = day.id AND study.score IS NOT NULL
    ) FROM course_record AS day WHERE day.class_group_id = :class_id
""")
_SQLITE_MIDDLES = text("""
    SELECT day.value, (
        SELECT avg(middle.score) FROM (
            SELECT study.score FROM study_record AS study
            WHERE study.course_record_id = day.value AND study.score IS NOT NULL
            ORDER BY study.score LIMIT :one_or_two OFFSET :before
        ) AS middle
    ) FROM json_each(:days) AS day
""")


def class_medians(session: Session, class_id: int) -> dict[int, float]:
    """Course record -> the median of its graded scores, where enough were graded to tell nobody's."""
    if not is_postgres(session):
        return _of_sqlite(session, class_id)
    found = session.execute(_POSTGRES, {"class_id": class_id, "enough": ENOUGH})
    return {day: float(middle) for day, middle in found.all()}


def _of_sqlite(session: Session, class_id: int) -> dict[int, float]:
    alike: dict[int, list[int]] = {}
    for day, count in session.execute(_SQLITE_COUNTS, {"class_id": class_id}).all():
        if count >= ENOUGH:
            alike.setdefault(count, []).append(day)
    found: dict[int, float] = {}
    for count, days in alike.items():
        place = {"one_or_two": 2 - count % 2, "before": (count - 1) // 2}
        found.update(session.execute(_SQLITE_MIDDLES, {**place, "days": json.dumps(days)}).all())
    return found
