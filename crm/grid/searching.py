"""The search box as SQL: each declared field matched as declared, and by its index where it has one."""

from typing import Any

from sqlalchemy import ColumnElement, Select, and_, false, func, or_, select, union_all
from sqlmodel import Session

from crm.grid.conditions import through
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


def searched(
    config: TableConfig, session: Session, actor: Actor, text: str, *, most: int = RARE
) -> tuple[ColumnElement[bool], bool]:
    """The condition of the search box: any declared field, matched as declared.

    It begins from the keys that the fields' indexes name, where each field has one for this text and no more than
    `most` rows may match; second, whether it does. What is read of an index is narrowed by the table's own scope like
    any row.
    """
    wanted = [(one, tidy) for one in map(_whole, config.search) if (tidy := _tidied(config, one, text)) is not None]
    if not wanted:
        return false(), False
    matches = or_(*(_match(config, session, one, tidy) for one, tidy in wanted))
    keys = _keys(config, session, actor, wanted, most)
    return (matches, False) if keys is None else (attribute(config.model, config.key).in_(keys) & matches, True)


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


def _match(config: TableConfig, session: Session, one: Search, wanted: Any) -> ColumnElement[bool]:
    def found(column: Any) -> ColumnElement[bool]:
        if one.match == "exact":
            return column == wanted  # type: ignore[no-any-return]
        if one.match == "prefix":
            return _begins(session, column, wanted)
        return column.ilike(f"%{escaped(wanted)}%", escape=ESCAPE)  # type: ignore[no-any-return]

    return through(path(config.model, one.field), found)


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


def _keys(config: TableConfig, session: Session, actor: Actor, wanted: list[tuple[Search, Any]], most: int) -> Any:
    """The keys that the indexes name, as a select; None where a field has no index for this, or they are many."""
    parts: list[Select[Any]] = []
    for one, text in wanted:
        if one.match == "contains":
            part = one.index(session, text) if one.index is not None else None
            if part is None:
                return None
        else:
            every = config.rows(session, actor).order_by(None)
            part = every.with_only_columns(attribute(config.model, config.key)).where(
                _match(config, session, one, text)
            )
        parts.append(part)
    keys = union_all(*parts) if len(parts) > 1 else parts[0]
    few = select(func.count()).select_from(keys.limit(most + 1).subquery())
    return keys if (session.scalar(few) or 0) <= most else None
