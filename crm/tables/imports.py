"""The table of sheets that came in."""

from datetime import datetime

from crm.domain.imports import ImportBatch
from crm.grid import Action, Column, DateRange, TableConfig
from crm.i18n import says, says_n
from crm.services.imports import import_undo
from crm.tables.site import site


def share_imported(batch: ImportBatch, _now: datetime) -> float | None:
    """The part of its rows that came in."""
    return round(batch.imported / batch.rows, 3) if batch.rows else None


IMPORTS = site.register(
    TableConfig(
        name="import",
        model=ImportBatch,
        title=says("Earlier imports"),
        rows=import_undo.batches,
        columns=(
            Column("id", width=70),
            Column("file_name", width=240),
            Column("imported_at", width=150),
            Column("imported_by_id", shows="display_name", width=140),
            Column("rows", width=90),
            Column("share", value=share_imported, kind="decimal", progress=1, label=says("Share imported"), width=130),
            Column("imported", width=90),
            Column("duplicates", width=100),
            Column("errors", width=90),
            Column("assigned", width=110),
            Column("waiting", width=90),
            Column("undone_at", width=150),
        ),
        search=("file_name",),
        filters=(DateRange("imported_at"),),
        sort="-id",
        actions=(
            Action(
                "undo",
                says("Take back"),
                run=import_undo.undo_many,
                needs="import.undo",
                confirm=says_n(
                    "Take {count} import back? Customers that somebody has worked with since stay.",
                    "Take {count} imports back? Customers that somebody has worked with since stay.",
                    count=0,
                ),
                done=says_n("{count} import taken back.", "{count} imports taken back.", count=0),
                icon=":material/undo:",
            ),
        ),
        share="import.share_views",
        empty=says("No sheet has been imported yet."),
    )
)
