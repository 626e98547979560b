"""Checks of a declaration. Each fault names table, option, value and remedy; all are returned at once."""

from crm.grid.config import TableConfig


def check(config: TableConfig) -> list[str]:
    """Every fault of the declaration, one sentence each. None: an empty list."""
    return [] if config.columns else [f"{config.name}: columns is empty. Declare at least one Column."]
