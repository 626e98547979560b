"""What a model says about its fields: their kind, their choices, and where a foreign key leads.

Read from the mapped table, so that a declaration never repeats what the model knows.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum as PyEnum
from functools import cache
from typing import Any, Literal

from sqlalchemy import Boolean, Date, DateTime, Enum, Float, Integer, Numeric, String, Table, UniqueConstraint, inspect
from sqlalchemy.orm import InstrumentedAttribute
from sqlmodel import SQLModel

from crm.i18n import Says, says

Kind = Literal["text", "long", "number", "decimal", "money", "yes_no", "date", "moment", "choice", "relation"]
KINDS: tuple[Kind, ...] = (
    "text", "long", "number", "decimal", "money", "yes_no", "date", "moment", "choice", "relation",
)  # fmt: skip
LONG_TEXT = 300
LARGEST = 2**31 - 1
"""The largest whole number that PostgreSQL takes for an integer: beyond it an address names nothing."""

Model = type[SQLModel]


@dataclass(frozen=True, slots=True)
class Fact:
    """One field of a model: its kind, its length or choices, whether it must have a value, where its key leads.

    `default` is the value that a new row gets, where that is a plain value. `model` is whose field it is.
    """

    name: str
    kind: Kind
    required: bool
    default: Any = None
    length: int | None = None
    least: float | None = None
    most: float | None = None
    choices: tuple[PyEnum, ...] = ()
    target: tuple[Model, str] | None = None
    model: Model | None = None


@cache
def facts(model: Model) -> Mapping[str, Fact]:
    """Every column of the model by its field's name."""
    made: dict[str, Fact] = {}
    for attribute in inspect(model).column_attrs:
        column = attribute.columns[0]
        kind, choices = _kind(column.type)
        target = _target(model, column)
        least, most = _bounds(model, attribute.key, whole=kind == "number")
        made[attribute.key] = Fact(
            name=attribute.key,
            kind="relation" if target else kind,
            required=not column.nullable and not column.primary_key,
            default=getattr(column.default, "arg", None) if getattr(column.default, "is_scalar", False) else None,
            length=getattr(column.type, "length", None) if kind in ("text", "long") else None,
            least=least,
            most=most,
            choices=choices,
            target=target,
            model=model,
        )
    return made


def attribute(model: Model, name: str) -> InstrumentedAttribute[Any]:
    """The model's field as SQL knows it."""
    found: InstrumentedAttribute[Any] = getattr(model, name)
    return found


def unique(model: Model, name: str) -> bool:
    """Whether no two rows of the model have the same value in that field, by its table's own constraints."""
    column = inspect(model).column_attrs[name].columns[0]
    table = column.table
    alone = [index.columns for index in table.indexes if index.unique and not index.dialect_kwargs]
    alone += [rule.columns for rule in table.constraints if isinstance(rule, UniqueConstraint)]
    return list(table.primary_key.columns) == [column] or any(list(columns) == [column] for columns in alone)


@dataclass(frozen=True, slots=True)
class Path:
    """A field reached from a model through foreign keys: `consultant_id.department_code`.

    `hops` are the foreign keys on the way, each with the model and field that it leads to.
    """

    model: Model
    hops: tuple[tuple[str, Model, str], ...]
    last: Fact

    @property
    def owner(self) -> Model:
        """The model that the last field belongs to."""
        return self.hops[-1][1] if self.hops else self.model


class Unknown(LookupError):
    """A path names a field that is not there: `field` of `model`."""

    def __init__(self, model: Model, field: str, reason: str = "") -> None:
        super().__init__(f"{field!r} of {model.__name__}")
        self.model, self.field, self.reason = model, field, reason


@cache
def path(model: Model, dotted: str) -> Path:
    """The field that `dotted` names. Raises `Unknown` where a step is no field or leads nowhere."""
    *through, name = dotted.split(".")
    hops: list[tuple[str, Model, str]] = []
    here = model
    for step in through:
        fact = facts(here).get(step)
        if fact is None:
            raise Unknown(here, step)
        if fact.target is None:
            raise Unknown(here, step, "leads to no other table")
        hops.append((step, *fact.target))
        here = fact.target[0]
    last = facts(here).get(name)
    if last is None:
        raise Unknown(here, name)
    return Path(model, tuple(hops), last)


@dataclass(frozen=True, slots=True)
class Link:
    """A many-to-many: each row of `model` joins one of ours (`mine`, our field `key`) to one of `target` (`theirs`)."""

    model: Model
    mine: str
    key: str
    theirs: str
    target: Model
    target_key: str


@cache
def link(model: Model, through: Model) -> Link | None:
    """How `through` joins `model` to another one; None where it does not, or in more ways than one."""
    leads = [(name, *fact.target) for name, fact in facts(through).items() if fact.target is not None]
    mine = [each for each in leads if each[1] is model]
    theirs = [each for each in leads if each[1] is not model]
    if len(mine) != 1 or len(theirs) != 1:
        return None
    return Link(through, mine[0][0], mine[0][2], *theirs[0])


def whole_number(text: str) -> int:
    """A whole number written in plain digits that every database can compare with. Raises `ValueError`."""
    number = int(text) if re.fullmatch(r"-?[0-9]{1,10}", text) else LARGEST + 1
    if not -LARGEST <= number <= LARGEST:
        raise ValueError(text)
    return number


def label_of(choice: object) -> Says:
    """The label of an enum's member for the screen; its value where it has none."""
    label = getattr(choice, "label", None)
    return label if isinstance(label, Says) else says("{text}", text=str(getattr(choice, "value", choice)))


def _kind(kind: Any) -> tuple[Kind, tuple[PyEnum, ...]]:
    plain = getattr(kind, "impl_instance", kind)
    if isinstance(plain, Enum) and plain.enum_class is not None:
        return "choice", tuple(plain.enum_class)
    pairs: tuple[tuple[type, Kind], ...] = (
        (Boolean, "yes_no"),
        (Integer, "number"),
        (DateTime, "moment"),
        (Date, "date"),
        (Float, "decimal"),
        (Numeric, "decimal"),
    )
    for sort, name in pairs:
        if isinstance(plain, sort):
            return name, ()
    if isinstance(plain, String) and (plain.length or 0) > LONG_TEXT:
        return "long", ()
    return "text", ()


def _target(model: Model, column: Any) -> tuple[Model, str] | None:
    for key in column.foreign_keys:
        table: Table = key.column.table
        for mapper in model._sa_registry.mappers:
            if mapper.local_table is table:
                return mapper.class_, mapper.get_property_by_column(key.column).key
    return None


def _bounds(model: Model, name: str, *, whole: bool) -> tuple[float | None, float | None]:
    """The least and the most that the field takes; of whole numbers also where its ends are excluded."""
    info = model.model_fields.get(name)
    least = most = None
    for rule in info.metadata if info else ():
        least = getattr(rule, "ge", least)
        most = getattr(rule, "le", most)
        if whole and hasattr(rule, "gt"):
            least = rule.gt + 1
        if whole and hasattr(rule, "lt"):
            most = rule.lt - 1
    return least, most
