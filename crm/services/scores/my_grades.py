"""A student's own scores: whose they are is in every query, and no id of a request is trusted for it."""

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache
from itertools import compress
from typing import Any, NamedTuple

from sqlalchemy import Integer, String, case, false, select, type_coerce
from sqlmodel import Session, col

from crm.domain.attendance import Attended
from crm.domain.calendar import day_of
from crm.domain.homework import handed_in_late
from crm.domain.scores import in_effect
from crm.domain.students import Enrolment, Student
from crm.domain.teaching import Attendance, CourseRecord, ScoreState, StudyRecord
from crm.errors import NotFound
from crm.i18n import Says, says
from crm.rbac import Actor
from crm.services.attendance import attendance_figures
from crm.services.attendance.make_ups import MISSED
from crm.services.classes import class_names
from crm.services.classes.class_scopes import student_of
from crm.services.scores import class_days
from crm.services.scores.class_days import ClassDays
from crm.services.scores.gradebook_scopes import COUNTS
from crm.services.scores.own_days import Columns, Days
from crm.settings import settings
from crm.store.many_rows import is_one_of

VIEW = "grades.view"
DECIDED = (ScoreState.GRADED, ScoreState.COPIED, ScoreState.FAILED)
"""Homework in these states is not handed in any more: a teacher has judged it."""
NO_SUCH_DAY = says("There is no such day of yours.")
_NOT_DUE = ScoreState.NOT_DUE.value
_STATES = {state.value: state for state in ScoreState}
_MARKS = {mark.value: mark for mark in Attendance}


class Homework(NamedTuple):
    """Homework of one of the student's own days that can be handed in, for the first time or once more."""

    id: int
    class_id: int
    day_number: int
    held_on: date
    title: str
    due_on: date | None
    handed_in: bool


class HandedIn(NamedTuple):
    """What was asked for and what was handed in on one of the student's own days."""

    id: int
    version: int
    homework: str
    brief: str | None
    exam_points: str | None
    due_on: date | None
    handed_in_at: datetime | None
    late: bool
    text: str | None
    file: str | None
    file_name: str | None
    note: str | None


@dataclass(frozen=True, slots=True)
class Own:
    """One class of the student, in the order of its days."""

    class_id: int
    days: Days


# Statements are put together once: doing it with every page costs as much as asking them.
_PLACES: Any = (
    select(col(Enrolment.class_group_id))
    .join(Student, col(Student.id) == col(Enrolment.student_id))
    .order_by(col(Enrolment.joined_on).desc(), col(Enrolment.id).desc())
)
_PLACE: Any = select(col(Enrolment.joined_on), col(Enrolment.left_on))


def classes(session: Session, actor: Actor) -> Mapping[int, Says]:
    """The classes in which the actor has or had a place, the latest first. Empty for who is no student."""
    actor.require(VIEW)
    ids = list(dict.fromkeys(session.scalars(_PLACES.where(student_of(actor.account_id)))))
    names = class_names.named(session, ids)
    return {key: names[key] for key in ids}


def _of_days(*columns: Any) -> Any:
    """Columns of study records and their days."""
    # Plus nothing: SQLite begins with the student's own records then, which its index has side by side. It would look
    # for them from each day of the class.
    day = col(StudyRecord.course_record_id) + 0
    return select(*columns).select_from(StudyRecord).join(CourseRecord, col(CourseRecord.id) == day)


def _yes(condition: Any) -> Any:
    """A yes or no in the words of the database, which `_attended` reads, for hardly two of years of days differ."""
    return type_coerce(condition, Integer)


# Nothing that is long, states as they are stored, and plain rows: this may be years of days.
_RECORDS: Any = select(
    col(StudyRecord.course_record_id),
    col(StudyRecord.makes_up_id),
    col(StudyRecord.id),
    type_coerce(col(StudyRecord.score_state), String),
    col(StudyRecord.score),
    _yes(col(StudyRecord.handed_in_at).is_not(None)),
    col(StudyRecord.teacher_remark),
    type_coerce(col(StudyRecord.attendance), String),
    col(StudyRecord.late_minutes),
    # Asked of what was missed only: the second half of an "and" would be looked up for every day.
    _yes(case((col(StudyRecord.attendance).in_(MISSED), attendance_figures.MADE_UP), else_=false())),
)

_HOMEWORK = _of_days(
    col(StudyRecord.id),
    col(CourseRecord.class_group_id),
    col(CourseRecord.day_number),
    col(CourseRecord.held_on),
    col(CourseRecord.homework_title),
    col(CourseRecord.homework_due_on),
    col(StudyRecord.handed_in_at).is_not(None),
).where(COUNTS, col(CourseRecord.homework_title).is_not(None), col(StudyRecord.score_state).not_in(DECIDED))

_HANDED_IN = _of_days(
    col(StudyRecord.id),
    col(StudyRecord.version),
    col(CourseRecord.homework_title),
    col(CourseRecord.homework_brief),
    col(CourseRecord.exam_points),
    col(CourseRecord.homework_due_on),
    col(StudyRecord.handed_in_at),
    col(StudyRecord.homework_text),
    col(StudyRecord.homework_file),
    col(StudyRecord.homework_file_name),
    col(StudyRecord.student_remark),
).where(COUNTS)


def _own(actor: Actor) -> Any:
    """Study records of the actor's own."""
    return col(StudyRecord.student_id) == _me(actor)


def _own_place(actor: Actor) -> Any:
    """Enrolments of the actor's own."""
    return col(Enrolment.student_id) == _me(actor)


def _me(actor: Actor) -> Any:
    """The student that the actor is: one value, so that no plan begins with everybody of the class."""
    return select(col(Student.id)).where(student_of(actor.account_id)).scalar_subquery()


def of_class(
    session: Session,
    actor: Actor,
    class_id: int,
    now: datetime,
    days_of: Callable[[Session, int], ClassDays] = class_days.days_of,
) -> Own:
    """The actor's own days of a class, first to last. None of anybody else's, whatever `class_id` is.

    `days_of` is asked for those of the class once it is known that the actor has or had a place there. What it has
    kept may lack a day of the actor's: then they are read.
    """
    actor.require(VIEW)
    places = session.execute(_PLACE.where(_own_place(actor), col(Enrolment.class_group_id) == class_id)).all()
    if not places:
        return Own(class_id, Days(Columns()))
    mine = {row[0]: row for row in session.connection().execute(_RECORDS.where(_own(actor))).all()}
    days = days_of(session, class_id)
    if _of_class_among(session, class_id, mine.keys() - set(days.id)):
        days = class_days.days_of(session, class_id)
    placed = [any(joined <= day and (left is None or day < left) for joined, left in places) for day in days.held_on]
    # A day that makes up for another is one's own, too.
    own = [key in mine and (here or mine[key][1] is not None) for key, here in zip(days.id, placed, strict=True)]
    days = days.only(own)
    if not days.id:
        return Own(class_id, Days(Columns()))
    rows = [mine[key] for key in days.id]
    _days, _others, ids, stored, numbers, handed_in, remarks, marks, minutes, made_up = zip(*rows, strict=True)
    today = day_of(now, settings().zone)
    states = [
        # What nobody scored is all that the calendar decides.
        in_effect(ScoreState.NOT_DUE, handed_in=bool(given), due_on=due, today=today)
        if state == _NOT_DUE
        else _STATES[state]
        for state, given, due in zip(stored, handed_in, days.due_on, strict=True)
    ]
    return Own(
        class_id,
        Days(
            Columns(
                id=ids,
                day_number=days.day_number,
                held_on=days.held_on,
                title=days.title,
                homework=days.homework,
                due_on=days.due_on,
                state=states,
                number=numbers,
                median=days.median,
                handed_in=list(map(bool, handed_in)),
                remark=remarks,
                attended=list(map(_attended, marks, minutes, days.taken, compress(placed, own), made_up)),
            )
        ),
    )


def _of_class_among(session: Session, class_id: int, records: Collection[int]) -> bool:
    """Whether one of these course records is of the class. Asked for nothing where there are none, as nearly always."""
    if not records:
        return False
    record = col(CourseRecord.id)
    asked = select(record).where(
        col(CourseRecord.class_group_id) == class_id, is_one_of(session, record, list(records))
    )
    return session.execute(asked.limit(1)).first() is not None


@lru_cache(10_000)
def _attended(mark: str, minutes: int | None, taken: object, in_class: object, made_up: object) -> Attended:
    """The mark as stored, yes and no by whatever the database says for them; of years of days hardly two differ."""
    return Attended(_MARKS[mark], minutes, bool(taken), bool(in_class), bool(made_up))


def homework(session: Session, actor: Actor, own: Iterable[int], read: Own) -> list[Homework]:
    """The actor's homework in all of the `own` classes that can be handed in, by the day that it belongs to.

    What was `read` of one class just now is not asked for again. Of a foreign class there is nothing.
    """
    actor.require(VIEW)
    here = [
        Homework(one.id, read.class_id, one.day_number, one.held_on, one.homework, one.due_on, one.handed_in)
        for one in read.days.only([state not in DECIDED for state in read.days.columns.state])
        if one.homework is not None
    ]
    others = [key for key in own if key != read.class_id]
    if not others:
        return here
    asked = _HOMEWORK.where(_own(actor), col(CourseRecord.class_group_id).in_(others))
    found = here + [Homework(*row) for row in session.execute(asked)]
    return sorted(found, key=lambda one: (one.held_on, one.id))


def handed_in(session: Session, actor: Actor, study_record_id: int) -> HandedIn:
    """What belongs to the homework of one of the actor's own days. Raises `NotFound`."""
    actor.require(VIEW)
    found = session.execute(_HANDED_IN.where(_own(actor), col(StudyRecord.id) == study_record_id)).one_or_none()
    if found is None:
        raise NotFound(NO_SUCH_DAY, VIEW, study_record_id)
    key, version, homework, brief, points, due_on, at, text, file, file_name, note = found
    late = handed_in_late(at, due_on, settings().zone)
    return HandedIn(key, version, homework or "", brief, points, due_on, at, late, text, file, file_name, note)
