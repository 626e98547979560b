"""Accounts, their sign-ins and the attempts that failed."""

from datetime import datetime

from sqlalchemy import CheckConstraint, Index
from sqlmodel import Field, SQLModel

from crm.domain.base import Moment


class Account(SQLModel, table=True):
    """A sign-in. `session_epoch` rises whenever every open session has to end."""

    __tablename__ = "account"
    __table_args__ = (CheckConstraint("name = lower(name)", name="name_lower"),)

    id: int | None = Field(default=None, primary_key=True)
    name: str = Field(max_length=64, unique=True)
    display_name: str = Field(default="", max_length=100)
    email: str | None = Field(default=None, max_length=254)
    password_hash: str = Field(max_length=100, repr=False)
    active: bool = Field(default=True)
    must_change_password: bool = Field(default=False)
    locale: str | None = Field(default=None, max_length=8)
    session_epoch: int = Field(default=0)
    created_at: datetime = Field(sa_type=Moment)
    version: int = Field(default=1)


class SignIn(SQLModel, table=True):
    """One open session of one account. Only a digest of its secret is kept.

    `ticket_digest` is the one-time ticket that the browser exchanges for the cookie.
    """

    __tablename__ = "sign_in"

    id: int | None = Field(default=None, primary_key=True)
    account_id: int = Field(foreign_key="account.id", index=True)
    token_digest: str | None = Field(default=None, max_length=64, unique=True, repr=False)
    ticket_digest: str | None = Field(default=None, max_length=64, unique=True, repr=False)
    session_epoch: int
    created_at: datetime = Field(sa_type=Moment)
    seen_at: datetime = Field(sa_type=Moment)
    expires_at: datetime = Field(sa_type=Moment, index=True)
    ended_at: datetime | None = Field(default=None, sa_type=Moment)
    address: str = Field(default="", max_length=64)
    browser: str = Field(default="", max_length=200)


class SignInAttempt(SQLModel, table=True):
    """A failed attempt: by a digest of the name tried and by address, never the name itself."""

    __tablename__ = "sign_in_attempt"
    __table_args__ = (
        Index("ix_sign_in_attempt_name", "name_digest", "at"),
        Index("ix_sign_in_attempt_address", "address", "at"),
    )

    id: int | None = Field(default=None, primary_key=True)
    name_digest: str = Field(max_length=64)
    address: str = Field(default="", max_length=64)
    at: datetime = Field(sa_type=Moment)
