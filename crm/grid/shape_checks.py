"""The shape of a declaration: each option is of the kind that the others are checked as. Checked before them."""

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from sqlalchemy import inspect
from sqlalchemy.exc import NoInspectionAvailable

from crm.grid.config import Action, Column, Search, TableConfig
from crm.grid.faults import Faults
from crm.grid.filters import Filter

LISTS: Mapping[str, tuple[tuple[type, ...], str]] = {
    "columns": ((Column,), "a Column"),
    "search": ((str, Search), "the name of a field, or a Search"),
    "filters": ((Filter,), "a filter"),
    "actions": ((Action,), "an Action"),
    "page_sizes": ((int,), "a whole number"),
}
PLAIN: Mapping[Any, str] = {bool: "True or False", int: "a whole number", str: "a text"}


def check_shapes(config: TableConfig) -> Faults:
    """Every option that is not even of the right kind."""
    try:
        inspect(config.model)
    except NoInspectionAvailable:
        yield f"model is {_short(config.model)}. Give a class of SQLModel with table=True."
    yield from _plain("", config)
    for option in ("rows", "save", "detail", "called", "locked"):
        value = getattr(config, option)
        if value is not None and not callable(value):
            yield f"{option} is {_short(value)}. Give a function."
    for option, (kinds, wanted) in LISTS.items():
        value = getattr(config, option)
        if not isinstance(value, tuple):
            yield f"{option} is {_short(value)}. Give a tuple; a single one is written with a comma, (one,)."
            continue
        for index, one in enumerate(value):
            if not isinstance(one, kinds):
                yield f"{option}[{index}] is {_short(one)}. Give {wanted}."
            elif not isinstance(one, int | str):
                yield from _plain(f"{option}[{index}].", one)
                yield from _functions(f"{option}[{index}].", one)


def _plain(where: str, declared: Any) -> Faults:
    """Its options that are numbers, texts, or yes and no."""
    for one in fields(declared):
        value = getattr(declared, one.name)
        if one.type in PLAIN and type(value) is not one.type:
            yield f"{where}{one.name} is {_short(value)}. Give {PLAIN[one.type]}."


def _functions(where: str, declared: Any) -> Faults:
    """Its options that are functions."""
    for option in ("value", "look_up", "show", "choose", "tone", "link", "tidy", "run", "undo", "choices"):
        value = getattr(declared, option, None)
        if value is not None and not callable(value):
            yield f"{where}{option} is {_short(value)}. Give a function."


def _short(value: Any) -> str:
    if callable(value) and not isinstance(value, type):
        return f"the function {value.__name__}" if hasattr(value, "__name__") else "a function"
    text = repr(value)
    return text if len(text) <= 40 else f"a {type(value).__name__}"
