"""The declaration of a table: frozen values with harmless defaults, checked when registered.

A declaration says what a table shows and what people may do with it, each with its permission beside it.
Nothing here runs SQL or draws.
"""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import KW_ONLY, dataclass, field, replace
from datetime import UTC, datetime, timedelta, tzinfo
from functools import cached_property, partial
from inspect import signature
from typing import TYPE_CHECKING, Any, Literal, Protocol

from sqlalchemy import Select
from sqlmodel import Session

from crm.errors import Told
from crm.grid.declared import Declared
from crm.grid.fields import Kind, Model, facts
from crm.grid.filters import Filter
from crm.grid.form_config import EditForm, Form, Input
from crm.i18n import Says, says, says_n
from crm.rbac import Actor

if TYPE_CHECKING:
    from crm.grid.site import Site

DELETING = "delete"
"""What the action is called that deletes, and the key of the address that asks for it."""

Match = Literal["contains", "prefix", "exact"]
Sessions = Callable[[], AbstractContextManager[Session]]
# (session, actor) -> Select, or (session, actor, now) for what time takes out of the list.
Rows = Callable[..., Select[Any]]
Tone = Literal["red", "orange", "yellow", "green", "blue", "violet", "gray", "primary"]
# (session, actor, rows) -> key -> why this person may not edit that row; or field -> why not, for some of its cells.
Locked = Callable[[Session, Actor, Sequence[Any]], Mapping[Any, Says | Mapping[str, Says]]]
Detail = Callable[[Actor, Any], None]
# (session, keys) -> key -> what people call that row.
Called = Callable[[Session, Sequence[Any]], Mapping[Any, Says | str]]
# (session, actor, keys, now, **params) -> key -> None or what is told of it where done, else why not.
# In the caller's transaction.
Run = Callable[..., Mapping[Any, Says | Told | None]]


class Save(Protocol):
    """Saves the changed fields of one row against the version seen; returns the new version.

    Raises `Conflict` (with `theirs`), `Invalid` (with `fields`), `NotAllowed`, `NotFound` or `Refused`.
    """

    def __call__(
        self, session: Session, actor: Actor, row_id: Any, version: int, changes: dict[str, Any], now: datetime, /
    ) -> int: ...


@dataclass(frozen=True)
class Search(Declared):
    """A field that the search box looks into; may be dotted through foreign keys.

    `contains` finds it anywhere, `prefix` at the beginning, `exact` whole only (an index helps).
    `tidy` makes of what was typed what is stored: `138 0013-8000` without the spaces.
    `index` makes `contains` fast on a large table: (session, text) -> a select of the keys of every row that
    contains the text and perhaps of some that do not, or None where the index cannot help. The keys are those of the
    table that the field is in: of a dotted one, what the last foreign key refers to.
    """

    field: str
    match: Match = "contains"
    tidy: Callable[[str], str] | None = None
    index: Callable[[Session, str], Select[Any] | None] | None = None


@dataclass(frozen=True)
class Column(Declared):
    """One column: a field of the model, or a computed one.

    `edit` and `see` are permissions: who may edit it in place, and who may see it at all (the table's own
    `view` unless given; a column that somebody may not see never reaches the browser).
    `kind` is inferred from the model; give it for `money` (whole cents) or where a computed column is no text.
    `value` computes the cell from (row, now); `look_up` computes a page at once,
    (session, rows, now) -> key -> value, for what lives in other tables. `show` turns a value into the text shown.
    `shows` is the field of the related row that names it, `choose` narrows the related rows offered.
    `order` is the SQL expression that the database sorts a computed column by.
    `width` is in pixels. `pinned` stays on the left, and cannot be hidden. `hidden` is left out until the person asks
    for it.
    A name with dots, `shelf_code.name`, is a field of a related row, read for the page at once and never edited here.
    Where the person cannot edit the cell, `tone` makes it a badge: value -> a colour, None for a plain one;
    `progress` makes it a bar that is full at this number; `link`, (row) -> address, makes it a link.
    """

    name: str
    _: KW_ONLY
    label: Says | None = None
    edit: str | None = None
    see: str | None = None
    kind: Kind | None = None
    value: Callable[[Any, datetime], Any] | None = None
    look_up: Callable[[Session, Sequence[Any], datetime], Mapping[Any, Any]] | None = None
    show: Callable[[Any], Says | str] | None = None
    shows: str = "name"
    choose: Rows | None = None
    help: Says | None = None
    width: int = 0
    pinned: bool = False
    hidden: bool = False
    sortable: bool | None = None
    order: Any = None
    tone: Callable[[Any], Tone | None] | None = None
    progress: float | None = None
    link: Callable[[Any], str | None] | None = None

    @property
    def computed(self) -> bool:
        """Whether the column is computed: it cannot be edited, and sorted only by its `order`."""
        return self.value is not None or self.look_up is not None

    @property
    def related(self) -> bool:
        """Whether the column is a field of a related row."""
        return "." in self.name and not self.computed


@dataclass(frozen=True)
class Action(Declared):
    """Something to do with ticked rows, or with all that match. `needs` is its permission.

    `run` gets some thousand keys at most at a time, in the caller's transaction, and answers for each.
    `confirm` is a question that may hold {count}; what is chosen is shown before it runs either way.
    `params` are asked for before it runs. `done` is said of what was done and may hold {count}.
    `verb` is on the button that does it, where the label is no verb ("Assign" of "Assign to...").
    `undo` takes it back, right after it; `undone` is said of that.
    `each` puts a button on every row too, for what is done to one row at a time with a single click.
    `on_record` offers it on an opened record too, where the table's rows can be opened and it is no row's button.
    `as_seen` hands `run` the versions that the person saw too, `seen=` key -> version: rows that changed are refused.
    """

    name: str
    label: Says
    _: KW_ONLY
    run: Run
    needs: str
    confirm: Says | None = None
    params: tuple[Input, ...] = ()
    done: Says = says("Done: {count}.")
    verb: Says | None = None
    undo: Run | None = None
    undone: Says = says("Taken back: {count}.")
    icon: str | None = None
    each: bool = False
    on_record: bool = True
    as_seen: bool = False


@dataclass(frozen=True, kw_only=True)
class Delete(Declared):
    """How rows are deleted: ticked ones, all that match, an opened one, and the one that `?delete=17` names.

    `run` and `undo` are called as an action's are; `undo` has to work for as long as `recoverable` says.
    `needs` is the permission, `<table>.delete` unless given. `confirm` may hold {count}, and {days} of `recoverable`.
    """

    run: Run
    undo: Run
    needs: str = ""
    recoverable: timedelta = timedelta(days=30)
    confirm: Says = says_n(
        "Delete {count} row? It can be brought back for {days} days.",
        "Delete {count} rows? They can be brought back for {days} days.",
        count=0,
        days=0,
    )
    label: Says = says("Delete")
    done: Says = says("{count} deleted.")
    undone: Says = says("Brought back: {count}.")
    icon: str | None = ":material/delete:"

    @cached_property
    def action(self) -> Action:
        """The same as an action: what is drawn, asked and accounted for is that of any other."""
        days = tuple(("days", self.recoverable.days) if name == "days" else (name, value)
                     for name, value in self.confirm.values)  # fmt: skip
        return Action(
            DELETING,
            self.label,
            run=self.run,
            needs=self.needs,
            confirm=replace(self.confirm, values=days),
            done=self.done,
            undo=self.undo,
            undone=self.undone,
            icon=self.icon,
        )


@dataclass(frozen=True, kw_only=True)
class TableConfig(Declared):
    """A table of the product. Everything but the first five has a default that does no harm.

    Registered, it has a list, and where declared `add`, `edit` and `delete`, with addresses of one pattern and, unless
    others are given, permissions of one: `<name>.view`, `<name>.add`, `<name>.edit`, `<name>.delete`.

    `rows` gives the select of model rows that the actor may see, (session, actor) or, for what time takes out
    of the list, (session, actor, now); everything else narrows it.
    `sort` is a field, with "-" for descending. `sorts` are the columns that people may sort by: on a large table
    those that an index carries (None: the model's own plain fields, and what has an `order`). `page_sizes` begins with
    the default. `begins` is what an address that narrows nothing is narrowed to, as one writes it: `held_on=..today`.
    `detail`, (actor, id) -> None, draws the record that `?open=ID` names.
    `cap` bounds the count: beyond it the table says "1,000+".
    `called` names rows where none of their own plain texts does: it is asked of rows that the actor may see.
    `export` is the permission to take what matches home as a file; without one nobody can.
    `share` is the permission to show a view that one keeps to everybody who may open the table; without one nobody can.
    `locked` says which of these rows, or which of their cells, the actor may not edit, and why: the list marks them,
    nothing of them is saved, and `save` has to refuse them by the same rule.
    """

    name: str
    model: Model
    title: Says
    rows: Rows
    columns: tuple[Column, ...]
    view: str = ""
    search: tuple[str | Search, ...] = ()
    filters: tuple[Filter, ...] = ()
    sort: str = ""
    sorts: tuple[str, ...] | None = None
    page_sizes: tuple[int, ...] = (50, 20, 100, 200)
    begins: str = ""
    save: Save | None = None
    locked: Locked | None = None
    add: Form | None = None
    edit: EditForm | None = None
    delete: Delete | None = None
    actions: tuple[Action, ...] = ()
    detail: Detail | None = None
    called: Called | None = None
    export: str = ""
    share: str = ""
    empty: Says = says("Nothing here yet.")
    key: str = "id"
    version: str = "version"
    cap: int = 1_000
    prefix: str = ""
    site: "Site | None" = field(default=None, compare=False, repr=False)

    @property
    def permission(self) -> str:
        """Who may see the table at all."""
        return self.view or f"{self.name}.view"

    @property
    def doings(self) -> tuple[Action, ...]:
        """Everything that can be done with rows: the actions, and deleting where that is declared."""
        return self.actions if self.delete is None else (*self.actions, self.delete.action)

    @property
    def order(self) -> str:
        """The order unless the person chose another."""
        return self.sort or f"-{self.key}"

    def at(self, now: datetime, zone: tzinfo = UTC) -> "TableConfig":
        """The same as of `now` (aware): its rows, where they depend on it, and what `today` is in that zone."""
        rows = self.rows.func if isinstance(self.rows, partial) else self.rows
        timed = partial(rows, now=now) if "now" in signature(rows).parameters else self.rows
        return replace(self, rows=timed, filters=tuple(one.on(now.astimezone(zone).date()) for one in self.filters))

    def column(self, name: str) -> Column:
        """The column of that name. Raises `KeyError`."""
        for column in self.columns:
            if column.name == name:
                return column
        raise KeyError(name)

    def label(self, name: str, label: Says | None = None) -> Says:
        """The label of a field: the one declared, else the site's word for it."""
        words = self.site.words if self.site else {}
        return label or words.get(name) or says("{text}", text=name)

    def called_in_head(self, field: str) -> Says:
        """What people know a field by, which may be dotted: its column's label, or of a column that names its rows.

        Where no column shows it, the word for the field that leads to it.
        """
        parent, _dot, last = field.rpartition(".")
        for column in self.columns:
            if column.name == field or (parent and column.name == parent and column.shows == last):
                return self.label(column.name, column.label)
        return self.label(field.split(".")[0])

    def sortable(self, column: Column) -> bool:
        """Whether people may sort by it: the model's own plain fields, unless declared."""
        if self.sorts is not None:
            return column.name in self.sorts
        if column.sortable is not None:
            return column.sortable
        if column.order is not None:
            return True
        known = facts(self.model).get(column.name)
        return not column.computed and known is not None and known.kind not in ("relation", "long")
