"""Rows of students, places and payments of the demo school, as they are written. Keys count on."""

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from random import Random
from typing import Any

from crm.domain.payments import PaymentKind, PaymentState
from crm.services.demo import words
from crm.services.demo.clock import Clock
from crm.services.demo.people import STUDENT, School
from crm.services.students.student_sign_ins import CLOSED

Row = dict[str, Any]
EVERY = timedelta(days=21)
"""How often classes begin."""
SIGN_INS = 30
"""So many students have a sign-in besides the demo's own."""


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
class Ledger:
    """What the school wrote down of students and money. Rows collect here until they are taken."""

    clock: Clock
    rng: Random
    school: School
    rows: dict[str, list[Row]] = field(default_factory=dict)
    keys: dict[str, int] = field(default_factory=dict)
    demo_student: int | None = None

    def take(self, table: str) -> list[Row]:
        """The rows of a table, handed over: afterwards there are none."""
        return self.rows.pop(table, [])

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
            customer["name"] = STUDENT.name
            return self.school.account(STUDENT.login)
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
