"""Money: what a customer paid or got back. Amounts in cents."""

from datetime import date, datetime

from sqlalchemy import CheckConstraint, Index, text
from sqlmodel import Field, SQLModel

from crm.domain.base import Choice, Moment, choice_type
from crm.i18n import says


class PaymentKind(Choice):
    """What the money is for."""

    DEPOSIT = "deposit", says("Deposit")
    TUITION = "tuition", says("Tuition")
    CLASS_CHANGE = "class_change", says("Class change")
    WITHDRAWAL = "withdrawal", says("Withdrawal")
    REFUND = "refund", says("Refund")


class PaymentState(Choice):
    """Finance confirms or rejects what a consultant recorded."""

    PENDING = "pending", says("Awaiting confirmation")
    CONFIRMED = "confirmed", says("Confirmed")
    REJECTED = "rejected", says("Rejected")


class Payment(SQLModel, table=True):
    """What a consultant recorded and finance decides. While it is pending its customer does not expire.

    `class_group_id` is the class it is for; of a class change the new one, with `from_class_group_id` the old.
    A class change and a withdrawal may cost nothing; all other kinds move money, the refund back to the customer.
    `takes_effect_on` is the day from which a place, a change or a withdrawal counts, on the school's calendar.
    """

    __tablename__ = "payment"
    __table_args__ = (
        CheckConstraint("amount_cents >= 0", name="amount"),
        CheckConstraint("amount_cents > 0 OR kind IN ('class_change', 'withdrawal')", name="moves_money"),
        CheckConstraint("(kind = 'class_change') = (from_class_group_id IS NOT NULL)", name="from_class"),
        CheckConstraint("(state = 'pending') = (decided_at IS NULL)", name="decided"),
        Index(
            "ix_payment_pending",
            "customer_id",
            sqlite_where=text("state = 'pending'"),
            postgresql_where=text("state = 'pending'"),
        ),
        Index("ix_payment_recorded", "recorded_at", "id"),
    )

    id: int | None = Field(default=None, primary_key=True)
    customer_id: int = Field(foreign_key="customer.id", index=True)
    class_group_id: int | None = Field(default=None, foreign_key="class_group.id", index=True)
    from_class_group_id: int | None = Field(default=None, foreign_key="class_group.id")
    kind: PaymentKind = Field(sa_type=choice_type(PaymentKind))
    state: PaymentState = Field(default=PaymentState.PENDING, sa_type=choice_type(PaymentState))
    amount_cents: int = Field(ge=0)
    quoted_cents: int | None = Field(default=None, ge=0)
    receipt_number: str | None = Field(default=None, max_length=64, unique=True)
    takes_effect_on: date | None = Field(default=None)
    recorded_at: datetime = Field(sa_type=Moment)
    recorded_by_id: int = Field(foreign_key="account.id")
    consultant_id: int | None = Field(default=None, foreign_key="employee.id", index=True)
    decided_at: datetime | None = Field(default=None, sa_type=Moment)
    decided_by_id: int | None = Field(default=None, foreign_key="account.id")
    rejected_because: str | None = Field(default=None, max_length=500)
    note: str | None = Field(default=None, max_length=500)
    version: int = Field(default=1)
