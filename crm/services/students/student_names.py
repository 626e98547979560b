"""What students are called: by the name of the customer that each was, two of one name with the customer's number."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlmodel import Session, col

from crm.domain.customers import Customer
from crm.domain.students import Student
from crm.domain.teaching import CourseRecord, StudyRecord
from crm.i18n import Says, says
from crm.store.many_rows import is_one_of

OF_STUDY_RECORD: Any = (
    select(col(Customer.name))
    .join(Student, col(Student.customer_id) == col(Customer.id))
    .where(col(Student.id) == col(StudyRecord.student_id))
    .correlate(StudyRecord)
    .scalar_subquery()
)
"""The name of a study record's student, to sort by."""


def named(session: Session, ids: Iterable[int]) -> dict[int, str]:
    """The names of students by id, in the order in which lists have them; two of one name are told apart."""
    asked = (
        select(col(Student.id), col(Customer.name), col(Customer.id))
        .join(Customer, col(Customer.id) == col(Student.customer_id))
        .where(is_one_of(session, col(Student.id), sorted(set(ids))))
        .order_by(col(Customer.name), col(Student.id))
    )
    rows = session.execute(asked).all()
    return told_apart({key: name for key, name, _number in rows}, {key: number for key, _name, number in rows})


def told_apart(names: Mapping[Any, str], numbers: Mapping[Any, Any]) -> dict[Any, str]:
    """The names, with the customer's number behind one that several have: that is how *Students* has them, too."""
    times = Counter(names.values())
    return {key: name if times[name] == 1 else f"{name} · {numbers[key]}" for key, name in names.items()}


def of_rows(session: Session, rows: Sequence[Any], _now: datetime) -> dict[int, str]:
    """The student of each study record, by the record's id."""
    names = named(session, (row.student_id for row in rows))
    return {row.id: names[row.student_id] for row in rows}


def called(session: Session, ids: Sequence[int]) -> dict[int, Says]:
    """What people call these study records: the student and the date. For those whom a service lets see them."""
    asked = (
        select(col(StudyRecord.id), col(StudyRecord.student_id), col(CourseRecord.held_on))
        .join(CourseRecord, col(CourseRecord.id) == col(StudyRecord.course_record_id))
        .where(is_one_of(session, col(StudyRecord.id), ids))
    )
    found = list(session.execute(asked))
    names = named(session, (row.student_id for row in found))
    return {row.id: says("{name}, {day}", name=names[row.student_id], day=row.held_on) for row in found}
