"""A class's gradebook: students by days, read with one query for all cells, and figures over it."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import String, case, func, select, type_coerce
from sqlmodel import Session, col

from crm.domain.calendar import day_of
from crm.domain.customers import Customer
from crm.domain.scores import ENOUGH, LETTERS, NONE, Score, average, in_effect, letter_of, median
from crm.domain.students import Student
from crm.domain.teaching import CourseRecord, ScoreState, StudyRecord
from crm.i18n import Says
from crm.rbac import Actor
from crm.services.classes import class_names
from crm.services.classes.class_scopes import CLASSES
from crm.services.scores.gradebook_scopes import COUNTS, IN_ORDER, VIEW, Day, days
from crm.services.students.student_names import told_apart
from crm.settings import settings


class Pupil(NamedTuple):
    """A student of the class, by the number and the name that sheets carry; `customer_id` tells apart who share one."""

    id: int
    name: str
    customer_id: int


@dataclass(frozen=True, slots=True)
class Book:
    """Students in the order of their names, days in the order of the calendar, and by (student, day) what stands there.

    A state is how the homework stands today. Whoever was not in the class on a day has no cell there.
    """

    class_id: int
    days: tuple[Day, ...]
    pupils: tuple[Pupil, ...]
    cells: Mapping[tuple[int, int], Score]

    def names(self) -> list[str]:
        """What the students are called where no number stands beside, two of one name told apart."""
        names = {pupil.id: pupil.name for pupil in self.pupils}
        return list(told_apart(names, {pupil.id: pupil.customer_id for pupil in self.pupils}).values())

    def of_pupil(self, pupil: Pupil) -> list[int | None]:
        """The numbers of a student in day order; None where nothing is graded."""
        return [self.cells.get((pupil.id, day.id), NONE).number for day in self.days]

    def of_day(self, day: Day) -> list[int | None]:
        """The numbers of a day in the order of the students; None where nothing is graded."""
        return [self.cells.get((pupil.id, day.id), NONE).number for pupil in self.pupils]

    def figures(self) -> tuple[float | None, float | None]:
        """The average and the median of everything graded."""
        numbers = [cell.number for cell in self.cells.values()]
        return average(numbers), median(numbers)


def book(session: Session, actor: Actor, class_id: int, now: datetime, permission: str = VIEW) -> Book:
    """The gradebook of a class that the actor may open. Raises `NotFound`, `NotAllowed`."""
    in_order = tuple(reversed(days(session, actor, permission, class_id)))
    # Names apart, the state as the text it is stored as, and plain rows: there are thousands of cells.
    asked = (
        select(
            col(StudyRecord.student_id),
            col(StudyRecord.course_record_id),
            type_coerce(col(StudyRecord.score_state), String),
            col(StudyRecord.score),
            col(StudyRecord.handed_in_at).is_not(None),
        )
        .join(CourseRecord, col(CourseRecord.id) == col(StudyRecord.course_record_id))
        .where(col(CourseRecord.class_group_id) == class_id, COUNTS)
    )
    today = day_of(now, settings().zone)
    due = {day.id: day.due_on for day in in_order}
    states = {state.value: state for state in ScoreState}
    plain = {state: Score(state) for state in ScoreState}
    cells: dict[tuple[int, int], Score] = {}
    for pupil, day, state, number, handed_in in session.connection().execute(asked).all():
        if number is not None:
            cells[pupil, day] = _GRADED[number]
        else:
            stands = in_effect(states[state], handed_in=bool(handed_in), due_on=due.get(day), today=today)
            cells[pupil, day] = plain[stands]
    named = (
        select(col(Student.id), col(Customer.name), col(Customer.id))
        .join(Customer, col(Customer.id) == col(Student.customer_id))
        .where(col(Student.id).in_({pupil for pupil, _day in cells}))
        .order_by(*IN_ORDER)
    )
    return Book(class_id, in_order, tuple(Pupil(*row) for row in session.execute(named)), cells)


_GRADED = [Score(ScoreState.GRADED, number) for number in range(101)]


def letters(scores: Sequence[Score]) -> dict[str, int]:
    """How many have each letter, the best first; every letter is there, also with none."""
    return _by_letter(Counter(score.number for score in scores if score.number is not None))


def _by_letter(numbers: Mapping[int, int]) -> dict[str, int]:
    """The same of numbers, and how often there is each."""
    counts = dict.fromkeys(LETTERS, 0)
    for number, often in numbers.items():
        counts[letter_of(number)] += often
    return counts


class Compared(NamedTuple):
    """One class beside others: how many scores by letter, what else became of homework, and its figures.

    The figures are None where fewer than five are graded.
    """

    class_id: int
    name: Says
    letters: Mapping[str, int]
    graded: int
    missing: int
    copied: int
    failed: int
    average: float | None
    median: float | None


def compare(session: Session, actor: Actor, now: datetime, permission: str = VIEW) -> list[Compared]:
    """All classes whose gradebook the actor may open and that have something scored, by name. Raises `NotAllowed`.

    Counted in the database: the time it takes does not grow with what each class has graded.
    """
    actor.require(permission)
    today = day_of(now, settings().zone)
    overdue = (
        (col(StudyRecord.score_state) == ScoreState.NOT_DUE)
        & col(StudyRecord.handed_in_at).is_(None)
        & (col(CourseRecord.homework_due_on) < today)
    )
    state = case((overdue, ScoreState.MISSING.value), else_=type_coerce(col(StudyRecord.score_state), String))
    allowed = select(CLASSES.key).where(CLASSES.where(actor, permission))
    asked = (
        select(col(CourseRecord.class_group_id), state.label("stands"), col(StudyRecord.score), func.count())
        .select_from(StudyRecord)
        .join(CourseRecord, col(CourseRecord.id) == col(StudyRecord.course_record_id))
        .where(col(CourseRecord.class_group_id).in_(allowed), COUNTS)
        .group_by(col(CourseRecord.class_group_id), state, col(StudyRecord.score))
    )
    numbers: dict[int, dict[int, int]] = {}
    others: dict[int, dict[str, int]] = {}
    for class_id, stands, number, count in session.execute(asked):
        if number is not None:
            numbers.setdefault(class_id, {})[number] = count
        elif stands != ScoreState.NOT_DUE.value:
            others.setdefault(class_id, {})[stands] = count
    names = class_names.named(session, {*numbers, *others})
    made = [_compared(key, names[key], numbers.get(key, {}), others.get(key, {})) for key in names]
    return sorted(made, key=lambda one: str(one.name))


def _compared(class_id: int, name: Says, numbers: Mapping[int, int], others: Mapping[str, int]) -> Compared:
    listed = list(Counter(numbers).elements())
    enough = len(listed) >= ENOUGH
    return Compared(
        class_id,
        name,
        _by_letter(numbers),
        len(listed),
        others.get(ScoreState.MISSING, 0),
        others.get(ScoreState.COPIED, 0),
        others.get(ScoreState.FAILED, 0),
        average(listed) if enough else None,
        median(listed) if enough else None,
    )
