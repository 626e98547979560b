"""The view as SQL, on top of the table's own scoped select: search, filters, sort, page, and a count that ends."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Select, case, func, select
from sqlmodel import Session

from crm.grid.config import TableConfig
from crm.grid.fields import attribute
from crm.grid.searching import searched
from crm.grid.view import View
from crm.rbac import Actor

# Tables up to this size are counted in full.
EXACT = 20_000
# Nobody turns pages beyond this many rows: a search or a filter gets there.
DEEPEST = 10_000


@dataclass(frozen=True)
class Page:
    """The rows of one page in shown order. `total` is exact unless `more`: then there are more than that.

    `keys` are those of all that match, where they had to be found anyway.
    """

    rows: Sequence[Any]
    total: int
    more: bool
    number: int
    keys: Sequence[Any] | None = None


def matching(config: TableConfig, session: Session, actor: Actor, view: View, zone: ZoneInfo) -> Select[Any]:
    """The select of all rows that the actor may see and that match search and filters, in no order."""
    return _Matching(config, session, actor, view, zone).gathered()


class _Matching:
    """The rows of a view, asked for in one of three ways."""

    def __init__(self, config: TableConfig, session: Session, actor: Actor, view: View, zone: ZoneInfo) -> None:
        self._all = config.rows(session, actor).order_by(None)
        self._key = attribute(config.model, config.key)
        self._filters = [
            (one.source, one.where(view.filters[one.name], config.model, zone))
            for one in config.filters
            if one.name in view.filters
        ]
        self._search = searched(config, session, actor, view.search) if view.search else None
        self._order = view.sort.removeprefix("-")
        self._sqlite = session.get_bind().dialect.name == "sqlite"

    @property
    def sparse(self) -> bool:
        """Whether it is a search for what is so rare that all that its indexes name are gathered."""
        return self._search is not None and self._search.sparse

    def more_than(self, count: int) -> bool:
        """Whether the indexes of the search have said already that more rows match."""
        return self._search is not None and not self._filters and self._search.more_than(count)

    def gathered(self) -> Select[Any]:
        """By the indexes of what narrows: all matches are found, then put in order."""
        return self._all.where(*self._narrowing, *([self._search.among(self._key)] if self._search else []))

    def named(self, most: int | None = None) -> Select[Any]:
        """The same from what the indexes of the search name: with `most`, from the first only."""
        assert self._search is not None
        return self._all.where(*self._narrowing, self._search.within(self._key, most))

    def keys(self, session: Session, most: int) -> Sequence[Any] | None:
        """The keys of all that match, in no order; None where they are more than `most`."""
        if self._search and self._search.named:
            if self.more_than(most):
                return None
            # To gather all that is named takes long, and the first and a few more are nearly always enough.
            first = self.named(most + 1 + most // 8).with_only_columns(self._key).limit(most + 1)
            if (session.scalar(select(func.count()).select_from(first.subquery())) or 0) > most:
                return None
        found = session.scalars(self.gathered().with_only_columns(self._key).limit(most + 1)).all()
        return found if len(found) <= most else None

    def walked(self) -> Select[Any]:
        """Along the order until the page is full, which ends soon where many match.

        SQLite's planner does not weigh that only one page is wanted: left alone it gathers every match by a filter's
        index and sorts them all. So what narrows by another field than the order's is put where no index can be used
        for it. PostgreSQL weighs it, but guesses from a hundred names how many hold a text, and looks through all rows
        where none of those did: put so, it takes a search for what has many matches.
        """
        narrowing = [*self._filters, *([("", self._search.matches)] if self._search else [])]
        return self._all.where(
            *(
                case((condition, 1)) == 1 if not field or (self._sqlite and field != self._order) else condition
                for field, condition in narrowing
            )
        )

    @property
    def _narrowing(self) -> list[Any]:
        return [condition for _field, condition in self._filters]


def has_rows(config: TableConfig, session: Session, actor: Actor) -> bool:
    """Whether there is any row that the actor may see."""
    key = attribute(config.model, config.key)
    return session.scalar(config.rows(session, actor).with_only_columns(key).order_by(None).limit(1)) is not None


def read_page(config: TableConfig, session: Session, actor: Actor, view: View, zone: ZoneInfo) -> Page:
    """One page of the view. A page beyond the last one is the last one. A view that could not be read has no rows.

    The work is bounded: a large table is counted up to the cap only. Where no more match than that, the page
    is cut from their keys; where more do, it is found by walking the order, which then ends soon.
    """
    if view.unread:
        return Page((), 0, False, 1)
    asked = _Matching(config, session, actor, view, zone)
    every = config.rows(session, actor).order_by(None)
    key = attribute(config.model, config.key)
    keys: Sequence[Any] | None = None
    in_order: Sequence[Any] | None = None
    found = every
    if _small(session.scalar(select(func.max(key)))):
        found = asked.gathered()
        total = session.scalar(select(func.count()).select_from(found.with_only_columns(key).subquery())) or 0
        more = False
    elif asked.sparse and asked.more_than(config.cap):
        total, more, found = config.cap, True, asked.named()
    elif asked.sparse:
        # Gathered once, for the page and for their number.
        keys = in_order = session.scalars(ordered(config, asked.named().with_only_columns(key), view.sort)).all()
        total, more = min(len(keys), config.cap), len(keys) > config.cap
    else:
        keys = asked.keys(session, config.cap)
        total, more = config.cap if keys is None else len(keys), keys is None
        found = asked.walked() if keys is None else every.where(key.in_(keys))
    last = max(1, -(-total // view.size))
    number = min(view.page, max(last, DEEPEST // view.size) if more else last)

    def cut(number: int) -> Sequence[Any]:
        first = (number - 1) * view.size
        if in_order is not None:
            here = ordered(config, every.where(key.in_(in_order[first : first + view.size])), view.sort)
        else:
            here = ordered(config, found, view.sort).offset(first).limit(view.size)
        return session.scalars(here).all()

    shown = cut(number)
    if not shown and number > last:
        number = last
        shown = cut(number)
    return Page(shown, total, more, number, None if more else keys)


def _small(largest: Any) -> bool:
    """Whether the table can be counted in full at once: a guess by its largest key, which costs nothing."""
    return largest is None or (isinstance(largest, int) and largest <= EXACT)


def ordered(config: TableConfig, found: Select[Any], sort: str) -> Select[Any]:
    """The select in the order of `sort` ("-" first: descending), ties by key, so that no two pages share a row."""
    name = sort.removeprefix("-")
    declared = next((column.order for column in config.columns if column.name == name), None)
    columns = [attribute(config.model, name) if declared is None else declared]
    if name != config.key:
        columns.append(attribute(config.model, config.key))
    return found.order_by(*(column.desc() if sort.startswith("-") else column.asc() for column in columns))


def last_page(page: Page, size: int) -> int:
    """The last page that can be turned to: of all rows where they were counted, else one beyond the count or here."""
    known = max(1, -(-page.total // size))
    if not page.more:
        return known
    return min(max(known, page.number + (len(page.rows) == size)), max(known, DEEPEST // size))
