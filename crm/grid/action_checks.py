"""Checks of declared actions. Like the others: for developers, at import, in English only."""

import inspect
import re
from datetime import timedelta

from crm.grid.config import DELETING, Action, Delete, TableConfig
from crm.grid.faults import NAME, Faults, is_permission, twice
from crm.grid.form_checks import check_input

ICON = re.compile(r":material/[a-z0-9_]+:")
KEYS = ("session", "actor", "keys", "now")


def check_actions(config: TableConfig) -> Faults:
    """Every fault of the actions."""
    yield from twice("actions", [action.name for action in config.actions])
    for index, action in enumerate(config.actions):
        yield from _action(config, f"actions[{index}]", action)
        if action.name == DELETING and config.delete is not None:
            yield f"actions[{index}] is named {DELETING!r}, as what delete declares. Keep one of the two."
    if config.delete is not None:
        yield from _delete(config.delete)


def _delete(delete: Delete) -> Faults:
    yield from is_permission("delete.needs", delete.needs)
    yield from _called("delete.run", delete.run, [])
    yield from _called("delete.undo", delete.undo, [])
    yield from _icon("delete", delete.icon)
    if delete.recoverable < timedelta(days=1):
        yield f"delete.recoverable is {delete.recoverable}. Give a day or more in which it can be brought back."


def _action(config: TableConfig, where: str, action: Action) -> Faults:
    if not NAME.fullmatch(action.name):
        yield f"{where} is named {action.name!r}. Use small letters, digits and hyphens."
    yield from is_permission(f"{where}.needs", action.needs)
    yield from _icon(where, action.icon)
    names = [one.name for one in action.params]
    yield from _called(f"{where}.run", action.run, [*names, *(["seen"] if action.as_seen else [])])
    if action.undo is not None:
        yield from _called(f"{where}.undo", action.undo, [])
    yield from twice(f"{where}.params", names)
    for number, one in enumerate(action.params):
        yield from check_input(config, f"{where}.params[{number}]", one, of_model=False)


def _icon(where: str, icon: str | None) -> Faults:
    if icon is not None and not ICON.fullmatch(icon):
        yield f"{where}.icon is {icon!r}. Name a Material icon, such as ':material/delete:'."


def _called(where: str, function: object, params: list[str]) -> Faults:
    """The service takes what the grid calls it with: the keys by place, the parameters by name."""
    try:
        inspect.signature(function).bind(*KEYS, **dict.fromkeys(params))  # type: ignore[arg-type]
    except TypeError:
        named = "".join(f", {name}=" for name in dict.fromkeys(params))
        yield f"{where} is called with ({', '.join(KEYS)}{named}), which it does not take. Change its arguments."
    except ValueError:
        return
