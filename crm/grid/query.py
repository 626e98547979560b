"""The view as SQL, on top of the table's own scoped select: search, filters, sort, page, and a count that ends."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, Select, func, or_, select
from sqlmodel import Session

from crm.grid.config import Search, TableConfig
from crm.grid.fields import attribute, path
from crm.grid.filters import through
from crm.grid.view import View
from crm.rbac import Actor

ESCAPE = "\\"


@dataclass(frozen=True)
class Page:
    """The rows of one page in shown order. `total` is exact unless `more`: then there are more than that."""

    rows: Sequence[Any]
    total: int
    more: bool
    number: int


def matching(config: TableConfig, session: Session, actor: Actor, view: View, zone: ZoneInfo) -> Select[Any]:
    """The select of all rows that the actor may see and that match search and filters, in no order."""
    found = config.rows(session, actor).order_by(None)
    for one in config.filters:
        if one.name in view.filters:
            found = found.where(one.where(view.filters[one.name], config.model, zone))
    if view.search:
        found = found.where(searched(config, view.search))
    return found


def read_page(config: TableConfig, session: Session, actor: Actor, view: View, zone: ZoneInfo) -> Page:
    """One page of the view. A page beyond the last one is the last one. Faults in the view: no rows."""
    if view.faults:
        return Page((), 0, False, 1)
    found = matching(config, session, actor, view, zone)
    key = attribute(config.model, config.key)
    capped = found.with_only_columns(key).limit(config.cap + 1).subquery()
    total = session.scalar(select(func.count()).select_from(capped)) or 0
    more = total > config.cap
    total = min(total, config.cap)
    last = max(1, -(-total // view.size))
    number = view.page if more else min(view.page, last)
    rows = session.scalars(ordered(config, found, view.sort).offset((number - 1) * view.size).limit(view.size)).all()
    return Page(rows, total, more, number)


def ordered(config: TableConfig, found: Select[Any], sort: str) -> Select[Any]:
    """The select in the order of `sort` ("-" first: descending), ties by key, so that no two pages share a row."""
    name = sort.removeprefix("-")
    columns = [attribute(config.model, name)]
    if name != config.key:
        columns.append(attribute(config.model, config.key))
    return found.order_by(*(column.desc() if sort.startswith("-") else column.asc() for column in columns))


def searched(config: TableConfig, text: str) -> ColumnElement[bool]:
    """The condition of the search box: any declared field, matched as declared."""
    return or_(*(_match(config, one, text) for one in config.search))


def escaped(text: str) -> str:
    """The text for LIKE: what is special there is meant literally."""
    for special in (ESCAPE, "%", "_"):
        text = text.replace(special, ESCAPE + special)
    return text


def _match(config: TableConfig, declared: str | Search, text: str) -> ColumnElement[bool]:
    one = declared if isinstance(declared, Search) else Search(declared)
    here = path(config.model, one.field)

    def found(column: Any) -> ColumnElement[bool]:
        if one.match == "exact":
            return column == text  # type: ignore[no-any-return]
        if one.match == "prefix":
            return column.like(f"{escaped(text)}%", escape=ESCAPE)  # type: ignore[no-any-return]
        return column.ilike(f"%{escaped(text)}%", escape=ESCAPE)  # type: ignore[no-any-return]

    return through(here, found)


def last_page(page: Page, size: int) -> int:
    """The last page that can be turned to: of all rows where they were counted, else one beyond the count or here."""
    known = max(1, -(-page.total // size))
    return max(known, page.number + (len(page.rows) == size)) if page.more else known
