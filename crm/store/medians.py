"""Medians by day of a class: one pass over an index that holds nothing but what is asked."""

from typing import Any

from sqlalchemy import func, select
from sqlmodel import Session, SQLModel

from crm.domain.scores import ENOUGH
from crm.store.session import is_postgres


def class_medians(session: Session, class_id: int) -> dict[int, float]:
    """Course record -> the median of its graded scores, where enough were graded to tell nobody's."""
    tables = SQLModel.metadata.tables
    days, rows = tables["course_record"], tables["study_record"]
    asked = (
        select(rows.c.course_record_id)
        .join(days, days.c.id == rows.c.course_record_id)
        .where(days.c.class_group_id == class_id, rows.c.score.is_not(None))
        .group_by(rows.c.course_record_id)
        .having(func.count() >= ENOUGH)
    )
    if is_postgres(session):
        middle = func.percentile_cont(0.5).within_group(rows.c.score)
        return {key: float(value) for key, value in session.execute(asked.add_columns(middle))}
    # SQLite knows no median. Its rows come sorted from the index, so the text has the scores in order; where a
    # planner should ever do otherwise, they are sorted here all the same.
    listed = func.group_concat(rows.c.score)
    return {key: _middle(text) for key, text in session.execute(asked.add_columns(listed))}


def _middle(listed: Any) -> float:
    scores = sorted(map(int, listed.split(",")))
    half = len(scores) // 2
    return float(scores[half]) if len(scores) % 2 else (scores[half - 1] + scores[half]) / 2
