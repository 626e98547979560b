"""A mark of attendance as somebody sets it, checked: one of the five, and minutes where somebody was late."""

from typing import Any, NamedTuple

from crm.domain.normalise import Wrong
from crm.domain.teaching import Attendance
from crm.errors import Invalid
from crm.i18n import Says, says

LONGEST = 1440


class Mark(NamedTuple):
    """How somebody was there; `minutes` only of who was late, where they were noted."""

    attendance: Attendance
    minutes: int | None = None

    @property
    def says(self) -> Says:
        """For the screen."""
        if self.minutes is None:
            return self.attendance.label
        return says("{attendance}, {minutes} min", attendance=self.attendance.label, minutes=self.minutes)


def read_mark(attendance: Any, minutes: Any = None) -> Mark:
    """The mark. Raises `Invalid` by field for a value that is none, and for minutes of who was not late."""
    by_value: dict[str, Attendance] = {each.value: each for each in Attendance}
    found = by_value.get(str(getattr(attendance, "value", attendance)))
    if found is None:
        raise Invalid.of({"attendance": says("{value} is not one of the choices.", value=str(attendance)[:40])})
    try:
        number = _minutes(minutes)
    except Wrong as wrong:
        raise Invalid.of({"late_minutes": wrong.says}) from None
    if number is not None and found is not Attendance.LATE:
        raise Invalid.of({"late_minutes": says("Minutes are for who was late.")})
    return Mark(found, number)


def _minutes(value: Any) -> int | None:
    if value is None or value == "":
        return None
    try:
        number = int(value)
        exact = not isinstance(value, bool) and number == float(value)
    except (TypeError, ValueError, OverflowError):
        exact = False
    if not exact or not 1 <= number <= LONGEST:
        raise Wrong(says("Enter a whole number from 1 to {most}.", most=LONGEST))
    return number
