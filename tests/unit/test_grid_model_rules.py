"""What the model's own field refuses, the list and the forms refuse, each in words for the person who typed it."""

from collections.abc import Callable
from typing import Annotated, Any
from zoneinfo import ZoneInfo

import pytest
from pydantic import StringConstraints, field_validator
from sqlalchemy.orm import registry
from sqlmodel import Field, SQLModel

from crm.errors import ThanosError
from crm.grid.edits import Snapshot, new_edits
from crm.grid.fields import facts
from crm.grid.inputs import Drawable, read_inputs
from crm.grid.state import Here
from crm.grid.values import Rule, Wrong, accepted
from crm.i18n import says
from tests.grid_example import BOOKS, LIBRARIAN

UTC = ZoneInfo("UTC")


class Stock(SQLModel, registry=registry()):
    pass


class Ware(Stock, table=True):
    id: int | None = Field(default=None, primary_key=True)
    name: str = Field(min_length=3, max_length=20)
    label: Annotated[str | None, StringConstraints(pattern=r"^[A-Z]{2}[0-9]+$")] = None
    pieces: int | None = Field(default=None, gt=0, lt=100)
    weight: float | None = Field(default=None, gt=0, lt=1.5)
    price: int = Field(default=100, gt=0, lt=10_000)  # cents
    maker: str | None = None
    seller: str | None = None

    @field_validator("maker")
    @classmethod
    def known(cls, value: str | None) -> str | None:
        if value == "Nobody":
            raise ValueError("Nobody makes nothing.")
        return value

    @field_validator("seller")
    @classmethod
    def allowed(cls, value: str | None) -> str | None:
        if value == "Nobody":
            raise ThanosError(says("{name} sells nothing.", name=value))
        return value


def rule(field: str) -> Rule:
    return Rule.of(facts(Ware)[field], "money" if field == "price" else None)


WRONG = [
    ("name", "ab", "At least 3 characters are needed here."),
    ("label", "x1", "x1 does not have the form that is asked for here."),
    ("pieces", 0, "At least 1."),
    ("pieces", 100, "At most 99."),
    ("weight", 0.0, "More than 0."),
    ("weight", 1.5, "Less than 1.5."),
    ("price", 0, "At least 0.01."),
    ("price", 100, "At most 99.99."),
    ("maker", "Nobody", "Nobody makes nothing."),
    ("seller", "Nobody", "Nobody sells nothing."),
]


@pytest.mark.parametrize(("field", "typed", "why"), WRONG)
def test_what_the_models_field_refuses_is_told(field: str, typed: Any, why: str):
    with pytest.raises(Wrong) as told:
        accepted(rule(field), typed, UTC)

    assert str(told.value) == why


@pytest.mark.parametrize(
    ("field", "typed", "value"),
    [("name", "abc", "abc"), ("label", "AB1", "AB1"), ("label", "", None), ("pieces", 1, 1), ("weight", 0.1, 0.1),
     ("price", 0.01, 1), ("maker", "Somebody", "Somebody")],
)  # fmt: skip
def test_what_it_takes_is_taken(field: str, typed: Any, value: Any):
    assert accepted(rule(field), typed, UTC) == value


def in_the_list(field: str, typed: Any) -> str:
    drawn = Snapshot((1,), (1,), ({field: None},))
    edits = new_edits({0: {field: typed}}, {}, drawn, {field: rule(field)}, UTC)
    assert not edits.changes
    return str(edits.faults[0].why)


def in_a_form(field: str, typed: Any) -> str:
    asked = Drawable(field, field, rule(field), False, None, None, None)
    values, faults = read_inputs(Here(BOOKS, LIBRARIAN, "en", UTC, BOOKS), [asked], {field: typed})
    assert field not in values
    return str(faults[field])


@pytest.mark.parametrize("where", [in_the_list, in_a_form])
def test_so_it_is_in_the_list_and_in_forms(where: Callable[[str, Any], str]):
    assert [where(field, typed) for field, typed, _why in WRONG] == [why for _field, _typed, why in WRONG]
