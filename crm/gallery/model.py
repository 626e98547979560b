"""What grows in the gallery: tables of their own, which no migration knows."""

from datetime import date, datetime

from sqlalchemy.orm import registry
from sqlmodel import Field, SQLModel

from crm.domain.base import Choice, Moment, choice_type
from crm.i18n import says


class Garden(SQLModel, registry=registry()):
    """What the example's tables have in common: a place apart from the product's."""


class Light(Choice):
    """How much light a plant wants."""

    SUN = "sun", says("Full sun")
    HALF = "half", says("Half shade")
    SHADE = "shade", says("Shade")


class Greenhouse(Garden, table=True):
    """Where plants stand. A plant refers to it by its code."""

    id: int | None = Field(default=None, primary_key=True)
    code: int = Field(unique=True)
    name: str = Field(max_length=40)
    degrees: int = Field(default=18)


class Gardener(Garden, table=True):
    """Somebody who looks after plants."""

    id: int | None = Field(default=None, primary_key=True)
    name: str = Field(max_length=40, unique=True)


class Plant(Garden, table=True):
    """One plant. `price` is in cents; `moisture` in percent; `mother_id` is the plant that it was grown from."""

    id: int | None = Field(default=None, primary_key=True)
    name: str = Field(max_length=40)
    label: str = Field(max_length=12, unique=True)
    light: Light | None = Field(default=None, sa_type=choice_type(Light))
    greenhouse_code: int | None = Field(default=None, foreign_key="greenhouse.code")
    mother_id: int | None = Field(default=None, foreign_key="plant.id")
    height: float | None = Field(default=None, ge=0, le=500)
    leaves: int | None = Field(default=None, ge=0, le=100_000)
    price: int = Field(default=0, ge=0)
    moisture: int = Field(default=50, ge=0, le=100)
    sold: bool = Field(default=False)
    sown: date | None = None
    watered_at: datetime | None = Field(default=None, sa_type=Moment)
    note: str | None = Field(default=None, max_length=500)
    deleted_at: datetime | None = Field(default=None, sa_type=Moment)
    version: int = Field(default=1)


class Care(Garden, table=True):
    """Who looks after which plant: many-to-many."""

    plant_id: int = Field(foreign_key="plant.id", primary_key=True)
    gardener_id: int = Field(foreign_key="gardener.id", primary_key=True)
