"""Homework: handed in by the student whose day it is, fetched by who may, and files that nobody needs any more."""

from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

from sqlalchemy import false, or_, select
from sqlmodel import Session, col

from crm.domain import homework
from crm.domain.normalise import visible
from crm.domain.students import Student
from crm.domain.teaching import CourseRecord, ScoreState, StudyRecord
from crm.errors import Conflict, Invalid, NotFound, Refused
from crm.i18n import Says, says
from crm.rbac import Actor
from crm.services.classes.class_scopes import STUDY_RECORDS, student_of
from crm.services.scores import my_grades
from crm.services.scores.gradebook_scopes import COUNTS
from crm.services.scores.gradebook_scopes import VIEW as GRADEBOOK
from crm.settings import settings
from crm.store import homework_files

HAND_IN = "grades.hand_in"
LONGEST_TEXT, LONGEST_NOTE = 20_000, 2_000
NO_SUCH_FILE = says("There is no such file, or it is not yours to open.")


class File(NamedTuple):
    """A file as it comes in: what its owner calls it, and what is in it."""

    name: str
    content: bytes


def hand_in(
    session: Session,
    actor: Actor,
    study_record_id: int,
    *,
    text: str,
    note: str,
    file: File | None,
    seen: datetime | None,
    now: datetime,
) -> None:
    """Hand in homework for a day of one's own, as text, as a file, or both; again as long as it is not scored.

    `seen` is the moment of what was handed in before, as the student saw it; what else changed of the day is no
    conflict. Without a file the one that was handed in before stays. After the due date it counts as late, and is no
    longer missing. Raises `NotFound` for a day that is not one's own, `Conflict`, `Refused`, `Invalid` by field.
    """
    actor.require(HAND_IN)
    actor.require_to_be_oneself(HAND_IN)
    row, homework_title = _own(session, actor, study_record_id)
    if homework_title is None:
        raise Refused(says("There is no homework on this day."))
    if row.score_state in my_grades.DECIDED:
        raise Refused(says("This homework is scored already, so it cannot be handed in again."))
    if row.handed_in_at != seen:
        theirs: dict[str, object] = {
            "text": row.homework_text,
            "file": row.homework_file_name,
            "handed_in_at": row.handed_in_at,
        }
        raise Conflict(says("Something was handed in meanwhile, in another window."), theirs)
    text, note = _checked(text, note, file, had_file=row.homework_file is not None)
    if file is not None:
        row.homework_file = homework_files.keep(file.content)
        row.homework_file_name = homework.kept_name(file.name)
    row.homework_text = text or None
    row.student_remark = note or None
    row.handed_in_at = now
    # What a teacher entered as missing is there now, and waits to be scored.
    row.score_state = ScoreState.NOT_DUE
    row.scored_at = row.scored_by_id = None
    row.version += 1
    session.flush()


def _own(session: Session, actor: Actor, study_record_id: int) -> tuple[StudyRecord, str | None]:
    asked = (
        select(StudyRecord, col(CourseRecord.homework_title))
        .join(CourseRecord, col(CourseRecord.id) == col(StudyRecord.course_record_id))
        .join(Student, col(Student.id) == col(StudyRecord.student_id))
        .where(col(StudyRecord.id) == study_record_id, student_of(actor.account_id), COUNTS)
        .with_for_update(of=StudyRecord)
    )
    found = session.execute(asked, execution_options={"populate_existing": True}).one_or_none()
    if found is None:
        raise NotFound(my_grades.NO_SUCH_DAY, HAND_IN, study_record_id)
    return found[0], found[1]


def _checked(text: str, note: str, file: File | None, *, had_file: bool) -> tuple[str, str]:
    wrong: dict[str, Says] = {}
    text, note = visible(text), visible(note)
    for name, value, most in (("text", text, LONGEST_TEXT), ("note", note, LONGEST_NOTE)):
        if len(value) > most:
            wrong[name] = says("At most {count} characters fit here.", count=most)
    if file is not None:
        rules = settings().homework
        why = homework.refusal(file.name, file.content, rules.kinds, rules.max_megabytes)
        if why is not None:
            wrong["file"] = why
    elif not text and not had_file:
        wrong["text"] = says("Write something, or choose a file.")
    if wrong:
        raise Invalid.of(wrong)
    return text, note


def fetch(session: Session, actor: Actor, study_record_id: int, name: str) -> tuple[Path, str]:
    """Where the file is that was handed in for that day under that name, and what its owner calls it.

    For the student whose it is, and for whoever may open the gradebook of that class. Raises `NotFound` alike
    where there is none, where it was replaced, and for everybody else.
    """
    own = student_of(actor.account_id) if actor.may(my_grades.VIEW) else false()
    taught = STUDY_RECORDS.where(actor, GRADEBOOK)
    asked: Any = (
        select(col(StudyRecord.homework_file_name))
        .join(Student, col(Student.id) == col(StudyRecord.student_id))
        .where(col(StudyRecord.id) == study_record_id, col(StudyRecord.homework_file) == name, or_(own, taught))
    )
    called = session.scalar(asked)
    path = homework_files.path_of(name) if called else None
    if path is None:
        raise NotFound(NO_SUCH_FILE, GRADEBOOK if actor.may(GRADEBOOK) else my_grades.VIEW, study_record_id)
    return path, str(called)


def forget_files(session: Session) -> int:
    """Remove the files that no study record names any more. Returns how many."""
    asked = select(col(StudyRecord.homework_file)).where(col(StudyRecord.homework_file).is_not(None))
    return homework_files.forget(set(session.scalars(asked)))
