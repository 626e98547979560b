"""Filters: each declares its choices, reads its part of the URL, and becomes a condition.

Filters combine with AND, the choices within one with OR. A value that cannot be read is an
`Unparsable`, shown to the person; it never becomes "no filter".
"""

from abc import abstractmethod
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import KW_ONLY, dataclass
from datetime import date
from typing import Any, cast
from zoneinfo import ZoneInfo

from sqlalchemy import Select, false, or_, select
from sqlmodel import Session

from crm.errors import ThanosError
from crm.grid.conditions import Condition, Presence, among, may_be_empty, present, through
from crm.grid.declared import Declared
from crm.grid.fields import Kind, Model, Path, attribute, label_of, path, whole_number
from crm.grid.values import plain_text
from crm.i18n import Says, says
from crm.rbac import Actor

Choices = Mapping[Any, Says | str]
MANY_CHOICES = 500
"""So many choices are listed, by name. One more is read, which tells that there are more."""


class Unparsable(ThanosError):
    """A value in the URL that its filter cannot read."""


@dataclass(frozen=True)
class Filter(Declared):
    """What every filter has: a `name`, which is its key in the URL, and a `label`."""

    name: str
    _: KW_ONLY
    label: Says | None = None
    field: str = ""

    @property
    def source(self) -> str:
        """The dotted path of the field that is filtered; the name unless declared."""
        return self.field or self.name

    def as_shown(self, _kind: Kind | None) -> "Filter":
        """The same for a field whose column is declared to be of that kind."""
        return self

    def on(self, _day: date) -> "Filter":
        """The same on that day of the reader's."""
        return self

    @abstractmethod
    def read(self, raw: Sequence[str], model: Model) -> Any:
        """The value written in the URL. Raises `Unparsable`."""

    @abstractmethod
    def write(self, value: Any) -> list[str]:
        """The value as the URL holds it: what `read` reads."""

    @abstractmethod
    def where(self, value: Any, model: Model, zone: ZoneInfo) -> Condition:
        """The condition. Days are days in `zone`."""

    def presence(self, model: Model) -> tuple[Presence, ...]:
        """*Is empty* and *is not empty*, where both may be."""
        return tuple(Presence) if may_be_empty(path(model, self.source)) else ()


@dataclass(frozen=True)
class Ticked(Filter):
    """A filter of choices of which any number can be ticked. Where the field may be empty, that is a choice too."""

    def read(self, raw: Sequence[str], model: Model) -> tuple[Any, ...]:
        known = {one.value: one for one in self.presence(model)}
        return tuple(dict.fromkeys(known[text] if text in known else self.choice(text, model) for text in raw))

    def write(self, value: Any) -> list[str]:
        return [_written(item) for item in value]

    def where(self, value: Any, model: Model, _zone: ZoneInfo) -> Condition:
        here = path(model, self.source)
        plain = [one for one in value if not isinstance(one, Presence)]
        parts = [present(here, one) for one in value if isinstance(one, Presence)]
        if plain:
            parts.insert(0, through(here, lambda column: self.matches(column, plain, model)))
        return or_(*parts) if parts else false()

    def matches(self, column: Any, values: Sequence[Any], _model: Model) -> Condition:
        """The condition on the field itself for these choices."""
        return among(column, values)

    @property
    def by_its_field(self) -> bool:
        """Whether rows are told apart by the field's own values, and not by a `where` of the filter's own.

        Else the field's values are not what is chosen: they are not counted, and the field is not asked to be empty.
        """
        return type(self).where is Ticked.where

    def presence(self, model: Model) -> tuple[Presence, ...]:
        return super().presence(model) if self.by_its_field else ()

    @abstractmethod
    def choice(self, text: str, model: Model) -> Any:
        """One choice as the URL writes it. Raises `Unparsable`."""

    def offered(self, session: Session, actor: Actor, model: Model) -> Choices:
        """The choices as value -> label, in the order to show; of many values one more than `MANY_CHOICES`."""
        return {**self.listed(session, actor, model), **{one: one.label for one in self.presence(model)}}

    @abstractmethod
    def listed(self, session: Session, actor: Actor, model: Model) -> Choices:
        """The choices that are values."""

    @property
    def finds(self) -> bool:
        """Whether a choice can be found by what it is called."""
        return False

    def named(self, _session: Session, _actor: Actor, _model: Model, _keys: Sequence[Any]) -> Choices:
        """Those of these choices that this person is offered, listed or not."""
        return {}

    def found(self, _session: Session, _actor: Actor, _model: Model, _text: str) -> Choices:
        """The choice that is called so, else the first that are called nearly so."""
        return {}


@dataclass(frozen=True)
class AnyOf(Ticked):
    """Rows whose field has any of the ticked choices. Choices come from the model's enum or its yes/no field.

    `choices`: (session, actor) -> value -> label, for a field that is neither, or to offer fewer of them.
    """

    _: KW_ONLY
    choices: Callable[[Session, Actor], Choices] | None = None

    def choice(self, text: str, model: Model) -> Any:
        fact = path(model, self.source).last
        known: dict[str, Any] = {str(choice.value): choice for choice in fact.choices}
        if fact.kind == "yes_no":
            known = {"yes": True, "no": False}
        if text in known:
            return known[text]
        if self.choices is not None and fact.kind in ("text", "long") and text == plain_text(text):
            return text
        if self.choices is not None and fact.kind in ("number", "relation"):
            return _whole(text)
        raise _no_choice(text)

    def listed(self, session: Session, actor: Actor, model: Model) -> Choices:
        if self.choices is not None:
            return self.choices(session, actor)
        fact = path(model, self.source).last
        if fact.kind == "yes_no":
            return {True: says("Yes"), False: says("No")}
        return {choice: label_of(choice) for choice in fact.choices}


@dataclass(frozen=True)
class Related(Ticked):
    """Rows that refer to any of the ticked rows of another table.

    `field` is the foreign key, or several joined by dots: `consultant_id.department_code`; the default is
    `<name>_id`. The URL holds what the last one refers to, so `department=1002` is a code where the foreign key
    is one; `key` names another unique field of those rows for it. `shows` is the field that names a choice.
    `rows`, (session, actor) -> Select, narrows them.
    """

    _: KW_ONLY
    key: str = ""
    shows: str = "name"
    rows: Callable[[Session, Actor], Select[Any]] | None = None

    @property
    def source(self) -> str:
        return self.field or f"{self.name}_id"

    def choice(self, text: str, model: Model) -> Any:
        target, key = self._target(model)
        if path(target, self.key or key).last.kind != "text":
            return _whole(text)
        if not text or text != plain_text(text):
            raise _no_choice(text)
        return text

    def matches(self, column: Any, values: Sequence[Any], model: Model) -> Condition:
        if not self.key:
            return among(column, values)
        target, key = self._target(model)
        found: Condition = column.in_(select(attribute(target, key)).where(among(attribute(target, self.key), values)))
        return found

    def listed(self, session: Session, actor: Actor, model: Model) -> Choices:
        here = path(model, self.source)
        return related_labels(session, actor, here, self.shows, self.rows, key=self.key)

    @property
    def finds(self) -> bool:
        return True

    def named(self, session: Session, actor: Actor, model: Model, keys: Sequence[Any]) -> Choices:
        return related_labels(session, actor, path(model, self.source), self.shows, self.rows, keys, key=self.key)

    def found(self, session: Session, actor: Actor, model: Model, text: str) -> Choices:
        here = path(model, self.source)
        label = attribute(cast(tuple[Model, str], here.last.target)[0], self.shows)
        for called in (label == text, label.icontains(text, autoescape=True)):
            made = related_labels(session, actor, here, self.shows, self.rows, key=self.key, called=called)
            if made:
                return made
        return {}

    def _target(self, model: Model) -> tuple[Model, str]:
        return cast(tuple[Model, str], path(model, self.source).last.target)


def related_labels(
    session: Session,
    actor: Actor,
    here: Path,
    shows: str,
    rows: Callable[[Session, Actor], Select[Any]] | None,
    keys: Sequence[Any] | None = None,
    *,
    key: str = "",
    called: Condition | None = None,
) -> dict[Any, str]:
    """Key -> label of the rows that the path's foreign key may refer to, by label; with `keys`, of these only.

    Without `keys` one more than `MANY_CHOICES` at most, with `called` of those that this condition leaves. `key` is the
    field that they are known by, unless it is the one that the foreign key refers to.
    """
    if keys is not None and not keys:
        return {}
    target, referred = cast(tuple[Model, str], here.last.target)
    every: Select[Any] = rows(session, actor) if rows is not None else select(target)
    column, label = attribute(target, key or referred), attribute(target, shows)
    wanted: Select[Any] = every.with_only_columns(column, label).order_by(None).order_by(label, column)
    wanted = wanted.where(column.in_(keys)) if keys is not None else wanted.limit(MANY_CHOICES + 1)
    wanted = wanted.where(called) if called is not None else wanted
    return told_apart({found: str(text) for found, text in session.execute(wanted)})


def told_apart(labels: Mapping[Any, str]) -> dict[Any, str]:
    """The same with its key behind a label that two have: a widget tells its choices by what they are called."""
    times = Counter(labels.values())
    return {key: label if times[label] == 1 else f"{label} · {key}" for key, label in labels.items()}


def _no_choice(text: str) -> Unparsable:
    return Unparsable(says("{value} is not a choice of this filter.", value=text))


def _whole(text: str) -> int:
    try:
        return whole_number(text)
    except ValueError:
        raise _no_choice(text) from None


def _written(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(getattr(value, "value", value))
