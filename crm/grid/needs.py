"""Which permissions a table's declaration names, and which of them nobody declared."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from crm.errors import Misconfigured
from crm.grid.config import TableConfig
from crm.grid.form_config import Asking, Input
from crm.rbac import Catalogue


def completed(config: TableConfig) -> TableConfig:
    """The declaration with the table's own permission wherever adding, editing or deleting names no other."""
    own: dict[str, Any] = {
        option: replace(declared, needs=f"{config.name}.{option}")
        for option, declared in (("add", config.add), ("edit", config.edit), ("delete", config.delete))
        if declared is not None and not declared.needs
    }
    return replace(config, **own) if own else config


def needed(config: TableConfig) -> Iterator[tuple[str, str]]:
    """Every option of the declaration that holds a permission, with what it holds."""
    yield "view", config.permission
    for option in ("export", "share"):
        if getattr(config, option):
            yield option, getattr(config, option)
    for index, column in enumerate(config.columns):
        for option, permission in (("edit", column.edit), ("see", column.see)):
            if permission is not None:
                yield f"columns[{index}].{option}", permission
    for option, form in (("add", config.add), ("edit", config.edit)):
        if form is not None:
            yield from _of_form(option, form)
    if config.delete is not None:
        yield "delete.needs", config.delete.needs
    for index, action in enumerate(config.actions):
        yield f"actions[{index}].needs", action.needs
        yield from _of_inputs(f"actions[{index}].params", action.params)


def _of_form(where: str, form: Asking) -> Iterator[tuple[str, str]]:
    """What a form needs, and each form that it opens in its turn."""
    yield f"{where}.needs", form.needs
    yield from _of_inputs(f"{where}.fields", form.fields)


def _of_inputs(where: str, inputs: tuple[str | Input, ...]) -> Iterator[tuple[str, str]]:
    for index, one in enumerate(inputs):
        if isinstance(one, Input) and one.create is not None:
            yield from _of_form(f"{where}[{index}].create", one.create)


def undeclared(config: TableConfig, pages: Catalogue) -> Iterator[str]:
    """A fault for each that nobody can be granted, with the nearest one that can."""
    for option, permission in needed(config):
        try:
            pages.check(permission)
        except Misconfigured as error:
            yield f"{config.name}: {option} is {permission!r}. {error}"
