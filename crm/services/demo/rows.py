"""Rows of customers, their history and their money, made of lives. Pure, the same for the same dice."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import timedelta
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
from crm.domain.quotas import Shut, why_nobody
from crm.domain.sharing import Pick
from crm.i18n import says
from crm.services.demo import words
from crm.services.demo.campus import Campus
from crm.services.demo.lives import Contact, Episode, Life, World
from crm.services.demo.office import Diary
from crm.services.demo.people import STAFF, School
from crm.services.sharing.assignment import stored_reason

Row = dict[str, Any]
PHONES, QQS = 19_900_000_000, 9_900_000_000
CAPACITY = 1_000_000
ROUND = 400
MANAGER_NAME = next(person.name for person in STAFF if person.login == "manager")


@dataclass(slots=True)
class Rows:
    """What goes into the tables, by table. Keys count on from what was made before."""

    customer: list[Row] = field(default_factory=list)
    customer_course: list[Row] = field(default_factory=list)
    assignment: list[Row] = field(default_factory=list)
    follow_up: list[Row] = field(default_factory=list)
    next_key: dict[str, int] = field(default_factory=dict)
    step: int = 0

    def key(self, table: str) -> int:
        """The next primary key of a table."""
        self.next_key[table] = self.next_key.get(table, 0) + 1
        return self.next_key[table]

    def take(self, table: str) -> list[Row]:
        """The rows of a table, handed over: afterwards there are none."""
        rows: list[Row] = getattr(self, table)
        setattr(self, table, [])
        return rows


def add_customers(
    rows: Rows, world: World, lives: Iterable[Life], school: School, diary: Diary, campus: Campus
) -> None:
    """Rows of some lives, oldest first, so that keys grow with time."""
    manager = school.account("manager")
    episodes: list[tuple[Episode, int]] = []
    for life in sorted(lives, key=lambda one: one.created):
        number = rows.key("customer")
        diary.note(number, life, manager, school.accounts)
        rows.customer.append(_customer(world, number, life, diary.sheets.get(life.created), school))
        for course in world.rng.sample(range(1, len(words.COURSES) + 1), world.rng.choice((0, 1, 1, 1, 2))):
            rows.customer_course.append({"customer_id": number, "course_id": course})
        episodes += ((episode, number) for episode in life.episodes)
        _money(campus, rows.customer[-1], life)
    contacts: list[tuple[Contact, int, int, int]] = []
    for episode, number in sorted(episodes, key=lambda one: one[0].opened):
        key = rows.key("assignment")
        rows.assignment.append(_assignment(rows, world, key, number, episode, school))
        contacts += ((contact, number, episode.holder, key) for contact in episode.contacts)
    for contact, number, holder, key in sorted(contacts, key=lambda one: one[0].at):
        rows.follow_up.append(_follow_up(rows, world, contact, number, holder, key))


def _money(campus: Campus, customer: Row, life: Life) -> None:
    """What the customer paid, and what came of it."""
    last = life.episodes[-1] if life.episodes else None
    if last is None:
        return
    if life.paid is not None and last.closed is not None:
        campus.enrol(customer, life.paid, last.closed, last.holder)
    elif life.pending is not None:
        campus.pending(customer["id"], life.pending, last.holder)
    elif last.closed is None and len(last.contacts) > 1 and campus.rng.random() < 0.02:
        campus.rejected(customer["id"], last.contacts[-1].at, last.holder)


def _customer(world: World, number: int, life: Life, sheet: int | None, school: School) -> Row:
    rng = world.rng
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
    referral = rng.random() < 0.05 and number > 1
    adder = school.accounts[life.episodes[0].holder] if life.own else school.account("manager")
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
        "source": Source.REFERRAL if referral else rng.choices(tuple(Source), (20, 16, 9, 14, 15, 5, 7, 5, 3, 2))[0],
        "referred_by_id": rng.randint(1, number - 1) if referral else None,
        "note": rng.choice(words.CUSTOMER_NOTES) if rng.random() < 0.35 else None,
        "state": life.state,
        "consultant_id": last.holder if last and private else None,
        "last_consultant_id": closed[-1].holder if closed else None,
        "follow_up_due_at": last.due.follow_up_due_at if last and last.due and private else None,
        "deal_due_at": last.due.deal_due_at if last and last.due and private else None,
        "extended_until": life.extended_until if private else None,
        "waiting_reason": None if life.episodes else WAITING.stored(),
        "import_batch_id": sheet,
        "created_at": life.created,
        "created_by_id": adder,
        "deleted_at": None,
        # Each start of an episode counts one up, and so does each way into the pool or the school.
        "version": 1 + len(life.episodes) + sum(one.outcome is not Outcome.TRANSFERRED for one in closed),
    }


WAITING = why_nobody([Shut.FULL_TODAY])


def _name(world: World, gender: Gender, *, chinese: bool) -> str:
    rng, male = world.rng, gender is Gender.MALE
    if chinese:
        return rng.choice(words.FAMILY) + rng.choice(words.GIVEN_MALE if male else words.GIVEN_FEMALE)
    given = rng.choice(words.ENGLISH_MALE if male else words.ENGLISH_FEMALE)
    return f"{given} {rng.choice(words.ENGLISH_FAMILY)}"


def _assignment(rows: Rows, world: World, key: int, number: int, episode: Episode, school: School) -> Row:
    by_hand = episode.origin is Origin.TRANSFERRED
    return {
        "id": key,
        "customer_id": number,
        "consultant_id": episode.holder,
        "origin": episode.origin,
        "opened_at": episode.opened,
        "closed_at": episode.closed,
        "outcome": episode.outcome,
        "reason": _reason(rows, world, episode),
        "closed_reason": _closed_reason(world, episode),
        "opened_by_id": school.account("manager")
        if by_hand or episode.origin is Origin.SHARED
        else school.accounts[episode.holder],
    }


def _reason(rows: Rows, world: World, episode: Episode) -> str:
    if episode.origin is Origin.CLAIMED:
        return says("Claimed from the pool.").stored()
    if episode.origin is Origin.ADDED:
        return says("Added by the consultant.").stored()
    if episode.origin is Origin.TRANSFERRED:
        return says("Assigned by {name}.", name=MANAGER_NAME).stored()
    weights = {
        one.id: one.weight for one in world.holders if one.closed_from is None or one.closed_from > episode.opened
    }
    weight, total = weights[episode.holder], sum(weights.values())
    rows.step = rows.step % ROUND + 1
    return stored_reason(Pick(episode.holder, weight, total, -(-weight * rows.step // total), rows.step))


def _closed_reason(world: World, episode: Episode) -> str | None:
    if episode.outcome is Outcome.RELEASED:
        return world.rng.choice(words.RELEASED)
    if episode.outcome is Outcome.TRANSFERRED:
        return world.rng.choice(words.TRANSFERRED)
    return None


def _follow_up(rows: Rows, world: World, contact: Contact, number: int, holder: int, episode: int) -> Row:
    rng, clock = world.rng, world.clock
    sentences = {"first": words.FIRST_CONTACT, "later": words.LATER_CONTACT, "last": words.LAST_CONTACT}[contact.stage]
    channel, note = rng.choice(sentences)
    planned = rng.random() < 0.55 and contact.stage != "last"
    return {
        "id": rows.key("follow_up"),
        "customer_id": number,
        "consultant_id": holder,
        "assignment_id": episode,
        "at": contact.at,
        "channel": Channel[channel.upper()] if channel else rng.choices(tuple(Channel), (45, 40, 14, 0, 0, 1))[0],
        "note": note.format(course=rng.choice(words.COURSES)[0]),
        "next_step": rng.choice(words.NEXT_STEPS) if planned else None,
        "next_at": clock.working(rng, clock.day(contact.at) + timedelta(days=rng.randint(1, 3))) if planned else None,
    }
