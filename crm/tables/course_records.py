"""The table of course records: the days of classes."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, or_
from sqlmodel import col

from crm.domain.recovery import RECOVERABLE
from crm.domain.series import WEEKDAYS
from crm.domain.teaching import CourseRecord, DayState
from crm.grid import Action, AnyOf, Column, DateRange, Delete, EditForm, Form, Input, Related, TableConfig
from crm.grid.config import Tone
from crm.grid.filters import Choices, Unparsable
from crm.i18n import Says, says, says_n
from crm.services.attendance import attendance, taken_days
from crm.services.classes import class_names, course_days, course_records, deleted_days
from crm.tables.site import site

DAY_TONES: dict[DayState, Tone] = {DayState.NEW: "gray", DayState.INITIALISED: "orange", DayState.TAKEN: "green"}


def weekday(row: Any, _now: datetime) -> Says:
    """The day of the week."""
    day: int = row.held_on.weekday()
    return WEEKDAYS[day]


def to_attendance(row: Any) -> str:
    """Where the attendance of the day is taken."""
    return f"/attendance?day={row.id}"


def to_scores(row: Any) -> str | None:
    """Where the day is scored, once there is somebody to score."""
    return f"/gradebook?class={row.class_group_id}&day={row.id}" if row.initialised_at is not None else None


def _states(_session: Any, _actor: Any) -> Choices:
    every: tuple[DayState, ...] = tuple(DayState)
    return {state: state.label for state in every}


_WHERE: dict[DayState, ColumnElement[bool]] = {
    DayState.NEW: col(CourseRecord.initialised_at).is_(None),
    DayState.INITIALISED: col(CourseRecord.initialised_at).is_not(None) & col(CourseRecord.taken_at).is_(None),
    DayState.TAKEN: col(CourseRecord.taken_at).is_not(None),
}


@dataclass(frozen=True)
class ByState(AnyOf):
    """Days by where they stand, which follows from two moments."""

    def read(self, raw: Sequence[str], _model: Any) -> tuple[Any, ...]:
        wrong = [text for text in raw if text not in list(DayState)]
        if wrong:
            raise Unparsable(says("{value} is not a choice of this filter.", value=wrong[0]))
        by_value = {state.value: state for state in _WHERE}
        return tuple(dict.fromkeys(by_value[text] for text in raw))

    def where(self, value: Any, _model: Any, _zone: ZoneInfo) -> ColumnElement[bool]:
        return or_(*(_WHERE[state] for state in value))


TEXTS = ("title", "content", "homework_title", "homework_brief", "homework_due_on", "exam_points")
LECTURER = Input(
    "lecturer_id", rows=course_records.lecturers, help=says("One of the class. Empty: you, if you teach it.")
)

COURSE_RECORDS = site.register(
    TableConfig(
        name="course-records",
        model=CourseRecord,
        title=says("Course records"),
        rows=course_records.visible_to,
        called=course_days.called,
        columns=(
            Column("class", look_up=class_names.of_rows, pinned=True, width=210),
            Column("day_number", width=70),
            Column("held_on", edit=course_records.EDIT, width=110),
            Column("weekday", value=weekday, label=says("Weekday"), width=100),
            Column(
                "state",
                value=course_days.state_of,
                show=lambda state: state.label,
                tone=DAY_TONES.__getitem__,
                help=says("Initialised: study records were made. Taken: a teacher confirmed the attendance."),
                width=130,
            ),
            Column(
                "take",
                value=lambda _row, _now: says("Open"),
                label=says("Attendance"),
                link=to_attendance,
                see="attendance.view",
                width=100,
            ),
            Column(
                "score",
                value=lambda _row, _now: says("Open"),
                label=says("Scoring"),
                link=to_scores,
                see="gradebook.view",
                width=80,
            ),
            Column("lecturer_id", edit=course_records.EDIT, choose=course_records.lecturers, width=130),
            Column("title", edit=course_records.EDIT, width=200),
            Column("content", edit=course_records.EDIT, width=260),
            Column("homework_title", edit=course_records.EDIT, width=180),
            Column("homework_due_on", edit=course_records.EDIT, width=120),
            Column("exam_points", edit=course_records.EDIT, width=180),
        ),
        search=("title", "content", "homework_title"),
        filters=(
            AnyOf("class", field="class_group_id", choices=course_records.classes_seen),
            DateRange("held_on"),
            Related("lecturer", rows=course_records.lecturers),
            ByState("state", field="initialised_at", choices=_states),
        ),
        # Series are planned weeks ahead: today's days are the first of those that were.
        begins="held_on=..today",
        sort="-held_on",
        sorts=("held_on", "day_number"),
        save=course_records.save,
        add=Form(
            fields=(
                Input("class_group_id", kind="relation", required=True, choices=course_records.classes_to_add_to),
                "held_on",
                LECTURER,
                *TEXTS,
            ),
            run=course_records.add,
            needs=course_records.ADD,
            title=says("Add a day"),
            done=lambda added: added.says,
        ),
        edit=EditForm(fields=("held_on", LECTURER, *TEXTS), needs=course_records.EDIT, title=says("Edit the day")),
        delete=Delete(
            run=course_records.delete_many,
            undo=deleted_days.undo_many,
            recoverable=RECOVERABLE,
            confirm=says_n(
                "Delete {count} day? Only where nothing was recorded yet. It can be brought back for {days} days.",
                "Delete {count} days? Only where nothing was recorded yet. They can be brought back for {days} days.",
                count=0,
                days=0,
            ),
        ),
        actions=(
            Action(
                "initialise",
                says("Initialise"),
                run=course_records.initialise_many,
                needs=course_records.INITIALISE,
                confirm=says_n(
                    "Make the study records that {count} day lacks? What is there stays as it is.",
                    "Make the study records that {count} days lack? What is there stays as it is.",
                    count=0,
                ),
                done=says("{count} initialised."),
                icon=":material/group_add:",
            ),
            Action(
                "confirm",
                says("Confirm the attendance"),
                run=taken_days.confirm_many,
                needs=attendance.TAKE,
                confirm=says_n(
                    "Confirm that the attendance of {count} day is as it stands?",
                    "Confirm that the attendance of {count} days is as it stands?",
                    count=0,
                ),
                verb=says("Confirm"),
                done=says("{count} confirmed."),
                icon=":material/task_alt:",
            ),
            Action(
                "reopen",
                says("Take the confirmation back"),
                run=taken_days.reopen_many,
                needs=attendance.REOPEN,
                done=says("Taken back: {count}."),
                icon=":material/lock_open:",
            ),
        ),
        share="course-records.share_views",
        empty=says("No days yet. Add one, or a series of them."),
    )
)
