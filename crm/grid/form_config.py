"""The declaration of forms: what is asked for, in which order, and the service that takes it."""

from collections.abc import Callable, Mapping
from dataclasses import KW_ONLY, dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Protocol

from sqlmodel import Session

from crm.grid.declared import Declared
from crm.grid.fields import Kind, Model
from crm.grid.filters import Choices
from crm.i18n import Says, says
from crm.rbac import Actor

if TYPE_CHECKING:
    from crm.grid.config import Rows, Search


class Add(Protocol):
    """Adds a row from the form's values. What it returns is handed to the form's `done`."""

    def __call__(self, session: Session, actor: Actor, values: dict[str, Any], now: datetime, /) -> Any: ...


@dataclass(frozen=True)
class Input(Declared):
    """One input of a form or of an action's parameters.

    A field of the model needs only its name. Anything else gives `kind` and `label`; a `choice` or
    `relation` that the model does not know gives `choices`: (session, actor) -> value -> label.

    For a relation `rows` narrows what may be chosen, also against forged input, `shows` names a row (a field, or
    a function of the row), and `search` makes it a box that finds, over these fields; without it that
    happens by itself where more rows may be chosen than fit into a list. `through` is the model of a many-to-many:
    then the value is the list of keys of the other side. `create` is a form that adds a related row
    on the spot; its `run` returns that row's primary key, or something with an `id`.
    """

    name: str
    _: KW_ONLY
    label: Says | None = None
    kind: Kind | None = None
    required: bool | None = None
    many: bool = False
    default: Any = None
    choices: Callable[[Session, Actor], Choices] | None = None
    rows: "Rows | None" = None
    shows: "str | Callable[[Any], Says | str]" = ""
    search: "tuple[str | Search, ...]" = ()
    through: Model | None = None
    create: "Form | None" = None
    help: Says | None = None


Fields = tuple[str | Input, ...]


@dataclass(frozen=True, kw_only=True)
class Asking(Declared):
    """What every form has. A table that wants more of its form declares a class of its own and overrides a hook.

    `fields` are names of the model's fields or `Input`s, in order. `needs` is the permission, `<table>.add` or
    `<table>.edit` unless given; a form within a form has to give it. `one_of` are groups of fields of which at
    least one is needed: they are marked, and the form says so before the service does.
    """

    fields: Fields
    title: Says
    needs: str = ""
    one_of: tuple[tuple[str, ...], ...] = ()

    def inputs(self, session: Session, actor: Actor, row: Any) -> Fields:  # noqa: ARG002
        """What this person is asked for; `row` is the one that is edited, None where one is added."""
        return self.fields

    def clean(self, session: Session, actor: Actor, values: dict[str, Any], row: Any) -> dict[str, Any]:  # noqa: ARG002
        """The values as the service takes them. Raises `Invalid` by field. Within the transaction that saves."""
        return values


@dataclass(frozen=True, kw_only=True)
class Form(Asking):
    """A dialog that adds a row: `?add`. `run` is the service, `done` turns what it returned into a sentence."""

    run: Add
    title: Says = says("Add")
    done: Callable[[Any], Says] | Says = says("Added.")


@dataclass(frozen=True, kw_only=True)
class EditForm(Asking):
    """A dialog that edits one row: `?edit=17`. It is saved by the table's `save`, with what changed only."""

    title: Says = says("Edit")


def as_inputs(fields: Fields) -> list[Input]:
    """The fields as inputs, in order."""
    return [one if isinstance(one, Input) else Input(one) for one in fields]


def by_name(form: Asking | None) -> Mapping[str, Input]:
    """The inputs that a form declares, by name."""
    return {one.name: one for one in as_inputs(form.fields)} if form is not None else {}
