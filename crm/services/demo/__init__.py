"""The demo school: a believable school in both languages, in every state that its pages can show."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from random import Random

from sqlalchemy import Engine, func, select
from sqlmodel import Session, SQLModel

from crm.domain.customers import CustomerState
from crm.errors import Refused
from crm.i18n import says
from crm.services.demo import office, scores, teaching, words
from crm.services.demo.campus import Campus
from crm.services.demo.clock import Clock
from crm.services.demo.lives import Life, World, live
from crm.services.demo.office import Diary
from crm.services.demo.people import PASSWORD, STAFF, School, settle
from crm.services.demo.rows import CAPACITY, Rows, add_customers
from crm.settings import settings
from crm.store import name_pairs
from crm.store.sequences import mend_sequences
from crm.store.session import is_postgres, writing

CHUNK = 5_000
HISTORY = timedelta(days=180)

SCHOOL = ("class_group", "class_lecturer", "account", "account_role", "payment", "student", "enrolment")
"""The tables of the teaching side, each after those that it refers to."""

Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class DemoAccount:
    """One sign-in of the demo school."""

    name: str
    password: str
    role: str
    display_name: str


def fill(
    engine: Engine, customers: int, seed: int, now: datetime, progress: Progress | None = None
) -> list[DemoAccount]:
    """Fill an empty database with a school and so many customers; all of it or, on an error, nothing.

    With 0 customers: people, roles and quotas only. The same seed and `now` give the same school.
    `progress(done, customers)` is called as customers are written. Raises `Refused` when somebody is
    there already or more customers are wanted than there are numbers for.
    """
    if not 0 <= customers < CAPACITY:
        raise Refused(
            says(
                "A demo school has 0 to {most} customers, not {wanted}. Choose another number.",
                most=CAPACITY - 1,
                wanted=customers,
            )
        )
    clock = Clock(now, settings().zone, settings().rules)
    with writing(engine) as session:
        _require_empty(session)
        school = settle(session, seed, clock)
        office.write(session, "school", [{"name": name, "city": city, "version": 1} for name, city in words.CAMPUSES])
        office.write(
            session,
            "course",
            [
                {"id": number, "name": name, "price_cents": price, "active": True, "version": 1}
                for number, (name, price) in enumerate(words.COURSES, start=1)
            ],
        )
        campus = Campus(clock, Random(f"{seed}:campus"), school)
        if customers:
            campus.open()
            _fill_customers(
                session, school, World(clock, Random(f"{seed}:lives"), school.holders), campus, customers, progress
            )
        teaching.fill(session, seed, clock)
        scores.fill(session, seed, clock, school.account("student"))
        if is_postgres(session):
            mend_sequences(session.connection())
    return [DemoAccount(one.login, PASSWORD, one.role, one.name) for one in STAFF if one.active]


def _require_empty(session: Session) -> None:
    for table in ("account", "department", "customer", "school"):
        if session.scalar(select(func.count()).select_from(SQLModel.metadata.tables[table])):
            raise Refused(
                says(
                    "The database is not empty: table {table} has rows. A demo school needs an empty database"
                    " of its own (DATABASE_URL or THANOS_VAR).",
                    table=table,
                )
            )


def _fill_customers(
    session: Session, school: School, world: World, campus: Campus, customers: int, progress: Progress | None
) -> None:
    rows, diary = Rows(), Diary(office.sheets(world, HISTORY))
    office.open_sheets(session, world, diary.sheets, school.account("manager"))
    done = 0
    while done < customers:
        some = min(CHUNK, customers - done)
        add_customers(rows, world, _lives(world, some, diary), school, diary, campus)
        for table in ("customer", "customer_course", "assignment", "follow_up"):
            office.write(session, table, rows.take(table))
        for table in SCHOOL:
            office.write(session, table, campus.take(table))
        done += some
        if progress:
            progress(done, customers)
    for sheet in diary.sheets.values():
        name_pairs.index_import(session, sheet)
    office.close_day(session, world, school, diary)


# Parts of a thousand customers; whoever finds no consultant with room ends in the pool.
_PARTS = {
    (CustomerState.PRIVATE, "pending"): 6,
    (CustomerState.PRIVATE, "extended"): 6,
    (CustomerState.PRIVATE, ""): 430,
    (CustomerState.ENROLLED, ""): 220,
    (CustomerState.WAITING, ""): 8,
}


def _lives(world: World, count: int, diary: Diary) -> list[Life]:
    made: list[Life] = []
    for (state, paused), part in _PARTS.items():
        arrive = partial(_arrive, world, diary, state)
        for _each in range(count * part // 1000):
            life = arrive() if state is CustomerState.WAITING else live(world, arrive, state, paused=paused)
            made += [life] if life else []
    while len(made) < count:
        life = live(world, partial(_arrive, world, diary, CustomerState.PUBLIC), CustomerState.PUBLIC)
        made += [life] if life else []
    return made


def _arrive(world: World, diary: Diary, state: CustomerState) -> Life:
    """How a customer that ends in `state` may have come: with a sheet, won by a consultant, or by a form."""
    rng, now = world.rng, world.clock.now
    if state is CustomerState.WAITING:
        return Life(world.clock.working_before(rng, now - timedelta(hours=14)))
    since = now - HISTORY
    if state is CustomerState.PRIVATE:
        # They came lately, or were claimed lately.
        since = now - (timedelta(days=60) if rng.random() < 0.25 else world.clock.deal)
    way = rng.random()
    sheets = [moment for moment in diary.sheets if moment >= since] if way < 0.65 else []
    if sheets:
        return Life(rng.choice(sheets))
    return Life(world.clock.working_before(rng, since), own=way > 0.93)
