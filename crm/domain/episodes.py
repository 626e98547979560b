"""The history: episodes of a consultant holding a customer, and the contacts in them."""

from datetime import datetime

from sqlalchemy import CheckConstraint, Index, text
from sqlmodel import Field, SQLModel

from crm.domain.base import Choice, Moment, choice_type
from crm.i18n import says


class Origin(Choice):
    """How an episode began."""

    SHARED = "shared", says("Shared out")
    CLAIMED = "claimed", says("Claimed from the pool")
    TRANSFERRED = "transferred", says("Handed over")
    ADDED = "added", says("Added by the consultant")


class Outcome(Choice):
    """How an episode stands or ended."""

    FOLLOWING = "following", says("Following")
    NO_FOLLOW_UP = "no_follow_up", says("No follow-up in time")
    NO_DEAL = "no_deal", says("No deal in time")
    ENROLLED = "enrolled", says("Enrolled")
    TRANSFERRED = "transferred", says("Handed over")
    RELEASED = "released", says("Released to the pool")
    LEFT_SCHOOL = "left_school", says("Consultant left")


class Assignment(SQLModel, table=True):
    """One episode. Closed once, never rewritten. `reason` is a stored `Says`: why this consultant."""

    __tablename__ = "assignment"
    __table_args__ = (
        CheckConstraint("(closed_at IS NULL) = (outcome = 'following')", name="open"),
        CheckConstraint("closed_at IS NULL OR closed_at >= opened_at", name="order"),
        Index(
            "uq_assignment_open",
            "customer_id",
            unique=True,
            sqlite_where=text("closed_at IS NULL"),
            postgresql_where=text("closed_at IS NULL"),
        ),
        Index("ix_assignment_customer", "customer_id"),
        Index("ix_assignment_consultant", "consultant_id", "opened_at"),
        Index(
            "ix_assignment_closed",
            "closed_at",
            sqlite_where=text("closed_at IS NOT NULL"),
            postgresql_where=text("closed_at IS NOT NULL"),
        ),
    )

    id: int | None = Field(default=None, primary_key=True)
    customer_id: int = Field(foreign_key="customer.id")
    consultant_id: int = Field(foreign_key="employee.id")
    origin: Origin = Field(sa_type=choice_type(Origin))
    opened_at: datetime = Field(sa_type=Moment)
    closed_at: datetime | None = Field(default=None, sa_type=Moment)
    outcome: Outcome = Field(default=Outcome.FOLLOWING, sa_type=choice_type(Outcome))
    reason: str = Field(default="")
    closed_reason: str | None = Field(default=None)
    opened_by_id: int | None = Field(default=None, foreign_key="account.id")


class Channel(Choice):
    """How a contact was made."""

    PHONE = "phone", says("Phone")
    WECHAT = "wechat", says("WeChat")
    QQ = "qq", says("QQ")
    VISIT = "visit", says("Visit")
    EMAIL = "email", says("Email")
    OTHER = "other", says("Other channel")


class FollowUp(SQLModel, table=True):
    """One contact with a customer, in one episode where there is one."""

    __tablename__ = "follow_up"
    __table_args__ = (
        Index("ix_follow_up_customer", "customer_id", "at"),
        Index("ix_follow_up_consultant", "consultant_id", "at"),
    )

    id: int | None = Field(default=None, primary_key=True)
    customer_id: int = Field(foreign_key="customer.id")
    consultant_id: int = Field(foreign_key="employee.id")
    assignment_id: int | None = Field(default=None, foreign_key="assignment.id")
    at: datetime = Field(sa_type=Moment)
    channel: Channel = Field(default=Channel.PHONE, sa_type=choice_type(Channel))
    note: str = Field(min_length=1, max_length=2000)
    next_step: str | None = Field(default=None, max_length=500)
    next_at: datetime | None = Field(default=None, sa_type=Moment)
