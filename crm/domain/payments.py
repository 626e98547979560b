"""Money: what a customer paid or got back. Amounts in cents."""

from datetime import datetime

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
    """A payment. While it is pending its customer does not expire."""

    __tablename__ = "payment"
    __table_args__ = (
        CheckConstraint("amount_cents > 0", name="amount"),
        Index(
            "ix_payment_pending",
            "customer_id",
            sqlite_where=text("state = 'pending'"),
            postgresql_where=text("state = 'pending'"),
        ),
    )

    id: int | None = Field(default=None, primary_key=True)
    customer_id: int = Field(foreign_key="customer.id", index=True)
    kind: PaymentKind = Field(sa_type=choice_type(PaymentKind))
    state: PaymentState = Field(default=PaymentState.PENDING, sa_type=choice_type(PaymentState))
    amount_cents: int = Field(gt=0)
    recorded_at: datetime = Field(sa_type=Moment)
    recorded_by_id: int = Field(foreign_key="account.id")
    note: str | None = Field(default=None, max_length=500)
    version: int = Field(default=1)
