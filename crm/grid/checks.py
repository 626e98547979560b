"""Checks of a declaration. Each fault names table, option, value and remedy; all are returned at once.

For developers, at import, so in English only.
"""

import difflib
import inspect
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, get_args

from crm.grid.config import Action, Column, EditForm, Form, Input, Match, Search, TableConfig
from crm.grid.fields import KINDS, Fact, Model, Unknown, facts, path
from crm.grid.filters import AnyOf, DateRange, Filter, NumberRange, Related
from crm.grid.view import OWN_KEYS
from crm.i18n import Says

NAME = re.compile(r"[a-z][a-z0-9_-]*")
PERMISSION = re.compile(r"[a-z][a-z0-9_-]*\.[a-z][a-z0-9_-]*")
NUMBERS = ("number", "decimal", "money")
MOST_ROWS = 1000

Faults = Iterator[str]


def check(config: TableConfig) -> list[str]:
    """Every fault of the declaration, one sentence each, beginning with the table's name."""
    parts = (_table(config), _columns(config), _search(config), _filters(config), _forms(config), _actions(config))
    return [f"{config.name}: {fault}" for part in parts for fault in part]


def _table(config: TableConfig) -> Faults:
    fields = facts(config.model)
    if not NAME.fullmatch(config.name):
        yield f"name is {config.name!r}. Use small letters, digits and hyphens, as in an address."
    for option in ("title", "empty"):
        yield from _says(option, getattr(config, option))
    if config.view:
        yield from _permission("view", config.view)
    yield from _known("key", config.key, config.model)
    if config.save is not None:
        yield from _known("version", config.version, config.model)
    name = config.order.removeprefix("-")
    ordered = {column.name: column.order for column in config.columns}
    if name not in fields and name in ordered and ordered[name] is None:
        yield f"sort names {name!r}, which is computed. The database sorts, so name a field of {_of(config.model)}."
    elif ordered.get(name) is None:
        yield from _known("sort", name, config.model)
    if not config.page_sizes:
        yield "page_sizes is empty. Give at least one, the default first."
    for index, size in enumerate(config.page_sizes):
        if not 1 <= size <= MOST_ROWS:
            yield f"page_sizes[{index}] is {size}. A page has 1 to {MOST_ROWS} rows."
    yield from _twice("page_sizes", config.page_sizes)
    if config.cap < 1:
        yield f"cap is {config.cap}. Count at least 1 row."
    if config.prefix and not NAME.fullmatch(config.prefix):
        yield f"prefix is {config.prefix!r}. Use small letters, digits, hyphens and underscores."
    timed = callable(config.rows) and "now" in _parameters(config.rows)
    yield from _takes("rows", config.rows, 3 if timed else 2, "(session, actor) or (session, actor, now)")
    if config.export:
        yield from _permission("export", config.export)


def _columns(config: TableConfig) -> Faults:
    if not config.columns:
        yield "columns is empty. Declare at least one Column."
    yield from _twice("columns", [column.name for column in config.columns])
    for index, column in enumerate(config.columns):
        where = f"columns[{index}]"
        fact = facts(config.model).get(column.name)
        if not column.computed:
            for fault in _known(where, column.name, config.model):
                yield f"{fault} A computed column needs value= or look_up=."
        if fact is not None or column.computed:
            yield from _labelled(config, f"{where} {column.name!r}", column.name, column.label)
        yield from _column(config, where, column, fact)


def _column(config: TableConfig, where: str, column: Column, fact: Fact | None) -> Faults:
    if column.value is not None and column.look_up is not None:
        yield f"{where} {column.name!r} has both value and look_up. Keep one."
    if column.value is not None:
        yield from _takes(f"{where}.value", column.value, 2, "(row, now)")
    if column.look_up is not None:
        yield from _takes(f"{where}.look_up", column.look_up, 3, "(session, rows, now)")
    for option in ("edit", "see"):
        if getattr(column, option) is not None:
            yield from _permission(f"{where}.{option}", getattr(column, option))
    if column.edit is not None:
        if column.computed:
            yield f"{where} {column.name!r} is computed, so it cannot have edit. Leave edit out."
        elif column.name in (config.key, config.version):
            yield f"{where} {column.name!r} is the table's key or version, which nobody edits. Leave edit out."
        elif config.save is None:
            yield f"{where} {column.name!r} has edit, but the table has no save. Give save=, or leave edit out."
    if column.kind is not None:
        yield from _one_of(f"{where}.kind", column.kind, KINDS)
        if column.kind != "money" and fact is not None and not column.computed and column.kind != fact.kind:
            yield f"{where} {column.name!r} is {column.kind}, but the field is {fact.kind}. Leave kind out."
        if column.kind == "money" and fact is not None and fact.kind != "number":
            yield f"{where} {column.name!r} is money, but the field is no whole number. Keep cents in an int."
    if column.sortable and column.order is None and (column.computed or fact is None):
        yield f"{where} {column.name!r} is computed, so it cannot be sortable. Leave sortable out."
    if fact is not None and fact.target is not None and not column.computed:
        yield from _known(f"{where}.shows", column.shows, fact.target[0])


def _search(config: TableConfig) -> Faults:
    for index, declared in enumerate(config.search):
        one = declared if isinstance(declared, Search) else Search(declared)
        fact, faults = _reached(f"search[{index}]", one.field, config.model)
        yield from faults
        yield from _one_of(f"search[{index}].match", one.match, get_args(Match))
        if fact is not None and fact.kind not in ("text", "long") and one.match != "exact":
            yield (
                f"search[{index}] names {one.field!r}, which is no text, so only the whole of it can be found. "
                f"Use Search({one.field!r}, match='exact')."
            )
        if fact is not None:
            yield from _labelled(config, f"search[{index}] {one.field!r}", one.field.split(".")[0], None)


def _filters(config: TableConfig) -> Faults:
    yield from _twice("filters", [one.name for one in config.filters])
    for index, one in enumerate(config.filters):
        where = f"filters[{index}]"
        if one.name in OWN_KEYS:
            yield f"{where} is named {one.name!r}, which the address keeps for itself. Rename it and give field=."
        fact, faults = _reached(where, one.source, config.model)
        yield from faults
        if fact is not None:
            yield from _fits(where, one, fact)
            yield from _labelled(config, f"{where} {one.name!r}", one.name, one.label)


def _fits(where: str, one: Filter, fact: Fact) -> Faults:
    if isinstance(one, AnyOf):
        if fact.kind not in ("choice", "yes_no") and one.choices is None:
            yield f"{where} {one.name!r} has no choices of its own in the model. Give choices=(session, actor) -> dict."
        if one.choices is not None:
            yield from _takes(f"{where}.choices", one.choices, 2, "(session, actor)")
    elif isinstance(one, Related):
        if fact.target is None:
            yield f"{where} names {one.source!r}, which is no foreign key. Name one, or use AnyOf."
        else:
            yield from _known(f"{where}.shows", one.shows, fact.target[0])
    elif isinstance(one, DateRange) and fact.kind not in ("date", "moment"):
        yield f"{where} names {one.source!r}, which is neither a date nor a moment. Use another filter."
    elif isinstance(one, NumberRange) and fact.kind not in NUMBERS:
        yield f"{where} names {one.source!r}, which is no number. Use another filter."


def _forms(config: TableConfig) -> Faults:
    for option, form in (("add", config.add), ("edit", config.edit)):
        if form is None:
            continue
        yield from _says(f"{option}.title", form.title)
        yield from _permission(f"{option}.needs", form.needs)
        yield from _inputs(config, f"{option}.fields", form)
        if isinstance(form, EditForm) and config.save is None:
            yield "edit is given, but the table has no save. Give save=, or leave edit out."


def _inputs(config: TableConfig, where: str, form: Form | EditForm) -> Faults:
    if not form.fields:
        yield f"{where} is empty. Name at least one field."
    made = [one if isinstance(one, Input) else Input(one) for one in form.fields]
    yield from _twice(where, [one.name for one in made])
    for index, one in enumerate(made):
        if one.name in (config.key, config.version):
            yield f"{where}[{index}] is the table's key or version, which nobody types. Leave it out."
        yield from _input(config, f"{where}[{index}]", one, known=True)


def _input(config: TableConfig, where: str, one: Input, *, known: bool) -> Faults:
    fact = facts(config.model).get(one.name)
    if known and fact is None and one.kind is None and one.choices is None:
        for fault in _known(where, one.name, config.model):
            yield f"{fault} For an input of your own give kind= or choices=."
        return
    if one.kind is not None:
        yield from _one_of(f"{where}.kind", one.kind, KINDS)
    if one.kind in ("choice", "relation") and fact is None and one.choices is None:
        yield f"{where} {one.name!r} is a {one.kind} without choices. Give choices=(session, actor) -> dict."
    if one.choices is not None:
        yield from _takes(f"{where}.choices", one.choices, 2, "(session, actor)")
    yield from _labelled(config, f"{where} {one.name!r}", one.name, one.label)


def _actions(config: TableConfig) -> Faults:
    yield from _twice("actions", [action.name for action in config.actions])
    for index, action in enumerate(config.actions):
        yield from _action(config, f"actions[{index}]", action)


def _action(config: TableConfig, where: str, action: Action) -> Faults:
    if not NAME.fullmatch(action.name):
        yield f"{where} is named {action.name!r}. Use small letters, digits and hyphens."
    yield from _permission(f"{where}.needs", action.needs)
    for option in ("label", "done", "confirm"):
        value = getattr(action, option)
        if value is not None:
            yield from _says(f"{where}.{option}", value)
    yield from _twice(f"{where}.params", [one.name for one in action.params])
    for number, one in enumerate(action.params):
        yield from _input(config, f"{where}.params[{number}]", one, known=False)


def _known(where: str, name: str, model: Model) -> Faults:
    if name not in facts(model):
        yield f"{where} names {name!r}, which is not a field of {_of(model)}.{_meant(name, facts(model))}"


def _reached(where: str, dotted: str, model: Model) -> tuple[Fact | None, list[str]]:
    try:
        return path(model, dotted).last, []
    except Unknown as unknown:
        if unknown.reason:
            return None, [
                f"{where} names {dotted!r}, but {unknown.field!r} of {_of(unknown.model)} {unknown.reason}. "
                "Only foreign keys can be followed."
            ]
        near = _meant(unknown.field, facts(unknown.model))
        return None, [f"{where} names {unknown.field!r}, which is not a field of {_of(unknown.model)}.{near}"]


def _labelled(config: TableConfig, where: str, name: str, label: Any) -> Faults:
    if label is not None:
        yield from _says(f"{where} label", label)
    elif config.site is not None and name not in config.site.words:
        yield f"{where} has no label. Give label=says(...), or give the Site a word for {name!r}."


def _says(where: str, value: Any) -> Faults:
    if not isinstance(value, Says):
        yield f"{where} is {value!r}. Use says(...), so that everybody reads it in their language."


def _permission(where: str, value: str) -> Faults:
    if not PERMISSION.fullmatch(value):
        yield f"{where} is {value!r}. A permission reads page.action, such as 'customers.edit'."


def _one_of(where: str, value: str, known: Sequence[str]) -> Faults:
    if value not in known:
        yield f"{where} is {value!r}. It is one of {', '.join(known)}.{_meant(value, known)}"


def _twice(where: str, values: Sequence[Any]) -> Faults:
    for value in dict.fromkeys(value for value in values if values.count(value) > 1):
        yield f"{where} has {value!r} twice. Keep one."


def _takes(where: str, function: Callable[..., Any], count: int, arguments: str) -> Faults:
    try:
        inspect.signature(function).bind(*range(count))
    except TypeError:
        yield f"{where} is called with {arguments}, which it does not take. Change its arguments."
    except ValueError:
        return


def _parameters(function: Callable[..., Any]) -> Sequence[str]:
    try:
        return list(inspect.signature(function).parameters)
    except (TypeError, ValueError):
        return ()


def _meant(name: str, known: Iterable[str]) -> str:
    near = difflib.get_close_matches(name, list(known), n=1)
    return f" Did you mean {near[0]!r}?" if near else ""


def _of(model: Model) -> str:
    return model.__name__
