"""The tables of notices: one's own inbox, and the outbox for whoever looks after it."""

from crm.domain.records import Notification
from crm.grid import Action, AnyOf, Column, DateRange, TableConfig
from crm.i18n import Says, says
from crm.services.notices import notices
from crm.tables.site import site

INBOX = site.register(
    TableConfig(
        name="notifications",
        model=Notification,
        title=says("Notifications"),
        rows=notices.inbox,
        columns=(
            Column("unread", value=notices.unread_mark, label=says("Unread"), width=65),
            Column("title", show=Says.loaded, width=250, sortable=False),
            Column("created_at", label=says("When"), width=140),
            Column("body", show=Says.loaded, width=420, sortable=False),
            Column("read_at", width=140),
        ),
        filters=(DateRange("created_at", label=says("When")),),
        sort="-created_at",
        actions=(
            Action(
                "read",
                says("Mark as read"),
                run=notices.mark_read,
                needs="notifications.view",
                done=says("{count} marked as read."),
                icon=":material/done_all:",
                # Opening a notice is reading it.
                on_record=False,
            ),
        ),
        empty=says("Nothing has happened yet that you need to know."),
    )
)

OUTBOX = site.register(
    TableConfig(
        name="outbox",
        model=Notification,
        title=says("Outbox"),
        rows=notices.outbox,
        view="notifications.manage",
        prefix="out_",
        columns=(
            Column("state", width=130),
            Column("channel", width=110),
            Column("account_id", label=says("To"), shows="display_name", width=150),
            Column("title", show=Says.loaded, width=300, sortable=False),
            Column("attempts", width=90),
            Column("error", show=Says.loaded, width=260, sortable=False),
            Column("created_at", label=says("When"), width=150),
            Column("sent_at", width=150),
        ),
        filters=(AnyOf("state"), DateRange("created_at", label=says("When"))),
        sort="-created_at",
        actions=(
            Action(
                "again",
                says("Send again"),
                run=notices.send_again,
                needs="notifications.manage",
                confirm=says("Send {count} again? What is uncertain may have arrived before."),
                done=says("{count} will be sent again."),
                icon=":material/send:",
            ),
        ),
        empty=says(
            "Nothing has left by email, SMS or WeChat Work. Name channels in the settings file to have it sent."
        ),
    )
)
