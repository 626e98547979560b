"""The days of a class as all of its students see them: when, what, and the median beside their own score."""

from collections.abc import Sequence
from datetime import date
from itertools import compress
from operator import itemgetter
from typing import Any, NamedTuple

from sqlalchemy import select
from sqlmodel import Session, col

from crm.domain.teaching import CourseRecord
from crm.services.scores.class_medians import medians_of


class ClassDays(NamedTuple):
    """Course records of a class in the order of its days, by the column. `taken`: whether attendance was confirmed.

    `median` is that of the class, where enough were graded for it to tell nobody's score.
    """

    id: Sequence[int] = ()
    day_number: Sequence[int] = ()
    held_on: Sequence[date] = ()
    title: Sequence[str] = ()
    homework: Sequence[str | None] = ()
    due_on: Sequence[date | None] = ()
    taken: Sequence[bool] = ()
    median: Sequence[float | None] = ()

    def only(self, keep: Sequence[object]) -> "ClassDays":
        """Those whose place in `keep` is true."""
        return self if all(keep) else ClassDays._make(tuple(compress(column, keep)) for column in self)


_BY_DAY = itemgetter(2, 1)
_DAYS: Any = select(
    col(CourseRecord.id),
    col(CourseRecord.day_number),
    col(CourseRecord.held_on),
    col(CourseRecord.title),
    col(CourseRecord.homework_title),
    col(CourseRecord.homework_due_on),
    col(CourseRecord.taken_at).is_not(None),
)


def days_of(session: Session, class_id: int) -> ClassDays:
    """All of them. The same for everybody of the class, so no actor is asked for: `my_grades.of_class` has asked."""
    asked = _DAYS.where(col(CourseRecord.class_group_id) == class_id)
    # Years of days are put in order here in a tenth of the time: SQLite would carry every column through its sorter.
    rows = sorted(session.connection().execute(asked).all(), key=_BY_DAY)
    if not rows:
        return ClassDays()
    medians = medians_of(session, class_id)
    columns = zip(*rows, strict=True)
    return ClassDays._make([*columns, [medians.get(row[0]) for row in rows]])
