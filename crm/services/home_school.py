"""The numbers of the front page for whoever teaches, takes money or studies, each with the way to its rows."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import func, or_, select
from sqlmodel import Session, col

from crm.domain.calendar import day_of
from crm.domain.classes import ClassGroup
from crm.domain.payments import Payment, PaymentState
from crm.domain.students import Student
from crm.domain.teaching import Apology, ApologyState, CourseRecord, ScoreState, StudyRecord
from crm.rbac import Actor
from crm.services.classes.class_scopes import ANYBODY, APOLOGIES, CLASSES, COURSE_RECORDS, STUDY_RECORDS, student_of
from crm.services.scores.gradebook_scopes import COUNTS
from crm.services.scores.my_grades import DECIDED
from crm.services.students.student_scopes import PAYMENTS
from crm.settings import settings

LOOKS_BACK = timedelta(days=60)
"""So far back days that were not confirmed, and homework that was not scored, are counted."""


@dataclass(frozen=True, slots=True)
class Teaching:
    """Of the classes that the actor teaches. `first` is the class and day whose homework has waited longest.

    `today`: days held today. `open`: those gone by, with anybody in the class, that were not confirmed. `apologies` to
    decide. `to_score`: homework handed in and not scored. None: not for this person.
    """

    today: int
    open: int
    apologies: int | None
    to_score: int | None
    first: tuple[int, int] | None = None


@dataclass(frozen=True, slots=True)
class Homework:
    """The actor's own homework that was not handed in: what is due today or later, and what is overdue."""

    due: int
    missing: int


def teaching(session: Session, actor: Actor, now: datetime) -> Teaching | None:
    """What waits for a teacher; None where they teach no class, or may not see the attendance."""
    if actor.owner_id is None or not actor.may("attendance.view"):
        return None
    if session.scalar(select(col(ClassGroup.id)).where(CLASSES.own(actor.owner_id)).limit(1)) is None:
        return None
    mine, held = COURSE_RECORDS.own(actor.owner_id), col(CourseRecord.held_on)
    today = day_of(now, settings().zone)
    since = held >= today - LOOKS_BACK
    days: Any = session.execute(
        select(
            func.count().filter(held == today),
            func.count().filter((held < today) & col(CourseRecord.taken_at).is_(None) & ANYBODY),
        ).where(mine, since, held <= today)
    ).one()
    apologies = to_score = first = None
    if actor.may("attendance.decide"):
        asked = col(Apology.state) == ApologyState.ASKED
        apologies = session.scalar(
            select(func.count()).select_from(Apology).where(APOLOGIES.own(actor.owner_id), asked)
        )
    if actor.may("gradebook.score"):
        waits = _handed_in(actor.owner_id).where(since).order_by(held, col(CourseRecord.id))
        found = session.execute(waits).all()
        to_score, first = sum(row[2] for row in found), (found[0][0], found[0][1]) if found else None
    return Teaching(days[0], days[1], apologies, to_score, first)


def _handed_in(owner: int) -> Any:
    """(class, day, how many) of the days of own classes on which homework waits to be scored."""
    return (
        select(col(CourseRecord.class_group_id), col(CourseRecord.id), func.count())
        .join(StudyRecord, col(StudyRecord.course_record_id) == col(CourseRecord.id))
        .where(
            STUDY_RECORDS.own(owner),
            # Of whom the sheet shows: nobody could score the others.
            COUNTS,
            col(StudyRecord.handed_in_at).is_not(None),
            col(StudyRecord.score_state) == ScoreState.NOT_DUE,
        )
        .group_by(col(CourseRecord.class_group_id), col(CourseRecord.id), col(CourseRecord.held_on))
    )


def payments(session: Session, actor: Actor) -> int | None:
    """How many payments await the actor's decision; None for who decides none."""
    if not actor.may("payments.decide"):
        return None
    waiting = (col(Payment.state) == PaymentState.PENDING) & PAYMENTS.where(actor, "payments.decide")
    return session.scalar(select(func.count()).select_from(Payment).where(waiting)) or 0


def homework(session: Session, actor: Actor, now: datetime) -> Homework | None:
    """The actor's own homework as a student; None for who is none."""
    if not actor.may("grades.view"):
        return None
    me = session.scalar(select(col(Student.id)).where(student_of(actor.account_id)))
    if me is None:
        return None
    overdue = col(CourseRecord.homework_due_on) < day_of(now, settings().zone)
    counted: Any = session.execute(
        select(func.count().filter(or_(overdue.is_(None), ~overdue)), func.count().filter(overdue))
        .select_from(StudyRecord)
        .join(CourseRecord, col(CourseRecord.id) == col(StudyRecord.course_record_id))
        .where(
            col(StudyRecord.student_id) == me,
            COUNTS,
            col(CourseRecord.homework_title).is_not(None),
            col(StudyRecord.score_state).not_in(DECIDED),
            col(StudyRecord.handed_in_at).is_(None),
        )
    ).one()
    return Homework(*counted)
