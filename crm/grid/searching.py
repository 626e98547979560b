"""The search box as SQL: each declared field matched as declared, and by its index where it has one."""

from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Select, and_, false, func, or_, select, union_all
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
SPARSE = 5_000
LAST = 0x10FFFF


class Searched(NamedTuple):
    """A search as SQL: the condition, and the select of the keys that the fields' indexes name for it.

    The keys are `None` where a field has no index for this text, or where they are many; else so many are `named`.
    `indexed` is the condition said so that PostgreSQL finds its rows by the indexes of all fields at once; then it
    needs no keys, and how many match is seen from the first of them.
    """

    matches: ColumnElement[bool]
    keys: Any = None
    named: int = RARE + 1
    indexed: ColumnElement[bool] | None = None

    @property
    def sparse(self) -> bool:
        """Whether so few are named that gathering them all is the shortest way."""
        return self.named <= SPARSE

    def among(self, key: Any, most: int | None = None) -> ColumnElement[bool]:
        """The condition, beginning from the keys where there are any: from the first `most` only, if that is given."""
        if self.indexed is not None:
            return self.indexed
        if self.keys is None:
            return self.matches
        named: ColumnElement[bool] = key.in_(self.keys if most is None else self.keys.limit(most))
        return named & self.matches


def searched(config: TableConfig, session: Session, actor: Actor, text: str) -> Searched:
    """What the search box asks for: any declared field, matched as declared.

    What is read of an index is narrowed by the table's own scope like any row.
    """
    wanted = [(one, tidy) for one in map(_whole, config.search) if (tidy := _tidied(config, one, text)) is not None]
    if not wanted:
        return Searched(false())
    fields = [_field(config, session, actor, one, tidy) for one, tidy in wanted]
    matches = or_(*(field.matches for field in fields))
    if session.get_bind().dialect.name == "postgresql":
        of_each = [_by_index(config, one, field) for (one, _tidy), field in zip(wanted, fields, strict=True)]
        if all(one is not None for one in of_each):
            return Searched(matches, indexed=or_(*of_each))
    parts = [field.keys for field in fields if field.keys is not None]
    if len(parts) < len(fields):
        return Searched(matches)
    keys: Any = union_all(*parts) if len(parts) > 1 else parts[0]
    named = session.scalar(select(func.count()).select_from(keys.limit(RARE + 1).subquery())) or 0
    return Searched(matches, keys if named <= RARE else None, named)


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
    """The condition on one field, the keys that its index names (None: it has none), and the index as declared."""

    matches: ColumnElement[bool]
    keys: Any
    named: Any = None


def _by_index(config: TableConfig, one: Search, field: _Field) -> Any:
    """The condition on a field of the table itself as its index answers it; None where it does not."""
    if path(config.model, one.field).hops:
        return None
    if one.match != "contains":
        return field.matches
    if field.named is None or field.named.get_final_froms() != select(config.model).get_final_froms():
        return None
    return and_(field.named.whereclause, field.matches)


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
        return column.ilike(f"%{escaped(wanted)}%", escape=ESCAPE)  # type: ignore[no-any-return]

    named = one.index(session, wanted) if one.index is not None else None
    if one.match == "contains" and (named is None or not here.hops):
        return _Field(through(here, found), named, named)
    condition = through(here, found)
    if here.hops:
        owner_key = attribute(here.owner, here.hops[-1][2])
        if named is None:
            named = select(owner_key).where(found(attribute(here.owner, here.last.name)))
        if _many(session, named):
            return _Field(along(here, found), None)
        condition = through(here, lambda column: and_(found(column), owner_key.in_(named)))
    every = config.rows(session, actor).order_by(None)
    return _Field(condition, every.with_only_columns(key).where(condition))


def _many(session: Session, keys: Select[Any]) -> bool:
    """Whether more are named than are worth gathering."""
    return (session.scalar(select(func.count()).select_from(keys.limit(RARE + 1).subquery())) or 0) > RARE


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
