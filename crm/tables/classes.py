"""The table of class groups."""

from collections.abc import Callable
from typing import Any

from crm.domain.classes import ClassGroup, ClassLecturer, ClassState
from crm.grid import AnyOf, Column, DateRange, EditForm, Form, Input, Related, TableConfig
from crm.grid.config import Tone
from crm.i18n import says
from crm.services.classes import class_names, classes
from crm.services.students import money_of
from crm.tables.site import site

CLASS_TONES: dict[ClassState, Tone] = {
    ClassState.PLANNED: "blue",
    ClassState.RUNNING: "green",
    ClassState.FINISHED: "gray",
}

OPEN = says("Open")


def _leads(page: str) -> Callable[[Any], str]:
    """Where that page shows what belongs to the class of a row."""
    return lambda row: f"/{page}?class={row.id}"


COURSE = Input("course_id", rows=classes.active_courses)
TEACHER = Input("teacher_id", rows=classes.possible_teachers)
TEACHERS = Input(
    "lecturer_ids", label=says("Lecturers"), through=ClassLecturer, rows=classes.possible_lecturers, shows="name"
)
PRICE = Input("price_cents", kind="money", required=False, help=says("In yuan. Empty: what the course costs."))

CLASSES = site.register(
    TableConfig(
        name="classes",
        model=ClassGroup,
        title=says("Classes"),
        rows=classes.visible_to,
        columns=(
            Column("course_id", pinned=True, width=190),
            Column("semester", width=130),
            Column("school_id", width=150),
            Column("state", edit="classes.edit", tone=CLASS_TONES.__getitem__, width=120),
            *(
                Column(
                    name, value=lambda _row, _now: OPEN, label=label, link=_leads(page), see=f"{page}.view", width=120
                )
                for name, page, label in (
                    ("students", "students", says("Students")),
                    ("days", "course-records", says("Days of the class")),
                    ("scores", "gradebook", says("Gradebook")),
                    ("payments", "payments", says("Payments")),
                )
            ),
            Column("starts_on", edit="classes.edit", width=110),
            Column("ends_on", edit="classes.edit", width=110),
            Column("teacher_id", edit="classes.edit", choose=classes.possible_teachers, width=140),
            Column("lecturers", look_up=classes.lecturers_of, label=says("Lecturers"), width=180),
            Column(
                "in_it",
                look_up=classes.in_it_today,
                kind="number",
                label=says("In it today"),
                help=says("Students with a place today."),
                width=100,
            ),
            Column("capacity", edit="classes.edit", width=100),
            Column("price_cents", edit="classes.edit", kind="money", help=says("In yuan."), width=120),
            Column(
                "paid",
                look_up=money_of.paid_for_classes,
                kind="money",
                label=says("Paid"),
                see="classes.money",
                help=says("Confirmed payments for this class, less what was given back."),
                width=130,
            ),
            Column(
                "owed",
                look_up=money_of.owed_for_classes,
                kind="money",
                label=says("Owed"),
                see="classes.money",
                help=says("The price agreed with each student, less what was paid."),
                width=130,
            ),
            Column("note", edit="classes.edit", width=200),
        ),
        search=("course_id.name", "school_id.name", "teacher_id.name", "note"),
        filters=(
            AnyOf("state"),
            Related("school"),
            Related("course"),
            Related("teacher", rows=classes.possible_teachers),
            DateRange("starts_on"),
        ),
        sort="-starts_on",
        save=classes.save,
        called=class_names.named,
        add=Form(
            fields=(
                "school_id",
                COURSE,
                "semester",
                "starts_on",
                "ends_on",
                TEACHERS,
                TEACHER,
                "capacity",
                PRICE,
                "state",
                "note",
            ),
            run=classes.add,
            needs="classes.edit",
            title=says("Add a class"),
        ),
        edit=EditForm(
            fields=(
                "school_id",
                COURSE,
                "semester",
                "starts_on",
                "ends_on",
                TEACHERS,
                TEACHER,
                "capacity",
                Input("price_cents", kind="money", help=says("In yuan.")),
                "state",
                "note",
            ),
            needs="classes.edit",
            title=says("Edit the class"),
        ),
        share="classes.share_views",
        empty=says("No classes here. A manager adds them, and their lecturers and class teacher see them then."),
    )
)
