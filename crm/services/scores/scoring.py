"""Scoring: the sheet of one day of a class, and saving what a teacher typed into it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, bindparam, select, update
from sqlmodel import Session, SQLModel, col

from crm.domain.calendar import day_of
from crm.domain.customers import Customer
from crm.domain.homework import handed_in_late
from crm.domain.normalise import visible
from crm.domain.scores import NONE, Score, in_effect, read_score, typed
from crm.domain.students import Student
from crm.domain.teaching import CourseRecord, ScoreState, StudyRecord
from crm.errors import deny
from crm.i18n import Says, says
from crm.rbac import Actor
from crm.services.access import audit
from crm.services.classes.class_scopes import STUDY_RECORDS
from crm.services.scores.gradebook_scopes import COUNTS, IN_ORDER, NO_SUCH_ROW, SCORE, class_of_day
from crm.services.students.student_names import told_apart
from crm.settings import settings
from crm.store.many_rows import is_one_of

TYPED, REMARK = "score", "teacher_remark"
LONGEST_REMARK = 2000
_ROWS = SQLModel.metadata.tables["study_record"]


class Line(NamedTuple):
    """One student on the sheet. `state` is how the homework stands today, `score` what was entered."""

    id: int
    version: int
    student_id: int
    name: str
    score: Score
    state: ScoreState
    remark: str
    handed_in_at: datetime | None
    late: bool
    text: str | None
    file: str | None
    file_name: str | None
    note: str | None


@dataclass(frozen=True, slots=True)
class Sheet:
    """One day of a class, to be scored: the students in the order of their names, which never changes.

    `brief` is what the homework asks for, `exam_points` what earns points.
    """

    course_record_id: int
    held_on: date
    lines: tuple[Line, ...]
    brief: str | None = None
    exam_points: str | None = None


@dataclass(frozen=True, slots=True)
class Typed:
    """What stands in the cells of one student, and what stood there when the sheet was drawn.

    A cell that was not changed is `None`. `version` is that of the drawn row, `handed_in_at` when the homework came
    that was there.
    """

    id: int
    version: int
    seen: tuple[Score, str]
    score: str | None = None
    remark: str | None = None
    handed_in_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Told:
    """What became of a sheet that was saved: how many cells were, and of the others by (row, field) why not."""

    saved: int
    why: Mapping[tuple[int, str], Says]


def sheet(session: Session, actor: Actor, course_record_id: int, now: datetime) -> Sheet:
    """The sheet of a day of a class that the actor may score. Raises `NotFound`, `NotAllowed`."""
    class_of_day(session, actor, SCORE, course_record_id)
    day = session.get_one(CourseRecord, course_record_id)
    asked = (
        select(StudyRecord, col(Customer.name), col(Customer.id))
        .join(CourseRecord, col(CourseRecord.id) == col(StudyRecord.course_record_id))
        .join(Student, col(Student.id) == col(StudyRecord.student_id))
        .join(Customer, col(Customer.id) == col(Student.customer_id))
        .where(col(StudyRecord.course_record_id) == course_record_id, COUNTS)
        .order_by(*IN_ORDER)
    )
    today = day_of(now, settings().zone)
    found = session.execute(asked, execution_options={"populate_existing": True}).all()
    names = told_apart({row.id: name for row, name, _number in found}, {row.id: number for row, _name, number in found})
    lines = tuple(_line(row, names[row.id], day, today) for row, _name, _number in found)
    return Sheet(course_record_id, day.held_on, lines, day.homework_brief, day.exam_points)


def _line(row: Any, name: str, day: CourseRecord, today: date) -> Line:
    handed_in, due_on = row.handed_in_at is not None, day.homework_due_on
    return Line(
        row.id,
        row.version,
        row.student_id,
        name,
        Score(row.score_state, row.score),
        in_effect(row.score_state, handed_in=handed_in, due_on=due_on, today=today),
        row.teacher_remark or "",
        row.handed_in_at,
        handed_in_late(row.handed_in_at, due_on, settings().zone),
        row.homework_text,
        row.homework_file,
        row.homework_file_name,
        row.student_remark,
    )


def save(session: Session, actor: Actor, cells: Sequence[Typed], now: datetime) -> Told:
    """Save what was typed into one or many cells, all in this transaction, each against what was seen there.

    A cell that cannot be read, or that somebody else changed meanwhile, is told and harms no other. What others
    changed elsewhere in a row (its attendance) is no conflict; homework that came in since is. Raises `NotAllowed`.
    """
    actor.require(SCORE)
    return save_where(session, actor, SCORE, STUDY_RECORDS.where(actor, SCORE), cells, now)


def save_where(
    session: Session, actor: Actor, permission: str, allowed: ColumnElement[bool], cells: Sequence[Typed], now: datetime
) -> Told:
    """`save` under another permission, on the rows that meet `allowed` and count."""
    held = _locked(session, [one.id for one in cells], allowed)
    why: dict[tuple[int, str], Says] = {}
    changed: list[dict[str, Any]] = []
    saved = 0
    for one in cells:
        row = held.get(one.id)
        wanted, refused = _read(one)
        if row is None:
            deny(permission, one.id)
            refused, wanted = dict.fromkeys((*wanted, *refused), NO_SUCH_ROW), {}
        why |= {(one.id, name): reason for name, reason in refused.items()}
        if row is None:
            continue
        there = {TYPED: Score(row.score_state, row.score), REMARK: row.teacher_remark or ""}
        seen = dict(zip((TYPED, REMARK), one.seen, strict=True))
        for name in [name for name in wanted if row.version != one.version and there[name] != seen[name]]:
            value = wanted.pop(name)
            if value != there[name]:
                why[one.id, name] = _theirs(there[name])
        if wanted.get(TYPED, NONE) not in (NONE, there[TYPED]) and row.handed_in_at != one.handed_in_at:
            del wanted[TYPED]
            why[one.id, TYPED] = _CAME_SINCE
        new = {name: value for name, value in wanted.items() if value != there[name]}
        saved += len(new)
        if new:
            changed.append(_written(row, {**there, **new}, TYPED in new, actor, now))
    _write(session, changed)
    audit.record_many(
        session,
        actor,
        permission,
        "study_record",
        ((one["key"], None, {"fields": one["fields"]}) for one in changed),
        now,
    )
    return Told(saved, why)


_CAME_SINCE = says("Homework was handed in here since this was read. Look at it, and save again to put yours.")


def _locked(session: Session, ids: Sequence[int], allowed: ColumnElement[bool]) -> dict[int, Any]:
    names = ("id", "version", "score_state", "score", "teacher_remark", "scored_at", "scored_by_id", "handed_in_at")
    asked = (
        select(*(_ROWS.c[name] for name in names))
        .join(CourseRecord, col(CourseRecord.id) == _ROWS.c.course_record_id)
        .where(is_one_of(session, _ROWS.c.id, sorted(set(ids))), allowed, COUNTS)
        .order_by(_ROWS.c.id)
        .with_for_update(of=_ROWS)
    )
    return {row.id: row for row in session.execute(asked)}


def _read(one: Typed) -> tuple[dict[str, Any], dict[str, Says]]:
    """The values of the changed cells, and of those that are none why."""
    wanted: dict[str, Any] = {}
    refused: dict[str, Says] = {}
    if one.score is not None:
        score = read_score(one.score)
        if isinstance(score, Says):
            refused[TYPED] = score
        else:
            wanted[TYPED] = score
    if one.remark is not None:
        remark = visible(one.remark)
        if len(remark) > LONGEST_REMARK:
            refused[REMARK] = says("At most {count} characters fit here.", count=LONGEST_REMARK)
        else:
            wanted[REMARK] = remark
    return wanted, refused


def _theirs(there: Score | str) -> Says:
    text = typed(there) if isinstance(there, Score) else there
    if not text:
        return says("Somebody else emptied this meanwhile. Save again to put yours.")
    return says("Somebody else put “{theirs}” here meanwhile. Save again to put yours.", theirs=text)


def _written(row: Any, after: Mapping[str, Any], scored: bool, actor: Actor, now: datetime) -> dict[str, Any]:
    score: Score = after[TYPED]
    at, by = (row.scored_at, row.scored_by_id) if not scored else (None, None)
    if scored and score != NONE:
        at, by = now, actor.account_id
    return {
        "key": row.id,
        "score_state": score.state,
        "score": score.number,
        "teacher_remark": after[REMARK] or None,
        "scored_at": at,
        "scored_by_id": by,
        "version": row.version + 1,
        "fields": [
            *(["score"] if scored else []),
            *(["remark"] if after[REMARK] != (row.teacher_remark or "") else []),
        ],
    }


def _write(session: Session, changed: Sequence[Mapping[str, Any]]) -> None:
    if not changed:
        return
    names = ("score_state", "score", "teacher_remark", "scored_at", "scored_by_id", "version")
    session.connection().execute(
        update(_ROWS).where(_ROWS.c.id == bindparam("key")).values({name: bindparam(f"new_{name}") for name in names}),
        [{"key": one["key"], **{f"new_{name}": one[name] for name in names}} for one in changed],
    )
