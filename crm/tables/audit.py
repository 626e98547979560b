"""The table of the audit log: read by those who may, edited by nobody."""

from crm.domain.records import AuditEntry
from crm.grid import AnyOf, Column, DateRange, Related, TableConfig
from crm.i18n import says
from crm.services.access import audit_log
from crm.tables.site import site

AUDIT = site.register(
    TableConfig(
        name="audit",
        model=AuditEntry,
        title=says("Audit log"),
        rows=audit_log.entries,
        columns=(
            Column("at", label=says("When"), pinned=True, width=150),
            Column("account_id", label=says("Who"), shows="display_name", help=says("Empty: the system."), width=140),
            Column("action", label=says("What"), show=audit_log.action, width=230),
            Column("concerning", look_up=audit_log.subjects, label=says("Concerning"), width=150),
            Column("before", label=says("Before"), look_up=audit_log.before, width=300),
            Column("after", label=says("After"), look_up=audit_log.after, width=300),
            Column("address", label=says("From where"), width=130),
        ),
        filters=(
            Related("person", field="account_id", shows="display_name", rows=audit_log.doers, label=says("Who")),
            AnyOf("action", choices=audit_log.actions, label=says("What")),
            DateRange("at", label=says("When")),
        ),
        sort="-id",
        share="audit.share_views",
        empty=says("Nothing has been recorded yet."),
    )
)
