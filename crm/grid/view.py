"""The view: search, filters, sort, page and page size, as the URL writes them and as values.

The URL is the truth: widgets are set from it, and what they say goes back into it. So a link, a reload
and the browser's *back* return to the same view.
"""

import difflib
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any
from urllib.parse import parse_qs

from crm.grid.config import TableConfig
from crm.grid.fields import facts
from crm.grid.filters import Unparsable
from crm.i18n import Says, says

LONGEST_SEARCH = 100
# No database has a text with these, and PostgreSQL refuses to be asked.
CONTROL = re.compile("[\x00-\x1f\x7f]")
# Behind a field: the field of a related row, an operator, a list.
GOES_ON = re.compile(r"\.|\[|__")
# How like a filter's name a key is that can only be a slip.
NEAR = 0.8
# Of a filter that the table begins with: it narrows nothing.
ANY = "any"
OWN_KEYS = ("q", "sort", "page", "size", "open", "edit", "add", "delete")


@dataclass(frozen=True)
class Unread:
    """A value in the URL that could not be read: what it was, and why. It stays there until it is cleared."""

    raw: tuple[str, ...]
    why: Says


@dataclass(frozen=True)
class View:
    """What somebody looks at. `filters` maps a filter's name to its parsed value; absent is not filtered.

    `unread` maps the URL's key to what could not be read: such a view shows no rows.
    """

    search: str = ""
    filters: Mapping[str, Any] = field(default_factory=dict)
    sort: str = ""
    page: int = 1
    size: int = 50
    unread: Mapping[str, Unread] = field(default_factory=dict)

    def filtered(self, name: str, value: Any) -> "View":
        """The same with one filter changed (None: taken away), back on page 1."""
        left = {key: old for key, old in self.filters.items() if key != name}
        if value is not None:
            left[name] = value
        return replace(self.readable(name), filters=left, page=1)

    def readable(self, name: str) -> "View":
        """The same without what could not be read under that key."""
        return replace(self, unread={key: unread for key, unread in self.unread.items() if key != name})

    @property
    def narrowed(self) -> bool:
        """Whether a search or any filter narrows the rows."""
        return bool(self.search or self.filters)


def read_view(config: TableConfig, url: Mapping[str, Sequence[str]], others: Collection[str] = ()) -> View:
    """The view that the URL's query names; where it narrows nothing, as the table begins.

    A key that asks for a filter which is not declared, or which `others` have and this person does not, is refused
    (`owns`); any other key is none of the table's business.
    """
    mine = {key.removeprefix(config.prefix): list(raw) for key, raw in url.items() if key.startswith(config.prefix)}
    wrong: dict[str, Says] = {}
    filters: dict[str, Any] = {}
    begins = parse_qs(config.begins)
    narrows = "q" in mine or any(one.name in mine for one in config.filters)
    for one in config.filters:
        raw = mine.get(one.name) if narrows else begins.get(one.name)
        if raw is None or (one.name in begins and raw == [ANY]):
            continue
        try:
            filters[one.name] = one.read(raw, config.model)
        except Unparsable as error:
            wrong[one.name] = error.says
    declared = {one.name for one in config.filters}
    for name in mine:
        if name not in declared and name not in OWN_KEYS and owns(config, config.prefix + name, others):
            wrong[name] = says("This table has no filter {value}.", value=name[:LONGEST_SEARCH])
    search = CONTROL.sub("", (mine.get("q") or [""])[-1]).strip()
    if len(search) > LONGEST_SEARCH:
        wrong["q"] = says("A search has at most {count} characters.", count=LONGEST_SEARCH)
    sort = (mine.get("sort") or [config.order])[-1]
    if sort != config.order and sort.removeprefix("-") not in sort_fields(config):
        wrong["sort"] = says("This table cannot be sorted by {value}.", value=sort)
        sort = config.order
    return View(
        search=search,
        filters=MappingProxyType(filters),
        sort=sort,
        page=_number(mine, "page", 1, wrong),
        size=_size(config, mine, wrong),
        unread=MappingProxyType({key: Unread(tuple(mine[key]), why) for key, why in wrong.items()}),
    )


def owns(config: TableConfig, key: str, others: Collection[str] = ()) -> bool:
    """Whether a key of the address can only be meant for this table: its filters, or what reads like one.

    That is every key under its prefix; without one, its fields and columns, what goes on from them (`shelf.name`,
    `price__gte`), and what is nearly a filter's name. Pages and other tables keep keys of theirs beside it.
    """
    if not key.startswith(config.prefix):
        return False
    name = key.removeprefix(config.prefix)
    filters = {*(one.name for one in config.filters), *others}
    if config.prefix or name in filters or name in OWN_KEYS:
        return True
    known = {*filters, *facts(config.model), *(column.name for column in config.columns)}
    if name in known or GOES_ON.split(name, maxsplit=1)[0] in known:
        return True
    tables = config.site.tables.values() if config.site is not None else ()
    if any(table.prefix and name.startswith(table.prefix) for table in tables):
        return False
    return bool(difflib.get_close_matches(name[:LONGEST_SEARCH].lower(), filters, n=1, cutoff=NEAR))


def write_view(config: TableConfig, view: View) -> dict[str, list[str]]:
    """The URL's query for this view: what `read_view` reads. What is at its default is left out."""
    made = {one.name: one.write(view.filters[one.name]) for one in config.filters if one.name in view.filters}
    if view.search:
        made = {"q": [view.search], **made}
    if config.begins:
        known = {one.name for one in config.filters}
        begins = {name: raw for name, raw in parse_qs(config.begins).items() if name in known}
        # Narrowed by nothing has to be said, else it would read as the beginning.
        made = {} if made == begins else made or {name: [ANY] for name in begins}
    if view.sort != config.order:
        made["sort"] = [view.sort]
    if view.page != 1:
        made["page"] = [str(view.page)]
    if view.size != config.page_sizes[0]:
        made["size"] = [str(view.size)]
    made |= {key: list(unread.raw) for key, unread in view.unread.items()}
    return {f"{config.prefix}{key}": values for key, values in made.items()}


def as_it_begins(config: TableConfig, view: View) -> bool:
    """Whether what the table begins with narrows the view, and nothing that somebody asked for."""
    asked = View(view.search, view.filters, config.order, size=config.page_sizes[0], unread=view.unread)
    return view.narrowed and not write_view(config, asked)


def complete(config: TableConfig) -> TableConfig:
    """The table without what it begins with: what is kept or told of a view then names all that narrows it."""
    return replace(config, begins="")


def sort_fields(config: TableConfig) -> list[str]:
    """The fields that people may sort by, in the order of the columns."""
    return [column.name for column in config.columns if config.sortable(column)]


def _size(config: TableConfig, mine: Mapping[str, Sequence[str]], wrong: dict[str, Says]) -> int:
    size = _number(mine, "size", config.page_sizes[0], wrong)
    if size not in config.page_sizes:
        wrong["size"] = says("This table has no page size {value}.", value=size)
        return config.page_sizes[0]
    return size


def _number(mine: Mapping[str, Sequence[str]], key: str, default: int, wrong: dict[str, Says]) -> int:
    text = (mine.get(key) or [str(default)])[-1]
    if text.isascii() and text.isdigit() and 1 <= len(text) <= 9 and int(text) >= 1:
        return int(text)
    wrong[key] = says("{value} is not a number from 1.", value=text)
    return default
