"""The sentences of a wrong declaration: option, value and remedy. What several checks ask is asked here."""

import difflib
import inspect
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from crm.grid.config import TableConfig
from crm.grid.fields import Fact, Model, Unknown, facts, path

NAME = re.compile(r"[a-z][a-z0-9_-]*")
PERMISSION = re.compile(r"[a-z][a-z0-9_-]*\.[a-z][a-z0-9_-]*")

Faults = Iterator[str]


def known(where: str, name: str, model: Model) -> Faults:
    """The model has that field."""
    if name not in facts(model):
        yield f"{where} names {name!r}, which is not a field of {name_of(model)}.{meant(name, facts(model))}"


def reached(where: str, dotted: str, model: Model) -> tuple[Fact | None, list[str]]:
    """The field that the dotted name leads to, or why it leads nowhere."""
    try:
        return path(model, dotted).last, []
    except Unknown as unknown:
        if unknown.reason:
            return None, [
                f"{where} names {dotted!r}, but {unknown.field!r} of {name_of(unknown.model)} {unknown.reason}. "
                "Only foreign keys can be followed."
            ]
        near = meant(unknown.field, facts(unknown.model))
        return None, [f"{where} names {unknown.field!r}, which is not a field of {name_of(unknown.model)}.{near}"]


def labelled(config: TableConfig, where: str, name: str, label: Any) -> Faults:
    """It has a label, its own or the site's."""
    if label is None and config.site is not None and name not in config.site.words:
        yield f"{where} has no label. Give label=says(...), or give the Site a word for {name!r}."


def is_permission(where: str, value: str) -> Faults:
    """It reads like a permission."""
    if not PERMISSION.fullmatch(value):
        yield f"{where} is {value!r}. A permission reads page.action, such as 'books.edit'."


def one_of(where: str, value: str, known: Sequence[str]) -> Faults:
    """It is one of the known values."""
    if value not in known:
        yield f"{where} is {value!r}. It is one of {', '.join(known)}.{meant(value, known)}"


def twice(where: str, values: Sequence[Any]) -> Faults:
    """Nothing is there twice."""
    for value in dict.fromkeys(value for value in values if values.count(value) > 1):
        yield f"{where} has {value!r} twice. Keep one."


def takes(where: str, function: Callable[..., Any], count: int, arguments: str) -> Faults:
    """The function takes that many arguments."""
    try:
        inspect.signature(function).bind(*range(count))
    except TypeError:
        yield f"{where} is called with {arguments}, which it does not take. Change its arguments."
    except ValueError:
        return


def parameters(function: Callable[..., Any]) -> Sequence[str]:
    """The names of its parameters, as far as they can be known."""
    try:
        return list(inspect.signature(function).parameters)
    except (TypeError, ValueError):
        return ()


def meant(name: str, known: Iterable[str]) -> str:
    """The name that was meant, if one is near."""
    near = difflib.get_close_matches(name, list(known), n=1)
    return f" Did you mean {near[0]!r}?" if near else ""


def name_of(model: Model) -> str:
    """The model as a developer knows it."""
    return model.__name__
