"""How many rows each choice of a filter would leave: counted where that is cheap, else not at all."""

from collections import Counter
from collections.abc import Mapping
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Select, select, type_coerce
from sqlalchemy.orm import aliased
from sqlalchemy.types import NullType
from sqlmodel import Session

from crm.grid.conditions import Presence
from crm.grid.config import TableConfig
from crm.grid.fields import Model, attribute, path
from crm.grid.filters import Related, Ticked
from crm.grid.query import Page, matching
from crm.grid.view import View
from crm.rbac import Actor

COUNTED = 500
"""Choices are counted over at most so many rows."""

# What a choice is written as in the address -> how many rows have it.
Counts = Mapping[str, int]
YES_NO = {"1": "yes", "True": "yes", "0": "no", "False": "no"}


def counted(
    config: TableConfig, session: Session, actor: Actor, view: View, zone: ZoneInfo, page: Page
) -> dict[str, Counts]:
    """The counts by the filter's name: over the rows that search and all *other* filters leave.

    Nothing of a filter with a condition of its own: its choices are no values of the field.
    None at all where more than `COUNTED` rows match, and none of a filter without which they would: then nothing
    more than that is read. Nor of a filter in use where the table is large, since that would search it once more.
    So what it costs has a bound however large the table is.
    """
    if view.unread or page.more or page.total > COUNTED:
        return {}
    ticked = [one for one in config.filters if isinstance(one, Ticked) and one.by_its_field]
    unused = [one for one in ticked if one.name not in view.filters]
    if page.keys is not None:
        found = config.rows(session, actor).order_by(None).where(attribute(config.model, config.key).in_(page.keys))
        return _counted(config, session, found, unused)
    made = _counted(config, session, matching(config, session, actor, view, zone), unused)
    for one in ticked:
        if one.name in view.filters:
            others = matching(config, session, actor, view.filtered(one.name, None), zone)
            made |= _counted(config, session, others, [one])
    return made


def _counted(config: TableConfig, session: Session, rows: Select[Any], filters: list[Ticked]) -> dict[str, Counts]:
    """One statement for all of these filters, by none of which the rows were narrowed.

    So few rows are counted sooner here than a statement with a GROUP BY for each filter is put together.
    """
    if not filters:
        return {}
    values = [_value(config.model, one) for one in filters]
    found = session.execute(rows.with_only_columns(*values, maintain_column_froms=True).limit(COUNTED + 1)).all()
    if len(found) > COUNTED:
        return {}
    columns = zip(*found, strict=True) if found else ((),) * len(filters)
    return {one.name: _tidied(config, one, Counter(column)) for one, column in zip(filters, columns, strict=True)}


def _tidied(config: TableConfig, one: Ticked, times: Mapping[Any, int]) -> Counts:
    yes_no = path(config.model, one.source).last.kind == "yes_no"
    made = {YES_NO[str(value)] if yes_no else str(value): count for value, count in times.items() if value is not None}
    return {**made, Presence.SOME.value: sum(made.values()), Presence.EMPTY.value: times.get(None, 0)}


@cache
def _value(model: Model, one: Ticked) -> Any:
    """The field that the filter looks at, followed through foreign keys, as the database holds it."""
    here = path(model, one.source)
    steps = [*(hop[0] for hop in here.hops), here.last.name]
    leads = [hop[1:] for hop in here.hops]
    if isinstance(one, Related) and one.key and here.last.target is not None:
        steps.append(one.key)
        leads.append(here.last.target)
    value: Any = attribute(model, steps[0])
    for (target, key), name in zip(leads, steps[1:], strict=True):
        there: Any = aliased(target)
        value = select(getattr(there, name)).where(getattr(there, key) == value).scalar_subquery()
    # No enum is made of a value only to be counted.
    return type_coerce(value, NullType())
