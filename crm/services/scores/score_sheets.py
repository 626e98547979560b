"""A class's scores as a sheet: out, and after a look at every cell in again."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

from sqlalchemy import select
from sqlmodel import Session, col

from crm.domain.scores import NONE, Score, average, median, read_score, typed
from crm.domain.teaching import CourseRecord, StudyRecord
from crm.errors import Unreadable
from crm.i18n import Language, Says, says
from crm.rbac import Actor
from crm.services.access import audit
from crm.services.classes.class_scopes import STUDY_RECORDS
from crm.services.scores.class_gradebook import book
from crm.services.scores.gradebook_scopes import COUNTS, days, require_class
from crm.services.scores.scoring import Told, Typed, save_where
from crm.settings import settings
from crm.xlsx import scores

IMPORT, EXPORT = "gradebook.import", "gradebook.export"


class Wrong(NamedTuple):
    """A cell that is not taken: its row, its column as the sheet has it, and why."""

    row: int
    column: str
    why: Says


class New(NamedTuple):
    """A score that would change, as it is looked at before anything is written."""

    row: int
    name: str
    day: str
    before: str
    after: str


@dataclass(slots=True)
class Checked:
    """A sheet that was looked at: what would be written, and what is wrong. Nothing is written yet."""

    class_id: int
    rows: int = 0
    new: list[New] = field(default_factory=list)
    cells: list[Typed] = field(default_factory=list)
    same: int = 0
    wrong: list[Wrong] = field(default_factory=list)


def export(session: Session, actor: Actor, class_id: int, file: Path, lang: Language, now: datetime) -> int:
    """Writes the scores of a class, which is also the sheet to fill in and import; returns how many rows it has.

    What is missing by its due date stays an empty cell: nobody entered it. Averages and medians, of everything, of days
    and of students, are on a second sheet. Raises `NotFound`, `NotAllowed`.
    """
    require_class(session, actor, EXPORT, class_id)
    found = book(session, actor, class_id, now, EXPORT)
    # The latest days, where a class had more than a sheet has columns.
    shown = found.days[-(scores.COLUMNS - 2) :]
    entered = _entered(session, class_id)
    rows = ((pupil.id, pupil.name, [_cell(entered.get((pupil.id, day.id))) for day in shown]) for pupil in found.pupils)
    heads = [scores.Head(day.number, day.held_on) for day in shown]
    figures = [
        scores.Figure(None, _EVERYTHING, *found.figures()),
        *(_figure(None, head.text, found.of_day(day)) for head, day in zip(heads, shown, strict=True)),
        *(_figure(pupil.id, pupil.name, found.of_pupil(pupil)) for pupil in found.pupils),
    ]
    return scores.write(file, heads, rows, lang, figures)


_EVERYTHING = "全部 Everything"


def _figure(student: int | None, label: str, numbers: Sequence[int | None]) -> scores.Figure:
    return scores.Figure(student, label, average(numbers), median(numbers))


def write_list(file: Path, heads: Sequence[str], rows: Sequence[Sequence[Any]]) -> int:
    """Writes a list as it stands on the screen, and returns how many rows it has."""
    return scores.write_list(file, heads, rows)


def note_export(session: Session, actor: Actor, what: str, rows: int, now: datetime) -> None:
    """Keeps in the audit log that the actor took scores home. Raises `NotAllowed`."""
    audit.exported(session, actor, "gradebook", EXPORT, {"format": "xlsx", "rows": rows, "view": what}, now)


def _cell(row: Any) -> int | str | None:
    return None if row is None else row.score if row.score is not None else typed(Score(row.score_state)) or None


def _entered(session: Session, class_id: int) -> dict[tuple[int, int], Any]:
    """(student, day) -> the study record, as it is stored."""
    asked = (
        select(
            col(StudyRecord.student_id),
            col(StudyRecord.course_record_id),
            col(StudyRecord.id),
            col(StudyRecord.version),
            col(StudyRecord.score_state),
            col(StudyRecord.score),
            col(StudyRecord.teacher_remark),
            col(StudyRecord.handed_in_at),
        )
        .join(CourseRecord, col(CourseRecord.id) == col(StudyRecord.course_record_id))
        .where(col(CourseRecord.class_group_id) == class_id, COUNTS)
    )
    return {(row.student_id, row.course_record_id): row for row in session.execute(asked)}


def check(session: Session, actor: Actor, class_id: int, content: bytes, now: datetime) -> Checked:
    """Looks at every cell of a sheet of scores. Rows are known by the student's number, and the name has to agree.

    An empty cell changes nothing. Raises `Unreadable` for a file that is no such sheet, `NotFound`, `NotAllowed`.
    """
    require_class(session, actor, IMPORT, class_id)
    limits = settings().imports
    table = scores.read(content, limits.max_megabytes, limits.max_seconds, limits.max_memory_megabytes)
    if not table.rows:
        raise Unreadable(says("There is no row below the header. Export the scores and fill in that file."))
    known = {(day.number, day.held_on): day.id for day in days(session, actor, IMPORT, class_id)}
    found = book(session, actor, class_id, now, IMPORT)
    names = {pupil.id: pupil.name for pupil in found.pupils}
    checked = Checked(class_id, len(table.rows))
    columns: dict[int, int] = {}
    for place, text in table.strange:
        checked.wrong.append(Wrong(1, scores.place_name(place), says("“{text}” is no day of a class.", text=text[:60])))
    for place, head in table.days.items():
        day = known.get((head.number, head.held_on))
        if day is None:
            why = says("This class has no day “{text}”.", text=head.text)
        elif day in columns.values():
            why = says("The day “{text}” is there twice.", text=head.text)
        else:
            columns[place] = day
            continue
        checked.wrong.append(Wrong(1, scores.place_name(place), why))
    for (number, place), why in sorted(table.odd.items()):
        checked.wrong.append(Wrong(number, _column(table, place), why))
    entered = _entered(session, class_id)
    seen: set[int] = set()
    for row in table.rows:
        student = _student(row, names, seen, checked)
        if student is None:
            continue
        seen.add(student)
        for place, day in columns.items():
            if (row.number, place) not in table.odd:
                _take(row, place, table, entered.get((student, day)), names[student], checked)
    return checked


def _column(table: scores.Table, place: int) -> str:
    return f"{scores.place_name(place)} ({table.days[place].text})"


def _student(row: scores.Row, names: dict[int, str], seen: set[int], checked: Checked) -> int | None:
    text = scores.plain(row.student).removesuffix(".0")
    student = int(text) if text.isascii() and text.isdigit() and len(text) < 10 else None
    if student is None or student not in names:
        checked.wrong.append(Wrong(row.number, scores.NUMBER, says("There is no such student in this class.")))
        return None
    if student in seen:
        checked.wrong.append(Wrong(row.number, scores.NUMBER, says("This student is there twice.")))
        return None
    if scores.plain(row.name) != scores.plain(names[student]):
        why = says("Number {number} is {name} in this class.", number=str(student), name=names[student])
        checked.wrong.append(Wrong(row.number, scores.NAME, why))
        return None
    return student


def _take(row: scores.Row, place: int, table: scores.Table, there: Any, name: str, checked: Checked) -> None:
    cell = row.cells[place]
    read = read_score(cell)
    if read == NONE:
        return
    column = _column(table, place)
    if isinstance(read, Says):
        checked.wrong.append(Wrong(row.number, column, read))
        return
    if there is None:
        checked.wrong.append(Wrong(row.number, column, says("This student was not in the class on that day.")))
        return
    before = Score(there.score_state, there.score)
    if before == read:
        checked.same += 1
        return
    checked.new.append(New(row.number, name, table.days[place].text, typed(before), typed(read)))
    seen = (before, there.teacher_remark or "")
    checked.cells.append(Typed(there.id, there.version, seen, typed(read), handed_in_at=there.handed_in_at))


def run(session: Session, actor: Actor, checked: Checked, now: datetime) -> Told:
    """Writes what was looked at, in this transaction, each against what stood there then. Raises `NotAllowed`.

    What somebody else scored in the meantime is told and stays.
    """
    require_class(session, actor, IMPORT, checked.class_id)
    cells: Sequence[Typed] = checked.cells
    return save_where(session, actor, IMPORT, STUDY_RECORDS.where(actor, IMPORT), cells, now)
