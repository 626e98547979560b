"""Who is at risk in a class, and why: four rules over what is known of a student's days."""

from collections.abc import Sequence
from dataclasses import dataclass

from crm.domain.attendance import Figure, to_make_up
from crm.domain.scores import falling
from crm.domain.teaching import Attendance
from crm.i18n import Says, says, says_n


@dataclass(frozen=True, slots=True)
class Limits:
    """From when on somebody is at risk. `required` is the attendance in percent that a class asks for."""

    absences_in_a_row: int = 3
    missing_homework: int = 3
    falling_points: int = 10
    required: int = 80


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of one student in one class: marks of the days that were taken, and scores, both in day order.

    An absence that was made up is marked as present.
    A number is None where nothing is graded. `days_left` are days in the student's place that may still come to count,
    held or not; `complete` says that the class gets no further ones.
    """

    marks: Sequence[Attendance]
    numbers: Sequence[int | None]
    missing: int
    attended: Figure
    days_left: int
    complete: bool = True


def absent_in_a_row(marks: Sequence[Attendance]) -> int:
    """How many of the latest days were missed without a day in between. An excused day is passed over."""
    count = 0
    for mark in reversed(marks):
        if mark is Attendance.EXCUSED:
            continue
        if mark is not Attendance.ABSENT:
            break
        count += 1
    return count


def reasons(known: Known, limits: Limits) -> tuple[Says, ...]:
    """Why the student is at risk, the most urgent first; nothing for who is not."""
    found: list[Says] = []
    absent = absent_in_a_row(known.marks)
    if absent >= limits.absences_in_a_row:
        found.append(says_n("Absent {count} day in a row.", "Absent {count} days in a row.", count=absent))
    lacking = to_make_up(known.attended, known.days_left, limits.required) if known.attended.days else 0
    if lacking:
        found.append(_out_of_reach(known, lacking, limits.required))
    fall = falling(known.numbers, limits.falling_points)
    if fall is not None:
        found.append(
            says(
                "The average of the last three scores is {now}, of the three before {before}.",
                now=round(fall.now, 1),
                before=round(fall.before, 1),
            )
        )
    if known.missing >= limits.missing_homework:
        found.append(says_n("{count} homework missing.", "{count} homeworks missing.", count=known.missing))
    return tuple(found)


def _out_of_reach(known: Known, lacking: int, required: int) -> Says:
    """That attending all that is left does not suffice, and whether making up so many absences still would."""
    if lacking > known.marks.count(Attendance.ABSENT):
        if known.complete:
            return says("Cannot reach {required} % attendance any more.", required=required)
        return says("Cannot reach {required} % attendance on the days planned so far.", required=required)
    if known.complete:
        return says_n(
            "Reaches {required} % attendance only if {count} absence is made up.",
            "Reaches {required} % attendance only if {count} absences are made up.",
            count=lacking,
            required=required,
        )
    return says_n(
        "On the days planned so far, reaches {required} % attendance only if {count} absence is made up.",
        "On the days planned so far, reaches {required} % attendance only if {count} absences are made up.",
        count=lacking,
        required=required,
    )
