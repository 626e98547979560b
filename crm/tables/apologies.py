"""The table of apologies, for whoever decides them."""

from crm.domain.teaching import Apology, ApologyState
from crm.grid import Action, AnyOf, Column, DateRange, Input, Search, TableConfig
from crm.grid.config import Tone
from crm.i18n import says
from crm.services.attendance import apologies
from crm.services.classes import class_names, course_days
from crm.services.customers import name_search
from crm.services.students import student_names
from crm.tables.site import site

TONES: dict[ApologyState, Tone | None] = {
    ApologyState.ASKED: "orange",
    ApologyState.ACCEPTED: "green",
    ApologyState.DECLINED: "red",
    ApologyState.WITHDRAWN: "gray",
}
ANSWER = (Input("answer", label=says("Answer"), kind="long", help=says("The student reads it.")),)

APOLOGIES = site.register(
    TableConfig(
        name="apologies",
        model=Apology,
        title=says("Apologies"),
        rows=apologies.to_decide,
        view=apologies.DECIDE,
        prefix="a_",
        called=apologies.called,
        columns=(
            Column("student", look_up=student_names.of_rows, pinned=True, width=120),
            Column("class", look_up=class_names.of_rows, width=220),
            Column("day", label=says("Date"), width=100),
            Column("day_number", look_up=course_days.numbers_on, width=70),
            Column("state", tone=TONES.__getitem__, width=90),
            Column("reason", label=says("Reason"), width=200),
            Column("answer", label=says("Answer"), width=200),
            Column("asked_at", label=says("Asked"), width=140),
        ),
        search=(Search("student_id.customer_id.name", index=name_search.containing),),
        filters=(AnyOf("state"), DateRange("day", label=says("Date"))),
        sort="-asked_at",
        sorts=("asked_at", "day"),
        actions=(
            Action(
                "accept",
                says("Accept..."),
                run=apologies.accept_many,
                needs=apologies.DECIDE,
                params=ANSWER,
                verb=says("Accept"),
                done=says("{count} accepted."),
                icon=":material/check:",
            ),
            Action(
                "decline",
                says("Decline..."),
                run=apologies.decline_many,
                needs=apologies.DECIDE,
                params=ANSWER,
                verb=says("Decline"),
                done=says("{count} declined."),
                icon=":material/close:",
            ),
        ),
        share="attendance.share_views",
        empty=says("Nobody apologised."),
    )
)
