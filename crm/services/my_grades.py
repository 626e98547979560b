"""A student's own scores: whose they are is in every query, and no id of a request is trusted for it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, NamedTuple

from sqlalchemy import select
from sqlmodel import Session, col

from crm.domain.calendar import day_of
from crm.domain.homework import handed_in_late
from crm.domain.scores import in_effect
from crm.domain.students import Enrolment, Student
from crm.domain.teaching import Attendance, CourseRecord, ScoreState, StudyRecord
from crm.i18n import Says
from crm.rbac import Actor
from crm.services import class_names
from crm.services.class_scopes import student_of
from crm.services.gradebook_scopes import COUNTS
from crm.settings import settings
from crm.store.medians import class_medians

VIEW = "grades.view"
DECIDED = (ScoreState.GRADED, ScoreState.COPIED, ScoreState.FAILED)
"""Homework in these states is not handed in any more: a teacher has judged it."""


class Graded(NamedTuple):
    """One of the student's own days. `state` is how the homework stands today, `number` only when graded.

    `median` is that of the class, where enough were graded for it to tell nobody's score.
    """

    id: int
    version: int
    day_number: int
    held_on: date
    title: str
    homework: str | None
    brief: str | None
    due_on: date | None
    state: ScoreState
    number: int | None
    median: float | None
    handed_in_at: datetime | None
    late: bool
    text: str | None
    file: str | None
    file_name: str | None
    note: str | None
    remark: str | None
    attendance: Attendance
    late_minutes: int | None
    taken: bool

    @property
    def open(self) -> bool:
        """Whether homework can be handed in, for the first time or once more."""
        return self.homework is not None and self.state not in DECIDED


@dataclass(frozen=True, slots=True)
class Own:
    """One class of the student, in the order of its days."""

    class_id: int
    days: tuple[Graded, ...]


def classes(session: Session, actor: Actor) -> Mapping[int, Says]:
    """The classes in which the actor has or had a place, the latest first. Empty for who is no student."""
    actor.require(VIEW)
    asked = (
        select(col(Enrolment.class_group_id), col(Enrolment.joined_on))
        .join(Student, col(Student.id) == col(Enrolment.student_id))
        .where(student_of(actor.account_id))
        .order_by(col(Enrolment.joined_on).desc(), col(Enrolment.id).desc())
    )
    ids = list(dict.fromkeys(key for key, _joined in session.execute(asked)))
    names = class_names.named(session, ids)
    return {key: names[key] for key in ids}


_ASKED: Any = (
    col(StudyRecord.id),
    col(StudyRecord.version),
    col(CourseRecord.id),
    col(CourseRecord.day_number),
    col(CourseRecord.held_on),
    col(CourseRecord.title),
    col(CourseRecord.homework_title),
    col(CourseRecord.homework_brief),
    col(CourseRecord.homework_due_on),
    col(StudyRecord.score_state),
    col(StudyRecord.score),
    col(StudyRecord.handed_in_at),
    col(StudyRecord.homework_text),
    col(StudyRecord.homework_file),
    col(StudyRecord.homework_file_name),
    col(StudyRecord.student_remark),
    col(StudyRecord.teacher_remark),
    col(StudyRecord.attendance),
    col(StudyRecord.late_minutes),
    col(CourseRecord.taken_at),
)


def of_class(session: Session, actor: Actor, class_id: int, now: datetime) -> Own:
    """The actor's own days of a class, first to last. None of anybody else's, whatever `class_id` is."""
    actor.require(VIEW)
    asked = (
        select(*_ASKED)
        .join(CourseRecord, col(CourseRecord.id) == col(StudyRecord.course_record_id))
        .join(Student, col(Student.id) == col(StudyRecord.student_id))
        .where(student_of(actor.account_id), col(CourseRecord.class_group_id) == class_id, COUNTS)
        .order_by(col(CourseRecord.held_on), col(CourseRecord.day_number))
    )
    rows = session.execute(asked).all()
    medians = class_medians(session, class_id) if rows else {}
    today, zone = day_of(now, settings().zone), settings().zone
    return Own(class_id, tuple(_graded(row, medians, today, zone) for row in rows))


def _graded(row: Any, medians: Mapping[int, float], today: date, zone: Any) -> Graded:
    (key, version, record, number, held_on, title, homework, brief, due_on, state, score, handed_in_at,
     text, file, file_name, note, remark, attendance, minutes, taken_at) = row  # fmt: skip
    return Graded(
        key,
        version,
        number,
        held_on,
        title,
        homework,
        brief,
        due_on,
        in_effect(state, handed_in=handed_in_at is not None, due_on=due_on, today=today),
        score,
        medians.get(record),
        handed_in_at,
        handed_in_late(handed_in_at, due_on, zone),
        text,
        file,
        file_name,
        note,
        remark,
        attendance,
        minutes,
        taken_at is not None,
    )
