"""Rows of customers, their history and their money, made of lives. Pure, the same for the same dice."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from crm.domain.customers import (
    CustomerState,
    Education,
    Experience,
    Gender,
    Source,
    WorkStatus,
)
from crm.domain.episodes import Channel, Origin, Outcome
from crm.domain.payments import PaymentKind, PaymentState
from crm.i18n import Says, says
from crm.services.demo import words
from crm.services.demo.lives import Contact, Episode, Life, World

Row = dict[str, Any]
PHONES, QQS = 19_900_000_000, 9_900_000_000
CAPACITY = 1_000_000


@dataclass(slots=True)
class Rows:
    """What goes into the tables, by table. Keys count on from what was made before."""

    customer: list[Row] = field(default_factory=list)
    customer_course: list[Row] = field(default_factory=list)
    assignment: list[Row] = field(default_factory=list)
    follow_up: list[Row] = field(default_factory=list)
    payment: list[Row] = field(default_factory=list)
    next_key: dict[str, int] = field(default_factory=dict)

    def key(self, table: str) -> int:
        """The next primary key of a table."""
        self.next_key[table] = self.next_key.get(table, 0) + 1
        return self.next_key[table]

    def take(self, table: str) -> list[Row]:
        """The rows of a table, handed over: afterwards there are none."""
        rows: list[Row] = getattr(self, table)
        setattr(self, table, [])
        return rows


def add_customers(rows: Rows, world: World, lives: Iterable[Life], batches: dict[datetime, int], who: "Who") -> None:
    """Rows of some lives, oldest first, so that keys grow with time."""
    episodes: list[tuple[Episode, int]] = []
    for life in sorted(lives, key=lambda one: one.created):
        number = rows.key("customer")
        rows.customer.append(_customer(world, number, life, batches, who))
        for course in world.rng.sample(range(1, len(words.COURSES) + 1), world.rng.choice((0, 1, 1, 1, 2))):
            rows.customer_course.append({"customer_id": number, "course_id": course})
        episodes += ((episode, number) for episode in life.episodes)
        rows.payment += _payments(rows, world, life, number, who)
    contacts: list[tuple[Contact, int, int, int]] = []
    for episode, number in sorted(episodes, key=lambda one: one[0].opened):
        key = rows.key("assignment")
        rows.assignment.append(_assignment(world, key, number, episode, who))
        contacts += ((contact, number, episode.holder, key) for contact in episode.contacts)
    for contact, number, holder, key in sorted(contacts, key=lambda one: one[0].at):
        rows.follow_up.append(_follow_up(rows, world, contact, number, holder, key))


@dataclass(frozen=True, slots=True)
class Who:
    """Accounts of those who do things: the manager, and of each employee."""

    manager: int
    finance: int
    accounts: dict[int, int]


def _customer(world: World, number: int, life: Life, batches: dict[datetime, int], who: Who) -> Row:
    rng, clock = world.rng, world.clock
    gender = rng.choice((Gender.MALE, Gender.FEMALE))
    chinese = rng.random() < 0.86
    last = life.episodes[-1] if life.episodes else None
    private = life.state is CustomerState.PRIVATE
    closed = [episode for episode in life.episodes if episode.closed]
    status = rng.choices((WorkStatus.EMPLOYED, WorkStatus.UNEMPLOYED, WorkStatus.STUDYING), (55, 25, 20))[0]
    employed = status is WorkStatus.EMPLOYED
    handle = rng.random()
    # Blocks of ten thousand within numbers that no network hands out; a fixed walk makes them look unordered.
    serial = number // 10_000 * 10_000 + number * 7_919 % 10_000
    extended = private and life.extended is not None
    return {
        "id": number,
        "name": _name(world, gender, chinese=chinese),
        "gender": gender if rng.random() < 0.95 else None,
        "phone": f"{PHONES + serial}" if handle < 0.94 else None,
        "qq": f"{QQS + serial}" if handle >= 0.94 or handle < 0.5 else None,
        "wechat": f"demo_{serial:06d}" if rng.random() < 0.6 else None,
        "email": f"customer{number}@example.com" if rng.random() < 0.3 else None,
        "education": rng.choice(tuple(Education)) if rng.random() < 0.85 else None,
        "graduation_school": rng.choice(words.GRADUATED_FROM) if rng.random() < 0.6 else None,
        "major": rng.choice(words.MAJORS) if rng.random() < 0.6 else None,
        "experience": Experience.STUDENT if status is WorkStatus.STUDYING else rng.choice(tuple(Experience)[1:]),
        "work_status": status,
        "company": rng.choice(words.COMPANIES) if employed and rng.random() < 0.6 else None,
        "salary": rng.randint(8, 40) * 500 if employed and rng.random() < 0.8 else None,
        "source": rng.choices(tuple(Source), (20, 16, 9, 14, 15, 9, 7, 5, 3, 2))[0],
        "referred_by_id": rng.randint(1, number - 1) if number > 1 and rng.random() < 0.04 else None,
        "note": rng.choice(words.CUSTOMER_NOTES) if rng.random() < 0.35 else None,
        "state": life.state,
        "consultant_id": last.holder if last and private else None,
        "last_consultant_id": closed[-1].holder if closed else None,
        "follow_up_due_at": last.follow_up_due if last and private else None,
        "deal_due_at": last.deal_due if last and private else None,
        "extended_until": clock.now + timedelta(days=rng.randint(2, 6)) if extended else None,
        "waiting_reason": None if life.episodes else WAITING.stored(),
        "import_batch_id": batches.get(life.created),
        "created_at": life.created,
        "created_by_id": who.manager,
        "deleted_at": None,
        "version": 1 + 2 * len(life.episodes),
    }


WAITING = says("Nobody has room right now.")


def _name(world: World, gender: Gender, *, chinese: bool) -> str:
    rng, male = world.rng, gender is Gender.MALE
    if chinese:
        return rng.choice(words.FAMILY) + rng.choice(words.GIVEN_MALE if male else words.GIVEN_FEMALE)
    given = rng.choice(words.ENGLISH_MALE if male else words.ENGLISH_FEMALE)
    return f"{given} {rng.choice(words.ENGLISH_FAMILY)}"


def _assignment(world: World, key: int, number: int, episode: Episode, who: Who) -> Row:
    return {
        "id": key,
        "customer_id": number,
        "consultant_id": episode.holder,
        "origin": episode.origin,
        "opened_at": episode.opened,
        "closed_at": episode.closed,
        "outcome": episode.outcome,
        "reason": _reason(world, episode).stored(),
        "closed_reason": _closed_reason(world, episode),
        "opened_by_id": who.accounts[episode.holder] if episode.origin is Origin.CLAIMED else who.manager,
    }


def _reason(world: World, episode: Episode) -> Says:
    if episode.origin is Origin.CLAIMED:
        return says("Claimed from the public pool.")
    if episode.origin is Origin.TRANSFERRED:
        return says("Handed over by hand.")
    weights = {one.id: one.weight for one in world.holders}
    return says(
        "Next in turn: weight {weight} of {total}.", weight=weights[episode.holder], total=sum(weights.values())
    )


def _closed_reason(world: World, episode: Episode) -> str | None:
    if episode.outcome is Outcome.RELEASED:
        return world.rng.choice(words.RELEASED)
    if episode.outcome is Outcome.TRANSFERRED:
        return world.rng.choice(words.TRANSFERRED)
    return None


def _follow_up(rows: Rows, world: World, contact: Contact, number: int, holder: int, episode: int) -> Row:
    rng, clock = world.rng, world.clock
    sentences = {"first": words.FIRST_CONTACT, "later": words.LATER_CONTACT, "last": words.LAST_CONTACT}[contact.stage]
    planned = rng.random() < 0.55 and contact.stage != "last"
    return {
        "id": rows.key("follow_up"),
        "customer_id": number,
        "consultant_id": holder,
        "assignment_id": episode,
        "at": contact.at,
        "channel": rng.choices(tuple(Channel), (50, 32, 8, 7, 2, 1))[0],
        "note": rng.choice(sentences).format(course=rng.choice(words.COURSES)[0]),
        "next_step": rng.choice(words.NEXT_STEPS) if planned else None,
        "next_at": clock.working(rng, clock.day(contact.at) + timedelta(days=rng.randint(1, 3))) if planned else None,
    }


def _payments(rows: Rows, world: World, life: Life, number: int, who: Who) -> list[Row]:
    rng = world.rng
    at = life.paid or life.pending
    if at is None:
        return []
    holder = life.episodes[-1].holder
    paid = life.paid is not None
    kind = rng.choices((PaymentKind.DEPOSIT, PaymentKind.TUITION), (70, 30))[0]
    amount = rng.choice((500_00, 1_000_00, 2_000_00)) if kind is PaymentKind.DEPOSIT else rng.choice(words.COURSES)[1]
    return [
        {
            "id": rows.key("payment"),
            "customer_id": number,
            "kind": kind,
            "state": PaymentState.CONFIRMED if paid else PaymentState.PENDING,
            "amount_cents": amount,
            "recorded_at": at,
            "recorded_by_id": who.accounts[holder],
            "note": None,
            "version": 2 if paid else 1,
        }
    ]
