"""The teaching side of the demo school: classes that fill up as customers enrol, places, and the money for them.

Classes of a cohort begin on one day, every few weeks. Who enrols takes a place in the next cohort, some join a class
that has begun, some leave it or change to another. Pure, the same for the same dice.
"""

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from crm.domain.classes import ClassState
from crm.domain.payments import PaymentKind, PaymentState
from crm.services.demo import words
from crm.services.demo.ledger import EVERY, Group, Ledger, Row
from crm.services.demo.people import CLASS_TEACHERS, LECTURERS

LASTS, LATE = timedelta(days=98), timedelta(days=14)
EARLIEST, LATEST = -11, 2
AT_ONCE = 3
"""So many classes of a cohort are there from the start; more open when they are full."""


@dataclass(slots=True)
class Campus(Ledger):
    """The classes, and what happens to those who enrol."""

    groups: list[Group] = field(default_factory=list)
    cohorts: dict[date, list[Group]] = field(default_factory=dict)
    runs: dict[tuple[int, int], int] = field(default_factory=dict)

    def open(self) -> None:
        """The classes that are there before anybody enrolled."""
        for number in range(EARLIEST, LATEST + 1):
            start = self._start(number)
            self.cohorts[start] = []
            for _each in range(AT_ONCE):
                self._open(start)

    def pending(self, customer: int, at: datetime, holder: int) -> None:
        """A deposit that awaits confirmation, for a class with a place left for it."""
        group = self._next(self.clock.day(at))
        group.given += 1
        amount = self.rng.choice((500_00, 1_000_00, 2_000_00))
        self._pay(customer, holder, group, PaymentKind.DEPOSIT, amount, at, None)

    def rejected(self, customer: int, at: datetime, holder: int) -> None:
        """A deposit that never came."""
        group = self._next(self.clock.day(at))
        decided = at + timedelta(hours=self.rng.randint(1, 30))
        if decided < self.clock.now:
            self._pay(customer, holder, group, PaymentKind.DEPOSIT, 500_00, at, decided, PaymentState.REJECTED)

    def enrol(self, customer: Row, paid: datetime, confirmed: datetime, holder: int) -> None:
        """All that follows from a first confirmation, until now."""
        rng, day = self.rng, self.clock.day(confirmed)
        group = self._next(day, late=rng.random() < 0.12)
        group.given += 1
        quoted = group.price * 9 // 10 if rng.random() < 0.2 else group.price
        whole = rng.random() < 0.3
        amount = quoted if whole else rng.choice((500_00, 1_000_00, 2_000_00))
        kind = PaymentKind.TUITION if whole else PaymentKind.DEPOSIT
        first = self._pay(customer["id"], holder, group, kind, amount, paid, confirmed, quoted=quoted)
        student = self._student(customer, confirmed, group)
        joined = max(day, group.starts)
        place = self._place(student, group, joined, first)
        if not whole:
            self._rest(customer["id"], holder, group, quoted, quoted - amount, confirmed)
        chance = rng.random()
        if chance < 0.05:
            self._withdraw(customer["id"], holder, group, place)
        elif chance < 0.08:
            self._change(customer["id"], holder, group, place, student)
        elif chance < 0.12:
            self._second(customer["id"], holder, student, group, confirmed)

    # One thing that happens to a student

    def _rest(self, customer: int, holder: int, group: Group, quoted: int, rest: int, after: datetime) -> None:
        rng = self.rng
        at = self.clock.working(rng, self.clock.day(after) + timedelta(days=rng.randint(1, 10)))
        if at >= self.clock.now or rng.random() < 0.08:
            return
        amount = rest if rng.random() < 0.75 else rest // 2
        decided = at + timedelta(hours=rng.randint(1, 60))
        if decided >= self.clock.now:
            self._pay(customer, holder, group, PaymentKind.TUITION, amount, at, None, quoted=quoted)
            return
        wrong = rng.random() < 0.04
        state = PaymentState.REJECTED if wrong else PaymentState.CONFIRMED
        self._pay(customer, holder, group, PaymentKind.TUITION, amount, at, decided, state, quoted=quoted)

    def _withdraw(self, customer: int, holder: int, group: Group, place: Row) -> None:
        left = place["joined_on"] + timedelta(days=self.rng.randint(5, 60))
        at = self.clock.working(self.rng, left - timedelta(days=2))
        decided = at + timedelta(hours=self.rng.randint(1, 20))
        if left > min(self.clock.day(self.clock.now), group.ends) or decided >= self.clock.now:
            return
        why = self._pay(customer, holder, group, PaymentKind.WITHDRAWAL, 0, at, decided, effect=left)
        place.update(left_on=left, ended_by_id=why, version=2)

    def _change(self, customer: int, holder: int, group: Group, place: Row, student: int) -> None:
        day = place["joined_on"] + timedelta(days=self.rng.randint(7, 20))
        later = [one for one in self.groups if group.starts < one.starts <= day + EVERY and one.given < one.capacity]
        at = self.clock.working(self.rng, day - timedelta(days=3))
        decided = at + timedelta(hours=self.rng.randint(1, 20))
        if not later or decided >= self.clock.now:
            return
        new = self.rng.choice(later)
        new.given += 1
        day = max(day, new.starts)
        why = self._pay(customer, holder, new, PaymentKind.CLASS_CHANGE, 200_00, at, decided, effect=day, left=group.id)
        place.update(left_on=day, ended_by_id=why, version=2)
        self._place(student, new, day, why)

    def _second(self, customer: int, holder: int, student: int, group: Group, after: datetime) -> None:
        at = self.clock.working(self.rng, self.clock.day(after) + timedelta(days=self.rng.randint(5, 30)))
        decided = at + timedelta(hours=self.rng.randint(1, 20))
        if decided >= self.clock.now:
            return
        new = self._next(self.clock.day(decided))
        if new.id == group.id:
            return
        new.given += 1
        why = self._pay(customer, holder, new, PaymentKind.TUITION, new.price, at, decided, quoted=new.price)
        self._place(student, new, max(self.clock.day(decided), new.starts), why)

    # Classes

    def _start(self, number: int) -> date:
        today = self.clock.day(self.clock.now)
        # A Monday, whatever today is.
        day = today + EVERY * number + timedelta(days=7)
        return day - timedelta(days=day.weekday())

    def _next(self, day: date, *, late: bool = False) -> Group:
        """A class with a place left: of the cohort that begins next, or one that has just begun."""
        starts = sorted(self.cohorts)
        begun = [start for start in starts if day - LATE <= start < day]
        start = begun[-1] if late and begun else next((start for start in starts if start >= day), starts[-1])
        free = [one for one in self.cohorts[start] if one.given < one.capacity]
        return self.rng.choice(free) if free else self._open(start)

    def _open(self, start: date) -> Group:
        number = len(self.groups)
        school = number % len(words.CAMPUSES) + 1
        course = number * 3 % len(words.COURSES) + 1
        run = self.runs[school, course] = self.runs.get((school, course), 0) + 1
        lecturers = [LECTURERS[number % len(LECTURERS)]]
        if number % 4 == 0:
            lecturers.append(LECTURERS[(number + 1) % len(LECTURERS)])
        group = Group(
            id=self._key("class_group"),
            starts=start,
            ends=start + LASTS,
            price=words.COURSES[course - 1][1],
            capacity=self.rng.choice((24, 30, 36, 40)),
            lecturers=tuple(lecturers),
            teacher=CLASS_TEACHERS[number % len(CLASS_TEACHERS)],
        )
        today = self.clock.day(self.clock.now)
        running = ClassState.RUNNING if group.ends >= today else ClassState.FINISHED
        self._add(
            "class_group",
            id=group.id,
            school_id=school,
            course_id=course,
            semester=run,
            price_cents=group.price,
            capacity=group.capacity,
            starts_on=group.starts,
            ends_on=group.ends,
            teacher_id=self.school.employees[group.teacher],
            state=ClassState.PLANNED if start > today else running,
            note=None,
        )
        for name in group.lecturers:
            self.rows.setdefault("class_lecturer", []).append(
                {"class_group_id": group.id, "employee_id": self.school.employees[name]}
            )
        self.groups.append(group)
        self.cohorts[start].append(group)
        return group
