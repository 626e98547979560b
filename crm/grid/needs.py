"""Which permissions a table's declaration names, and which of them nobody declared."""

from collections.abc import Iterator

from crm.errors import Misconfigured
from crm.grid.config import TableConfig
from crm.rbac import Catalogue


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
    if config.add is not None:
        yield "add.needs", config.add.needs
    if config.edit is not None:
        yield "edit.needs", config.edit.needs
    for index, action in enumerate(config.actions):
        yield f"actions[{index}].needs", action.needs


def undeclared(config: TableConfig, pages: Catalogue) -> Iterator[str]:
    """A fault for each that nobody can be granted, with the nearest one that can."""
    for option, permission in needed(config):
        try:
            pages.check(permission)
        except Misconfigured as error:
            yield f"{config.name}: {option} is {permission!r}. {error}"
