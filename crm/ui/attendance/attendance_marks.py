"""How attendance is drawn in small: a sign a day, pale where it counts nowhere, and the way to the records."""

from collections.abc import Sequence

from crm.domain.attendance import Attended
from crm.domain.teaching import Attendance
from crm.i18n import _

SIGNS = {
    Attendance.PRESENT: "✓",
    Attendance.EXCUSED: "E",
    Attendance.LATE: "L",
    Attendance.ABSENT: "✗",
    Attendance.LEFT_EARLY: "◐",
}
MADE_UP = "↺"
NOT_TAKEN = "–"


def legend(days: Sequence[Attended]) -> str:
    """What the signs mean that were used, and the pale ones."""
    used = {day.attendance for day in days if not day.default}
    signs = [f"{sign} {mark.label}" for mark, sign in SIGNS.items() if mark in used]
    if any(day.made_up for day in days):
        signs.append(MADE_UP + " " + _("made up"))
    if any(day.default for day in days):
        signs.append(NOT_TAKEN + " " + _("Not taken yet"))
    if any(pale(day) for day in days):
        signs.append(_("Pale: not confirmed, or not in the class on that day, so it does not count."))
    return " · ".join(signs)


def rows_of(student_id: int, class_id: int) -> str:
    """The address of the records that a student's figure of attendance in a class is made of, the latest day first."""
    return f"/attendance?tab=records&r_sort=-held_on&r_student={student_id}&r_class={class_id}"


def pale(day: Attended) -> bool:
    """Whether it counts nowhere, whatever the mark is."""
    return not (day.taken and day.in_class)


def sign(day: Attended) -> str:
    """The mark as a sign, and another behind it where the day was made up; a default says nothing yet."""
    if day.default:
        return NOT_TAKEN
    return f"{SIGNS[day.attendance]}{MADE_UP if day.made_up else ''}"
