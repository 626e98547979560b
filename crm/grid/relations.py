"""What an input of a form refers to: the rows that may be chosen, what they are called, and how one is found."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select, select
from sqlmodel import Session

from crm.grid.config import Rows, Search, TableConfig
from crm.grid.fields import Model, attribute, facts, link
from crm.grid.filters import told_apart
from crm.grid.form_config import Input, by_name
from crm.grid.searching import searched
from crm.grid.view import CONTROL, LONGEST_SEARCH
from crm.i18n import Says, says
from crm.rbac import Actor

MANY = 200
"""So many choices fit into a list. Beyond, one is found by a search."""
FOUND = 20
"""So many are shown of what a search finds."""


@dataclass(frozen=True)
class Relation:
    """The rows of `target` that a field may name by their `key`, and the fields that a search for one looks into."""

    target: Model
    key: str
    rows: Rows | None
    shows: str | Callable[[Any], Says | str]
    search: tuple[str | Search, ...]

    def named(self, session: Session, actor: Actor, keys: Sequence[Any]) -> dict[Any, str]:
        """Key -> label of those of `keys` that this person may choose."""
        known = [key for key in dict.fromkeys(keys) if key is not None]
        if not known:
            return {}
        return self._labels(session, self._rows(session, actor).where(attribute(self.target, self.key).in_(known)))

    def every(self, session: Session, actor: Actor) -> dict[Any, str] | None:
        """Key -> label of all that may be chosen; None where one has to be found by a search.

        Where no search can find one, since a function names the rows, one more than `MANY` at most.
        """
        if self.search:
            return None
        labels = self._labels(session, self._rows(session, actor).limit(MANY + 1))
        return None if len(labels) > MANY and self.looks_into else labels

    def found(self, session: Session, actor: Actor, text: str) -> dict[Any, str]:
        """Key -> label of the first that match; one more than `FOUND` where more do."""
        text = CONTROL.sub("", text).strip()[:LONGEST_SEARCH]
        if not text:
            return {}
        table = TableConfig(
            name=self.target.__name__.lower(),
            model=self.target,
            title=says("{text}", text=""),
            rows=lambda session, actor: self._rows(session, actor),
            columns=(),
            search=self.looks_into,
            key=self.key,
        )
        matching = self._rows(session, actor).where(
            searched(table, session, actor, text).among(attribute(table.model, table.key))
        )
        return self._labels(session, matching.limit(FOUND + 1))

    @property
    def looks_into(self) -> tuple[str | Search, ...]:
        """The fields of the search: as declared, else the one that names a row."""
        return self.search or ((self.shows,) if isinstance(self.shows, str) else ())

    def _rows(self, session: Session, actor: Actor) -> Select[Any]:
        every: Select[Any] = self.rows(session, actor) if self.rows is not None else select(self.target)
        return every.order_by(None)

    def _labels(self, session: Session, rows: Select[Any]) -> dict[Any, str]:
        key = attribute(self.target, self.key)
        if isinstance(self.shows, str):
            label = attribute(self.target, self.shows)
            pairs = session.execute(rows.with_only_columns(key, label).order_by(label, key))
            return told_apart({found: str(text) for found, text in pairs})
        found = session.scalars(rows.order_by(key)).all()
        return told_apart({getattr(row, self.key): str(self.shows(row)) for row in found})


def relation_of(config: TableConfig, one: Input) -> Relation | None:
    """What the input refers to; None where it is no relation, or has choices of its own."""
    if one.choices is not None:
        return None
    column = next((column for column in config.columns if column.name == one.name), None)
    shows = one.shows or (column.shows if column else "name")
    rows = one.rows or (column.choose if column else None)
    if one.through is not None:
        joined = link(config.model, one.through)
        return Relation(joined.target, joined.target_key, rows, shows, one.search) if joined else None
    fact = facts(config.model).get(one.name)
    if fact is None or fact.target is None or (one.kind or fact.kind) != "relation":
        return None
    return Relation(*fact.target, rows, shows, one.search)


def values_of(config: TableConfig, session: Session, row: Any, names: Sequence[str]) -> dict[str, Any]:
    """What the row holds under these names of fields and inputs; the keys of a many-to-many as a list."""
    inputs = by_name(config.edit)
    made: dict[str, Any] = {}
    for name in names:
        through = inputs[name].through if name in inputs else None
        joined = link(config.model, through) if through is not None else None
        if joined is not None:
            theirs = attribute(joined.model, joined.theirs)
            mine = attribute(joined.model, joined.mine) == getattr(row, joined.key)
            made[name] = list(session.scalars(select(theirs).where(mine).order_by(theirs)))
        elif name in facts(config.model):
            made[name] = getattr(row, name)
    return made


def not_offered(
    config: TableConfig, session: Session, actor: Actor, changes: Mapping[str, Any], held: Mapping[str, Any]
) -> dict[str, Says]:
    """Changes of relations to rows that this person is not offered: forged, or no longer to be had.

    What the row holds already may stay.
    """
    inputs = by_name(config.edit)
    wrong: dict[str, Says] = {}
    for name, value in changes.items():
        relation = relation_of(config, inputs.get(name) or Input(name))
        wanted = _keys(value) - _keys(held.get(name))
        if relation is not None and wanted - relation.named(session, actor, list(wanted)).keys():
            wrong[name] = says("This choice is not offered to you.")
    return wrong


def _keys(value: Any) -> set[Any]:
    return {key for key in (value if isinstance(value, list | tuple) else [value]) if key is not None}
