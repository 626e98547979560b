"""What a person typed into the cells of a row, each read by its own check."""

from collections.abc import Callable, Mapping
from typing import Any

from crm.domain.normalise import Wrong
from crm.i18n import Says, says

Check = Callable[[Any], Any]
"""What was typed -> what the column holds. Raises `Wrong`."""
NOT_TYPED = says("This follows from the rules and cannot be typed in.")


def read_cells(checks: Mapping[str, Check], typed: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Says]]:
    """By field: the values ready for the columns, and of those that cannot be saved why not."""
    cells: dict[str, Any] = {}
    wrong: dict[str, Says] = {}
    for field, value in typed.items():
        if field not in checks:
            wrong[field] = NOT_TYPED
            continue
        try:
            cells[field] = checks[field](value)
        except Wrong as error:
            wrong[field] = error.says
    return cells, wrong
