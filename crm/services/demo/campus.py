"""The teaching side of the demo school: classes that fill up as customers enrol, places, and the money for them.

Classes of a cohort begin on one day, every few weeks. Who enrols takes a place in the next cohort, some join a class
that has begun, some leave it or change to another. Pure, the same for the same dice.
"""

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from random import Random
from typing import Any

from crm.domain.classes import ClassState
from crm.domain.payments import PaymentKind, PaymentState
from crm.services.demo import words
from crm.services.demo.clock import Clock
from crm.services.demo.people import CLASS_TEACHERS, LECTURERS, School
from crm.services.student_sign_ins import CLOSED

Row = dict[str, Any]
EVERY, LASTS, LATE = timedelta(days=21), timedelta(days=98), timedelta(days=14)
EARLIEST, LATEST = -11, 2
AT_ONCE = 3
"""So many classes of a cohort are there from the start; more open when they are full."""
SIGN_INS = 30


@dataclass(slots=True)
class Group:
    """A class, and how many places were ever given in it: never more than it holds, so that it is never too full."""

    id: int
    starts: date
    ends: date
    price: int
    capacity: int
    lecturers: tuple[str, ...]
    teacher: str
    given: int = 0


@dataclass(slots=True)
class Campus:
    """What the school has of classes and students. Rows collect here until they are taken."""

    clock: Clock
    rng: Random
    school: School
    rows: dict[str, list[Row]] = field(default_factory=dict)
    groups: list[Group] = field(default_factory=list)
    cohorts: dict[date, list[Group]] = field(default_factory=dict)
    runs: dict[tuple[int, int], int] = field(default_factory=dict)
    keys: dict[str, int] = field(default_factory=dict)
    demo_student: int | None = None

    def open(self) -> None:
        """The classes that are there before anybody enrolled."""
        for number in range(EARLIEST, LATEST + 1):
            start = self._start(number)
            self.cohorts[start] = []
            for _each in range(AT_ONCE):
                self._open(start)

    def take(self, table: str) -> list[Row]:
        """The rows of a table, handed over: afterwards there are none."""
        return self.rows.pop(table, [])

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

    # Rows

    def _key(self, table: str) -> int:
        self.keys[table] = self.keys.get(table, 0) + 1
        return self.keys[table]

    def _add(self, table: str, **row: Any) -> None:
        self.rows.setdefault(table, []).append({"version": 1, **row})

    def _student(self, customer: Row, at: datetime, group: Group) -> int:
        rng, number = self.rng, self._key("student")
        today = self.clock.day(self.clock.now)
        placed = group.ends < today and rng.random() < 0.7
        known = rng.random() < 0.5
        self._add(
            "student",
            id=number,
            customer_id=customer["id"],
            account_id=self._account(customer, at, group),
            contact_in_need=rng.choice(words.FAMILY) + rng.choice(words.GIVEN_FEMALE) if known else None,
            contact_in_need_phone=f"{19_800_100_000 + number % 99_999}" if known else None,
            placed_company=rng.choice(words.COMPANIES) if placed else None,
            placed_place=rng.choice(words.CAMPUSES)[1] if placed else None,
            placed_position=rng.choice(words.POSITIONS) if placed else None,
            placed_salary=rng.randint(12, 40) * 500 if placed else None,
            placed_benefits=rng.choice(words.BENEFITS) if placed else None,
            placed_on=min(today, group.ends + timedelta(days=rng.randint(1, 40))) if placed else None,
            created_at=at,
        )
        return number

    def _account(self, customer: Row, at: datetime, group: Group) -> int | None:
        """The demo's own student sits in a class that its teachers teach; a few others have sign-ins, still closed."""
        mine = "lecturer" in group.lecturers and group.teacher == "teacher"
        today = self.clock.day(self.clock.now)
        if self.demo_student is None and mine and group.starts <= today - EVERY and group.ends > today + EVERY:
            self.demo_student = customer["id"]
            return self.school.account("student")
        if not customer["phone"] or self.keys.get("account", 0) >= len(self.school.logins) + SIGN_INS:
            return None
        self.keys.setdefault("account", len(self.school.logins))
        number = self._key("account")
        self._add(
            "account",
            id=number,
            name=customer["phone"],
            display_name=customer["name"],
            email=None,
            password_hash=CLOSED,
            active=True,
            must_change_password=True,
            locale=None,
            session_epoch=0,
            created_at=at,
        )
        self.rows.setdefault("account_role", []).append({"account_id": number, "role_id": self.school.student_role})
        return number

    def _place(self, student: int, group: Group, joined: date, payment: int) -> Row:
        self._add(
            "enrolment",
            id=self._key("enrolment"),
            student_id=student,
            class_group_id=group.id,
            joined_on=joined,
            left_on=None,
            payment_id=payment,
            ended_by_id=None,
        )
        return self.rows["enrolment"][-1]

    def _pay(
        self,
        customer: int,
        holder: int,
        group: Group,
        kind: PaymentKind,
        amount: int,
        at: datetime,
        decided: datetime | None,
        state: PaymentState = PaymentState.CONFIRMED,
        *,
        quoted: int | None = None,
        effect: date | None = None,
        left: int | None = None,
    ) -> int:
        number = self._key("payment")
        receipt = decided is not None or self.rng.random() < 0.6
        rejected = state is PaymentState.REJECTED
        self._add(
            "payment",
            id=number,
            customer_id=customer,
            class_group_id=group.id,
            from_class_group_id=left,
            kind=kind,
            state=PaymentState.PENDING if decided is None else state,
            amount_cents=amount,
            quoted_cents=quoted,
            receipt_number=f"R{at.year}-{number:06d}" if receipt else None,
            takes_effect_on=effect,
            recorded_at=at,
            recorded_by_id=self.school.accounts[holder],
            consultant_id=holder,
            decided_at=decided,
            decided_by_id=self.school.account("finance") if decided is not None else None,
            rejected_because=self.rng.choice(words.REJECTED) if rejected else None,
            note=None,
            version=1 if decided is None else 2,
        )
        return number
