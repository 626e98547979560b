"""What a person typed into the cells of a row, each read by its own check."""

from collections.abc import Callable, Mapping
from datetime import date, datetime
from typing import Any

from crm.domain.normalise import Wrong
from crm.i18n import Says, says

Check = Callable[[Any], Any]
"""What was typed -> what the column holds. Raises `Wrong`."""
NOT_TYPED = says("This follows from the rules and cannot be typed in.")
FIRST_DAY, LAST_DAY = date(2000, 1, 1), date(2199, 12, 31)
"""No school has a day before or after: a slip of the hand in the year is told, and no date leaves the calendar."""


def a_day(value: Any) -> date | None:
    """A date, a moment's, or the text of one; None where the cell is empty. Raises `Wrong`."""
    if value is None or value == "":
        return None
    try:
        found = value.date() if isinstance(value, datetime) else value
        # More exact than `fromisoformat`, which takes weeks and what follows a dot.
        day = found if isinstance(found, date) else datetime.strptime(str(found), "%Y-%m-%d").date()
    except ValueError:
        raise Wrong(says("Enter a date like 2025-03-31.")) from None
    if not FIRST_DAY <= day <= LAST_DAY:
        raise Wrong(says("Enter a date from {first} to {last}.", first=FIRST_DAY, last=LAST_DAY))
    return day


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
