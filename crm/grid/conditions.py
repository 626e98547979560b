"""Conditions on a field that is reached through foreign keys: has one of these values, has none, has any."""

from collections.abc import Callable, Sequence
from enum import Enum
from typing import Any

from sqlalchemy import ColumnElement, exists, or_, select
from sqlalchemy.orm import aliased

from crm.grid.fields import Path, attribute, facts
from crm.i18n import Says, says

Condition = ColumnElement[bool]


class Presence(Enum):
    """Whether there is a value at all: a choice beside those of a filter. The value is what the address holds."""

    EMPTY = "none"
    SOME = "some"

    @property
    def label(self) -> Says:
        """How it reads among the choices."""
        return says("(is empty)") if self is Presence.EMPTY else says("(is not empty)")


def through(here: Path, condition: Callable[[Any], Condition]) -> Condition:
    """The condition on a field reached through foreign keys, as nested `IN (SELECT ...)`."""
    found = condition(attribute(here.owner, here.last.name))
    for before, step, target, key in _back(here):
        found = attribute(before, step).in_(select(attribute(target, key)).where(found))
    return found


def along(here: Path, condition: Callable[[Any], Condition]) -> Condition:
    """The same, asked of one row after the other: where many of the related rows meet it, that ends sooner."""

    def reached(place: int, entity: Any) -> Condition:
        if place == len(here.hops):
            return condition(getattr(entity, here.last.name))
        step, target, key = here.hops[place]
        there: Any = aliased(target)
        return exists().where(getattr(there, key) == getattr(entity, step), reached(place + 1, there))

    return reached(0, here.model)


def present(here: Path, presence: Presence) -> Condition:
    """The path leads to a value, or it does not: also where a foreign key on the way is empty."""
    if presence is Presence.SOME:
        return through(here, lambda column: column.is_not(None))
    found: Condition = attribute(here.owner, here.last.name).is_(None)
    for before, step, target, key in _back(here):
        column = attribute(before, step)
        found = or_(column.is_(None), column.in_(select(attribute(target, key)).where(found)))
    return found


def may_be_empty(here: Path) -> bool:
    """Whether there are rows for which the path leads to no value."""
    before, steps = here.model, [not here.last.required]
    for step, target, _key in here.hops:
        steps.append(not facts(before)[step].required)
        before = target
    return any(steps)


def among(column: Any, values: Sequence[Any]) -> Condition:
    """The column has one of the values."""
    found: Condition = column == values[0] if len(values) == 1 else column.in_(values)
    return found


def _back(here: Path) -> list[tuple[Any, str, Any, str]]:
    """The foreign keys on the way, the last one first: model and field, and what they lead to."""
    models = [here.model, *(target for _step, target, _key in here.hops)]
    return [(before, *hop) for before, hop in zip(models, here.hops, strict=False)][::-1]
