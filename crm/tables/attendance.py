"""The tables of attendance: the students of one day, and every study record of the classes one teaches."""

from dataclasses import replace
from functools import partial
from typing import Any

from crm.domain.teaching import Attendance, StudyRecord
from crm.grid import Action, AnyOf, Column, DateRange, Input, Search, TableConfig
from crm.grid.config import Tone
from crm.grid.filters import Choices
from crm.i18n import says
from crm.services.attendance import attendance, attendance_figures, make_ups
from crm.services.customers import name_search
from crm.services.students import student_names
from crm.tables.site import site

MARK_TONES: dict[Attendance, Tone | None] = {
    Attendance.PRESENT: "green",
    Attendance.EXCUSED: "blue",
    Attendance.LATE: "orange",
    Attendance.ABSENT: "red",
    Attendance.LEFT_EARLY: "yellow",
}


def _marks(_session: Any, _actor: Any) -> Choices:
    every: tuple[Attendance, ...] = tuple(Attendance)
    return {mark.value: mark.label for mark in every}


STUDENT = Column("student", look_up=student_names.of_rows, order=student_names.OF_STUDY_RECORD, pinned=True, width=150)
MARKS = (
    Column("attendance", edit=attendance.TAKE, tone=MARK_TONES.__getitem__, width=130),
    Column("late_minutes", edit=attendance.TAKE, help=says("Of who is late. Typed, it makes late."), width=120),
)
SET = Action(
    "set",
    says("Set attendance..."),
    run=attendance.mark_many,
    needs=attendance.TAKE,
    params=(
        Input("attendance", label=says("Attendance"), kind="text", required=True, choices=_marks),
        Input("minutes", label=says("Minutes late"), kind="number"),
    ),
    verb=says("Set"),
    done=says("{count} set."),
    icon=":material/how_to_reg:",
)

COUNTS = Column(
    "counts",
    look_up=attendance_figures.counted_rows,
    label=says("Counts"),
    help=says("What the day adds to the figure of attendance, or why it does not count."),
    width=150,
)
BY_NAME = Search("student_id.customer_id.name", index=name_search.containing)
MADE_UP = Column("made_up", look_up=make_ups.made_on, label=says("Make-up"), width=160)

ON_DAY = site.register(
    TableConfig(
        name="attendance-of-day",
        model=StudyRecord,
        title=says("Attendance"),
        rows=attendance.visible_to,
        view=attendance.VIEW,
        prefix="d_",
        called=student_names.called,
        columns=(STUDENT, *MARKS, MADE_UP),
        search=(BY_NAME,),
        filters=(AnyOf("attendance"),),
        sort="student",
        page_sizes=(100, 50),
        save=attendance.save,
        actions=(SET,),
        empty=says("Nobody has a record on this day yet."),
    )
)


def of_day(record_id: int) -> TableConfig:
    """The table of the students of that day."""
    return replace(ON_DAY, rows=partial(attendance.on_day, record_id=record_id))


RECORDS = site.register(
    TableConfig(
        name="study-records",
        model=StudyRecord,
        title=says("Records"),
        rows=attendance.visible_to,
        view=attendance.VIEW,
        prefix="r_",
        called=student_names.called,
        columns=(
            STUDENT,
            Column(
                "held_on",
                look_up=attendance.dates_of_rows,
                order=attendance.HELD_ON,
                kind="date",
                label=says("Date"),
                width=110,
            ),
            *MARKS,
            COUNTS,
            Column(
                "course_record_id.taken_at",
                label=says("Confirmed"),
                help=says("Empty: the day does not count yet."),
                width=150,
            ),
            MADE_UP,
            Column("class", look_up=attendance.classes_of_rows, width=210),
        ),
        search=(BY_NAME,),
        filters=(
            AnyOf("class", field="course_record_id.class_group_id", choices=attendance.classes_seen),
            AnyOf("student", field="student_id", choices=attendance.students_seen),
            AnyOf("attendance"),
            DateRange("held_on", field="course_record_id.held_on"),
        ),
        sort="-id",
        save=attendance.save,
        actions=(SET,),
        export="attendance.export",
        share="attendance.share_views",
        empty=says("No day was initialised yet."),
    )
)
