"""The table of students."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement
from sqlmodel import Session

from crm.domain.normalise import digits_typed
from crm.domain.students import Student
from crm.grid import AnyOf, Column, DateRange, EditForm, Search, TableConfig
from crm.i18n import Says, says
from crm.services.classes import classes
from crm.services.customers import name_search
from crm.services.students import money_of, payments, students
from crm.tables.payments import recording
from crm.tables.site import site

EDIT = "students.edit"
ASKED = (
    "contact_in_need",
    "contact_in_need_phone",
    "placed_company",
    "placed_place",
    "placed_position",
    "placed_salary",
    "placed_benefits",
    "placed_on",
)


@dataclass(frozen=True)
class PlacedIn(AnyOf):
    """Students who have or had a place in any of the ticked classes."""

    def where(self, value: Any, _model: Any, _zone: ZoneInfo) -> ColumnElement[bool]:
        return students.placed_in(value)

    def named(self, session: Session, actor: Any, _model: Any, keys: Sequence[Any]) -> Mapping[Any, Says]:
        """A class in which nobody is yet, to which the list of classes leads all the same."""
        return {key: name for key, name in classes.choices_to_pay_for(session, actor).items() if key in keys}


STUDENTS = site.register(
    TableConfig(
        name="students",
        model=Student,
        title=says("Students"),
        rows=students.visible_to,
        columns=(
            Column("customer_id", label=says("Name"), pinned=True, width=140),
            Column("classes", look_up=students.classes_of, label=says("Classes"), width=360),
            Column(
                "paid",
                look_up=money_of.paid_by_students,
                kind="money",
                label=says("Paid"),
                see="students.money",
                width=120,
            ),
            Column(
                "owed",
                look_up=money_of.owed_by_students,
                kind="money",
                label=says("Owed"),
                see="students.money",
                width=120,
            ),
            Column("customer_id.phone", label=says("Phone"), width=120),
            Column("customer_id.last_consultant_id", label=says("Consultant"), width=120),
            Column("contact_in_need", edit=EDIT, width=140),
            Column("contact_in_need_phone", edit=EDIT, width=140),
            Column("placed_company", edit=EDIT, width=160),
            Column("placed_place", edit=EDIT, width=120),
            Column("placed_position", edit=EDIT, width=140),
            Column("placed_salary", edit=EDIT, help=says("In yuan a month."), width=110),
            Column("placed_benefits", edit=EDIT, width=180),
            Column("placed_on", edit=EDIT, width=120),
            Column("created_at", label=says("Student since"), width=150),
        ),
        search=(
            Search("customer_id.name", index=name_search.containing),
            Search("customer_id.phone", match="prefix", tidy=digits_typed),
            Search("placed_company", match="prefix"),
        ),
        filters=(
            PlacedIn("class", field="id", choices=students.classes_seen),
            DateRange("created_at", label=says("Student since")),
            DateRange("placed_on"),
        ),
        sort="-created_at",
        save=students.save,
        called=students.called,
        edit=EditForm(fields=ASKED, needs=EDIT, title=says("Edit the student")),
        actions=(recording(payments.record_for_students),),
        export="students.export",
        share="students.share_views",
        empty=says("No students here yet. A confirmed payment makes a customer a student."),
    )
)
