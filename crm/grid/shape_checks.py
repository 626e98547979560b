"""The shape of a declaration: each option is of the type that its class declares. Checked before anything else.

Read from the classes themselves, so an option that is added to one of them is checked from its first day.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import fields
from datetime import timedelta
from functools import cache
from types import UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from sqlalchemy import inspect
from sqlalchemy.exc import NoInspectionAvailable

from crm.grid.config import Rows, Search, TableConfig
from crm.grid.declared import Declared
from crm.grid.faults import Faults, meant
from crm.grid.fields import Model
from crm.grid.filters import Filter
from crm.grid.form_config import Form
from crm.i18n import Says

NAMES = {"Rows": Rows, "Search": Search, "Site": object, "Form": Form}
"""What a class's annotations name and its module cannot import."""
BY_THE_HOUSE = ("site", "day")
"""What no declaration gives."""
PLAIN: Mapping[Any, str] = {
    bool: "True or False",
    int: "a whole number",
    float: "a number",
    str: "a text",
    Says: "says(...)",
    timedelta: "a timedelta",
    Model: "a class of SQLModel with table=True",
}
IN_ITS_LANGUAGE = "Use says(...), so that everybody reads it in their language."


def misshapen(config: TableConfig) -> list[str]:
    """Every option that there is not, or that is not even of the right kind, beginning with the table's name."""
    return [f"{config.name}: {fault}" for fault in _shape("", config)]


def _shape(where: str, declared: Declared) -> Faults:
    """The faults of one declaration, then of those that stand in it."""
    mine = types_of(type(declared))
    for name in declared.strange:
        yield f"{where or type(declared).__name__} has no option {name!r}.{meant(name, mine) or ' Leave it out.'}"
    start = f"{where}." if where else ""
    for name, kind in mine.items():
        yield from _option(f"{start}{name}", getattr(declared, name), kind)


@cache
def types_of(kind: type) -> Mapping[str, Any]:
    """The types of its options, without those that a class of one's own adds."""
    known = next(one for one in kind.__mro__ if one.__module__.startswith("crm.grid."))
    hints = get_type_hints(known, localns=NAMES)
    return {one.name: hints[one.name] for one in fields(known) if one.name not in BY_THE_HOUSE}


def _option(where: str, value: Any, kind: Any) -> Faults:
    kinds = [one for one in _kinds(kind) if one is not type(None)]
    if value is None and len(kinds) < len(_kinds(kind)):
        return
    if not any(_is(value, one) for one in kinds):
        yield f"{where} is {_short(value)}. {_remedy(kinds)}"
    elif isinstance(value, Declared):
        yield from _shape(where, value)
    elif isinstance(value, tuple):
        inner = get_args(next(one for one in kinds if get_origin(one) is tuple))[0]
        for index, one in enumerate(value):
            yield from _option(f"{where}[{index}]", one, inner)


def _kinds(kind: Any) -> tuple[Any, ...]:
    return get_args(kind) if get_origin(kind) in (Union, UnionType) else (kind,)


def _is(value: Any, kind: Any) -> bool:
    if kind is Any:
        return True
    if get_origin(kind) is Literal:
        return isinstance(value, str)
    if get_origin(kind) is tuple:
        return isinstance(value, tuple)
    if kind == Model:
        return _mapped(value)
    if kind is float:
        return type(value) in (int, float)
    if kind in (bool, int):
        return type(value) is kind
    return callable(value) if _function(kind) else isinstance(value, kind)


def _function(kind: Any) -> bool:
    """Whether it is written as what a function takes and gives."""
    return get_origin(kind) is Callable or bool(getattr(kind, "_is_protocol", False))


def _mapped(value: Any) -> bool:
    try:
        return isinstance(value, type) and bool(inspect(value))
    except NoInspectionAvailable:
        return False


def _remedy(kinds: list[Any]) -> str:
    if kinds == [Says]:
        return IN_ITS_LANGUAGE
    if get_origin(kinds[0]) is Literal:
        return f"It is one of {', '.join(get_args(kinds[0]))}."
    return f"Give {', or '.join(_phrases(kinds))}."


def _phrases(kinds: list[Any]) -> Iterator[str]:
    for kind in kinds:
        if get_origin(kind) is tuple:
            yield "a tuple; a single one is written with a comma, (one,)"
        elif kind is str and len(kinds) > 1:
            yield "the name of a field"
        elif kind in PLAIN:
            yield PLAIN[kind]
        elif isinstance(kind, type) and issubclass(kind, Declared):
            yield _a("filter" if kind is Filter else kind.__name__)
        else:
            yield "a function"


def _short(value: Any) -> str:
    if callable(value) and not isinstance(value, type):
        return f"the function {value.__name__}" if hasattr(value, "__name__") else "a function"
    text = repr(value)
    return text if len(text) <= 40 else _a(type(value).__name__)


def _a(name: str) -> str:
    return f"{'an' if name[0] in 'AEIOU' else 'a'} {name}"
