"""The table of deleted days of classes, as long as they can be brought back."""

from crm.domain.teaching import DeletedDay
from crm.grid import Action, Column, DateRange, TableConfig
from crm.i18n import says
from crm.services.classes import class_names, course_records, deleted_days
from crm.tables.site import site

DELETED_DAYS = site.register(
    TableConfig(
        name="deleted-days",
        model=DeletedDay,
        title=says("Deleted days"),
        rows=deleted_days.recoverable,
        called=deleted_days.called,
        view=course_records.DELETE,
        prefix="del_",
        columns=(
            Column("class", look_up=class_names.of_rows, pinned=True, width=210),
            Column("day_number", width=70),
            Column("held_on", width=110),
            Column("title", width=200),
            Column("deleted_at", width=150),
            Column("deleted_by_id", label=says("Deleted by"), shows="display_name", width=130),
            Column(
                "days_to_restore",
                value=deleted_days.days_to_restore,
                kind="number",
                label=says("Days to bring back"),
                width=140,
            ),
        ),
        search=("title",),
        filters=(DateRange("held_on"), DateRange("deleted_at")),
        sort="-deleted_at",
        actions=(
            Action(
                "restore",
                says("Bring back"),
                run=deleted_days.restore_many,
                needs=course_records.DELETE,
                done=says("Brought back: {count}."),
                icon=":material/restore_from_trash:",
            ),
        ),
        empty=says("No day was deleted."),
    )
)
