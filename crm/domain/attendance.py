"""The one formula of attendance: which days count, what of them was missed, and whether the limit can still be reached.

- A day counts once a teacher confirmed it (*taken*), and while the student was in the class on it.
- An excused day leaves the denominator: it counts neither for nor against.
- Absent has missed the day. Late by more than so many minutes (a setting) has missed a part of it (a setting);
  late by less, or by minutes that nobody noted, has missed nothing.
- Who left early has missed the same part of the day as who came too late.
- An absence that was made up, on a day that was taken and by being there, has missed nothing.

All of it in whole hundredths of a day, so that Python and SQL cannot round differently.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from typing import NamedTuple

from crm.domain.marks import Mark
from crm.domain.teaching import Attendance
from crm.i18n import Says, says

WHOLE = 100
"""A day in hundredths."""

THERE = (Attendance.PRESENT, Attendance.LATE, Attendance.LEFT_EARLY)
"""Marks of who was there, so that a missed day can be made up by it."""


@dataclass(frozen=True, slots=True)
class Rule:
    """The numbers of the formula: late by more than `late_over` minutes has missed `part` hundredths of the day."""

    late_over: int = 15
    part: int = 50

    @property
    def words(self) -> Says:
        """The formula for the screen, to stand where a figure is shown."""
        return says(
            "Days attended of days that count. A day counts once it was confirmed and while in the class; excused days"
            " do not count. Late by more than {minutes} minutes, or left early: {part} % of the day missed. An absence"
            " that was made up is not missed.",
            minutes=self.late_over,
            part=self.part,
        )


class Attended(NamedTuple):
    """One student's day as the formula sees it. `made_up`: on another day, taken, by being there."""

    attendance: Attendance
    late_minutes: int | None = None
    taken: bool = True
    in_class: bool = True
    made_up: bool = False

    @property
    def default(self) -> bool:
        """Whether nobody has said anything of the day yet: it stands as it was made, and that is no evidence."""
        return self.attendance is Attendance.PRESENT and not self.taken

    @property
    def says(self) -> Says:
        """The mark for the screen, and that it was made up; of a default, that the day was not taken."""
        if self.default:
            return says("Not taken yet")
        mark = Mark(self.attendance, self.late_minutes).says
        return says("{mark}, made up", mark=mark) if self.made_up else mark


@dataclass(frozen=True, slots=True)
class Figure:
    """What the formula comes to: days that count, and hundredths of days missed of them."""

    days: int = 0
    missed: int = 0

    @property
    def share(self) -> float | None:
        """The part attended, 0 to 1; None where no day counts yet."""
        return 1 - self.missed / (WHOLE * self.days) if self.days else None

    @property
    def says(self) -> Says:
        """For the screen."""
        if self.share is None:
            return says("-")
        return says("{share} % ({attended} of {days})", share=percent(self), attended=self.attended, days=self.days)

    @property
    def attended(self) -> float:
        """The days that were attended, in whole hundredths."""
        return float(Fraction(WHOLE * self.days - self.missed, WHOLE))

    def __add__(self, other: "Figure") -> "Figure":
        return Figure(self.days + other.days, self.missed + other.missed)


def percent(figure: Figure) -> int | None:
    """The share in whole percent, rounded down so that nobody who is below a limit seems to have reached it."""
    return (WHOLE * figure.days - figure.missed) // figure.days if figure.days else None


def counts(day: Attended) -> bool:
    """Whether the day is in the denominator."""
    return day.taken and day.in_class and day.attendance is not Attendance.EXCUSED


def is_left(day: Attended) -> bool:
    """Whether the day may still come to count: it was not confirmed yet, be it held or to come, and is in the place."""
    return not day.taken and day.in_class


def missed(day: Attended, rule: Rule) -> int:
    """What of a day that counts was missed, in hundredths."""
    if day.attendance is Attendance.ABSENT:
        return 0 if day.made_up else WHOLE
    if day.attendance is Attendance.LEFT_EARLY:
        return rule.part
    if day.attendance is Attendance.LATE and (day.late_minutes or 0) > rule.late_over:
        return rule.part
    return 0


def counted(day: Attended, rule: Rule) -> Says:
    """What the day adds to a figure, for the screen beside its mark: so much of one day, or why it does not count."""
    if not day.in_class:
        return says("No: not in the class")
    if not day.taken:
        return says("No: not confirmed")
    if not counts(day):
        return says("No: excused")
    return says("{attended} of 1", attended=float(Fraction(WHOLE - missed(day, rule), WHOLE)))


def figure(days: Iterable[Attended], rule: Rule) -> Figure:
    """The formula over a student's days."""
    # Of years of days hardly two differ, so those that are alike are looked at once.
    counted = [(day, often) for day, often in Counter(days).items() if counts(day)]
    return Figure(sum(often for _day, often in counted), sum(often * missed(day, rule) for day, often in counted))


def to_make_up(so_far: Figure, days_left: int, required: int) -> int:
    """How many absences have to be made up to reach `required` percent, every day that is left attended in full.

    0: the share can be reached without. With no day at all, none counted and none left, there is nothing to miss.
    """
    days = so_far.days + days_left
    return max(0, -((WHOLE * days - so_far.missed - required * days) // WHOLE))
