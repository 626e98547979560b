"""Campuses and what is taught there."""

from sqlalchemy import CheckConstraint
from sqlmodel import Field, SQLModel


class School(SQLModel, table=True):
    """A campus."""

    __tablename__ = "school"

    id: int | None = Field(default=None, primary_key=True)
    name: str = Field(max_length=100, unique=True)
    city: str = Field(default="", max_length=100)
    version: int = Field(default=1)


class Course(SQLModel, table=True):
    """What is taught. Prices in cents."""

    __tablename__ = "course"
    __table_args__ = (CheckConstraint("price_cents >= 0", name="price"),)

    id: int | None = Field(default=None, primary_key=True)
    name: str = Field(max_length=100, unique=True)
    price_cents: int = Field(default=0, ge=0)
    active: bool = Field(default=True)
    version: int = Field(default=1)
