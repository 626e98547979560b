"""The search box as SQL: each declared field matched as declared, and by its index where it has one."""

from collections.abc import Sequence
from functools import cached_property
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Select, and_, false, func, inspect, literal_column, or_, select, union_all
from sqlmodel import Session

from crm.grid.conditions import along, through
from crm.grid.config import Search, TableConfig
from crm.grid.fields import attribute, path, whole_number
from crm.rbac import Actor

ESCAPE = "\\"
# Where more rows than this may match, their number is found sooner without the indexes.
RARE = 20_000
# Where no more than this may match, gathering and sorting them beats walking the order until the page is full: among a
# million a match is then so far from the next one that the walk would look at tens of thousands.
SPARSE = 2_000
LAST = 0x10FFFF


class Searched:
    """A search as SQL: the condition, and the select of the keys that the fields' indexes name for it.

    There are no keys where a field has no index for this text. `exact` says that all they name are matches, else
    nearly all. `indexed` is the condition said so that PostgreSQL finds its rows by the indexes of all fields at once,
    however many they are. How many are named is asked once, when it matters.
    """

    def __init__(self, session: Session, matches: ColumnElement[bool], fields: Sequence["_Field"] = ()) -> None:
        self.matches = matches
        self.exact = all(field.exact for field in fields)
        self.indexed: ColumnElement[bool] | None = None
        self._session = session
        indexed = bool(fields) and all(field.keys is not None for field in fields)
        # What names its rows soonest comes first: where that is enough, the others are not asked.
        self._keys = [field.keys for field in sorted(fields, key=lambda field: field.contains)] if indexed else []
        by_index = [field.by_index for field in fields if field.by_index is not None]
        if fields and len(by_index) == len(fields) and session.get_bind().dialect.name == "postgresql":
            self.indexed = or_(*by_index)

    @property
    def named(self) -> bool:
        """Whether there are keys at all."""
        return bool(self._keys)

    @property
    def sparse(self) -> bool:
        """Whether so few are named that gathering them all is the shortest way."""
        return self.named and sum(self._of_each) <= SPARSE

    def more_than(self, count: int) -> bool:
        """Whether it is known already that more rows match: what one field names, it names once."""
        return self.named and self.exact and max(self._of_each) > count

    def among(self, key: Any) -> ColumnElement[bool]:
        """The condition, beginning from the keys where there are any and not too many."""
        if self.indexed is not None:
            return self.indexed
        return self.within(key) if self.named and self._rare else self.matches

    def within(self, key: Any, most: int | None = None) -> ColumnElement[bool]:
        """The condition, beginning from the keys that are named: from the first `most` only, if that is given."""
        keys = _all_of(self._keys) if most is None else _first(self._keys, most)
        found: ColumnElement[bool] = key.in_(keys)
        return found if self.exact else found & self.matches

    @cached_property
    def _of_each(self) -> Sequence[int]:
        """How many each field names that is reached, until they are one more than `SPARSE` together."""
        return _counts(self._session, self._keys, SPARSE + 1)

    @cached_property
    def _rare(self) -> bool:
        return sum(_counts(self._session, self._keys, RARE + 1)) <= RARE


def searched(config: TableConfig, session: Session, actor: Actor, text: str) -> Searched:
    """What the search box asks for: any declared field, matched as declared.

    What is read of an index is narrowed by the table's own scope like any row.
    """
    wanted = [(one, tidy) for one in map(_whole, config.search) if (tidy := _tidied(config, one, text)) is not None]
    if not wanted:
        return Searched(session, false())
    fields = [_field(config, session, actor, one, tidy) for one, tidy in wanted]
    return Searched(session, or_(*(field.matches for field in fields)), fields)


def escaped(text: str) -> str:
    """The text for LIKE: what is special there is meant literally."""
    for special in (ESCAPE, "%", "_"):
        text = text.replace(special, ESCAPE + special)
    return text


def _whole(declared: str | Search) -> Search:
    return declared if isinstance(declared, Search) else Search(declared)


def _tidied(config: TableConfig, one: Search, text: str) -> Any:
    """What the field is compared with; None where it can have no such value."""
    text = one.tidy(text) if one.tidy is not None else text
    if path(config.model, one.field).last.kind in ("text", "long"):
        return text or None
    try:
        return whole_number(text)
    except ValueError:
        return None


class _Field(NamedTuple):
    """The condition on one field, and the keys that its index names (None: it has none).

    `exact`: these are those that meet the condition, within the table's scope. `by_index` is the condition on the
    table itself as its index answers it; None where it does not.
    """

    matches: ColumnElement[bool]
    keys: Any
    exact: bool = True
    by_index: ColumnElement[bool] | None = None
    contains: bool = False


def _field(config: TableConfig, session: Session, actor: Actor, one: Search, wanted: Any) -> _Field:
    """The condition on one field, and the select of the keys that its index names; None where it has none for this.

    Of a field of related rows, what is named first are those; where they are many, the table's own rows are asked
    one after the other.
    """
    here, key = path(config.model, one.field), attribute(config.model, config.key)

    def found(column: Any) -> ColumnElement[bool]:
        if one.match == "exact":
            return column == wanted  # type: ignore[no-any-return]
        if one.match == "prefix":
            return _begins(session, column, wanted)
        return _contains(column, wanted)

    def every(condition: ColumnElement[bool]) -> Select[Any]:
        return config.rows(session, actor).order_by(None).with_only_columns(key).where(condition)

    named = one.index(session, wanted) if one.index is not None else None
    condition = through(here, found)
    if one.match == "contains" and (named is None or not here.hops):
        narrowed = named.whereclause if named is not None else None
        if named is None or narrowed is None or named.columns_clause_froms != [inspect(config.model).local_table]:
            return _Field(condition, named, exact=False, contains=True)
        by_index = and_(narrowed, condition)
        return _Field(condition, every(by_index), by_index=by_index, contains=True)
    if not here.hops:
        return _Field(condition, every(condition), by_index=condition)
    owner_key = attribute(here.owner, here.hops[-1][2])
    if named is None:
        named = select(owner_key).where(found(attribute(here.owner, here.last.name)))
    if sum(_counts(session, [named], RARE + 1)) > RARE:
        return _Field(along(here, found), None)
    condition = through(here, lambda column: and_(found(column), owner_key.in_(named)))
    return _Field(condition, every(condition), contains=one.match == "contains")


def _counts(session: Session, parts: Sequence[Any], most: int) -> Sequence[int]:
    """How many keys these selects name, one after the other until there are `most` of them."""
    numbered: list[Any] = [
        select(literal_column(str(number)).label("part")).select_from(part.limit(most).subquery())
        for number, part in enumerate(parts)
    ]
    found = _one_after_the_other(numbered, most).subquery()
    return session.scalars(select(func.count()).select_from(found).group_by(found.c.part)).all() or (0,)


def _first(parts: Sequence[Any], most: int) -> Any:
    """The first `most` keys that these selects name."""
    return _one_after_the_other([select(*part.limit(most).subquery().c) for part in parts], most)


def _one_after_the_other(parts: Sequence[Any], most: int) -> Any:
    """What these selects give until it is enough. Each has its own limit, or PostgreSQL sets out to do all at once."""
    return _all_of(parts).limit(most)


def _all_of(parts: Sequence[Any]) -> Any:
    return parts[0] if len(parts) == 1 else union_all(*parts)


def _contains(column: Any, text: str) -> ColumnElement[bool]:
    """Contains the text, whatever its case. Signs that have none are compared as they are, which costs far less."""
    pattern = f"%{escaped(text)}%"
    caseless = text.lower() == text == text.upper()
    return (column.like if caseless else column.ilike)(pattern, escape=ESCAPE)  # type: ignore[no-any-return]


def _begins(session: Session, column: Any, text: str) -> ColumnElement[bool]:
    """Begins with the text, in a form that an index answers.

    SQLite has no index for LIKE, but its plain order puts all that begins with a text before the next one. For
    digits so does the order of any language; for other texts PostgreSQL answers LIKE by an index for patterns.
    """
    like: ColumnElement[bool] = column.like(f"{escaped(text)}%", escape=ESCAPE)
    digits = text.isascii() and text.isdigit()
    if not digits and session.get_bind().dialect.name != "sqlite":
        return like
    stem = text.rstrip("9" if digits else chr(LAST))
    if not stem:
        return and_(like, column >= text)
    last = ord(stem[-1])
    # Between these two stand signs that no text may hold alone.
    after = stem[:-1] + chr(0xE000 if last == 0xD7FF else last + 1)
    return and_(like, column >= text, column < after)
