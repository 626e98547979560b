"""What the system keeps of its own doings: notices, job runs, the audit log, saved views, chosen columns."""

from datetime import datetime

from sqlalchemy import Index, UniqueConstraint, text
from sqlmodel import Field, SQLModel

from crm.domain.base import NUMBERS_ONCE, Choice, Moment, choice_type
from crm.i18n import says


class NoticeState(Choice):
    """Where a notice stands in the outbox.

    `sending` is committed before the attempt; a row left in it by a dead process becomes
    `uncertain` and is shown, not sent again by itself.
    """

    PENDING = "pending", says("To be sent")
    SENDING = "sending", says("Being sent")
    SENT = "sent", says("Sent")
    FAILED = "failed", says("Failed")
    UNCERTAIN = "uncertain", says("Uncertain")


class Notification(SQLModel, table=True):
    """The outbox: one row per recipient and channel. `title` and `body` are stored `Says`.

    `channel` is `app` or the name of a channel in the settings. `link` is a page's URL.
    `next_try_at` is when a pending row is due, and until when a sending row may take: past that, whoever
    was sending is dead. A settled row has none.
    """

    __tablename__ = "notification"
    __table_args__ = (
        Index(
            "ix_notification_due",
            "next_try_at",
            sqlite_where=text("next_try_at IS NOT NULL"),
            postgresql_where=text("next_try_at IS NOT NULL"),
        ),
        Index("ix_notification_inbox", "account_id", "channel", "created_at"),
        Index(
            "ix_notification_unread",
            "account_id",
            "channel",
            sqlite_where=text("read_at IS NULL"),
            postgresql_where=text("read_at IS NULL"),
        ),
        Index(
            "ix_notification_outbox",
            "created_at",
            sqlite_where=text("channel <> 'app'"),
            postgresql_where=text("channel <> 'app'"),
        ),
    )

    id: int | None = Field(default=None, primary_key=True)
    account_id: int = Field(foreign_key="account.id")
    channel: str = Field(max_length=32)
    title: str
    body: str = Field(default="")
    link: str = Field(default="", max_length=300)
    state: NoticeState = Field(default=NoticeState.PENDING, sa_type=choice_type(NoticeState))
    attempts: int = Field(default=0)
    created_at: datetime = Field(sa_type=Moment)
    next_try_at: datetime | None = Field(default=None, sa_type=Moment)
    sent_at: datetime | None = Field(default=None, sa_type=Moment)
    read_at: datetime | None = Field(default=None, sa_type=Moment)
    error: str | None = Field(default=None, max_length=500)
    version: int = Field(default=1)


class JobOutcome(Choice):
    """How a run of a job stands or ended."""

    ASKED = "asked", says("Asked for")
    RUNNING = "running", says("Running")
    DONE = "done", says("Done")
    FAILED = "failed", says("Failed")


class JobRun(SQLModel, table=True):
    """One due date of one job. The unique pair is what makes each due date happen exactly once.

    `alive_at` is the runner's heartbeat: a run whose heart stopped may be taken over.
    A run that somebody asked for by hand is due at the moment of asking, `asked` until it starts.
    `account` is a stored `Says`: what the run did, in one line, or why it failed. Empty: nothing to do.
    """

    __tablename__ = "job_run"
    __table_args__ = (
        UniqueConstraint("job", "due_at"),
        # One run of a job at a time, whatever number of processes; one more may wait.
        Index(
            "uq_job_run_unfinished",
            "job",
            "outcome",
            unique=True,
            sqlite_where=text("outcome IN ('asked', 'running')"),
            postgresql_where=text("outcome IN ('asked', 'running')"),
        ),
        Index("ix_job_run_recent", "due_at"),
    )

    id: int | None = Field(default=None, primary_key=True)
    job: str = Field(max_length=64)
    due_at: datetime = Field(sa_type=Moment)
    started_at: datetime = Field(sa_type=Moment)
    alive_at: datetime = Field(sa_type=Moment)
    finished_at: datetime | None = Field(default=None, sa_type=Moment)
    outcome: JobOutcome = Field(default=JobOutcome.RUNNING, sa_type=choice_type(JobOutcome))
    runner: str = Field(max_length=100)
    attempts: int = Field(default=1)
    account: str = Field(default="")
    asked_by_id: int | None = Field(default=None, foreign_key="account.id")


class JobPlan(SQLModel, table=True):
    """A job as the jobs process declared it: written when that process starts, kept fresh by its heart.

    `about` and `rhythm` are stored `Says`. `alive_at` tells whether any jobs process is up.
    """

    __tablename__ = "job_plan"

    id: int | None = Field(default=None, primary_key=True)
    job: str = Field(max_length=64, unique=True)
    about: str
    rhythm: str
    next_due_at: datetime = Field(sa_type=Moment)
    alive_at: datetime = Field(sa_type=Moment)
    runner: str = Field(max_length=100)
    version: int = Field(default=1)


class AuditEntry(SQLModel, table=True):
    """Who did what to what, before and after, when and from where. Never edited."""

    __tablename__ = "audit_entry"
    __table_args__ = (Index("ix_audit_entry_subject", "subject", "subject_id"),)

    id: int | None = Field(default=None, primary_key=True)
    at: datetime = Field(sa_type=Moment, index=True)
    account_id: int | None = Field(default=None, foreign_key="account.id", index=True)
    action: str = Field(max_length=64)
    subject: str = Field(max_length=64)
    subject_id: int | None = Field(default=None)
    before: str = Field(default="")
    after: str = Field(default="")
    address: str = Field(default="", max_length=64)


class SavedView(SQLModel, table=True):
    """A named view of a table: its URL query. Mine, or shared."""

    __tablename__ = "saved_view"
    __table_args__ = (UniqueConstraint("account_id", "table_name", "name"), NUMBERS_ONCE)

    id: int | None = Field(default=None, primary_key=True)
    account_id: int = Field(foreign_key="account.id")
    table_name: str = Field(max_length=64)
    name: str = Field(max_length=64)
    query: str = Field(max_length=2000)
    shared: bool = Field(default=False)
    version: int = Field(default=1)


class ColumnChoice(SQLModel, table=True):
    """What one person shows and hides of a table against its declaration: `columns` is JSON, name -> shown or not."""

    __tablename__ = "column_choice"
    __table_args__ = (UniqueConstraint("account_id", "table_name"),)

    id: int | None = Field(default=None, primary_key=True)
    account_id: int = Field(foreign_key="account.id")
    table_name: str = Field(max_length=64)
    columns: str = Field(max_length=2000)
