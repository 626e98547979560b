"""The demo school: a believable school in both languages, in every state that its pages can show."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random
from typing import Any

from sqlalchemy import Engine, func, insert, select
from sqlmodel import Session, SQLModel

from crm.domain.customers import CustomerState
from crm.errors import Refused
from crm.i18n import says
from crm.services.demo import words
from crm.services.demo.clock import Clock
from crm.services.demo.lives import Life, World, live
from crm.services.demo.people import PASSWORD, STAFF, School, settle
from crm.services.demo.rows import CAPACITY, Rows, Who, add_customers
from crm.settings import settings
from crm.store.sequences import mend_sequences
from crm.store.session import is_postgres, writing

CUSTOMERS = 3_000
SEED = 2026
CHUNK = 5_000
HISTORY = timedelta(days=180)

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
        _write(session, "school", [{"name": name, "city": city, "version": 1} for name, city in words.CAMPUSES])
        _write(
            session,
            "course",
            [
                {"id": number, "name": name, "price_cents": price, "active": True, "version": 1}
                for number, (name, price) in enumerate(words.COURSES, start=1)
            ],
        )
        if customers:
            _fill_customers(session, school, World(clock, Random(f"{seed}:lives"), school.holders), customers, progress)
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


def _fill_customers(session: Session, school: School, world: World, customers: int, progress: Progress | None) -> None:
    who = Who(school.account("manager"), school.account("finance"), school.accounts)
    rows = Rows()
    done = 0
    while done < customers:
        some = min(CHUNK, customers - done)
        add_customers(rows, world, _lives(world, some), {}, who)
        for table in ("customer", "customer_course", "assignment", "follow_up", "payment"):
            _write(session, table, rows.take(table))
        done += some
        if progress:
            progress(done, customers)


# Parts of a thousand customers; whoever finds no consultant with room ends in the pool.
_PARTS = {
    (CustomerState.PRIVATE, "pending"): 6,
    (CustomerState.PRIVATE, "extended"): 6,
    (CustomerState.PRIVATE, ""): 430,
    (CustomerState.ENROLLED, ""): 220,
    (CustomerState.WAITING, ""): 8,
}


def _lives(world: World, count: int) -> list[Life]:
    made: list[Life] = []
    for (state, paused), part in _PARTS.items():
        for _each in range(count * part // 1000):
            if state is CustomerState.WAITING:
                made.append(Life(world.clock.working_before(world.rng, world.clock.now - timedelta(hours=20))))
            else:
                life = live(world, _creations(world, state), state, paused=paused)
                made += [life] if life else []
    while len(made) < count:
        life = live(world, _creations(world, CustomerState.PUBLIC), CustomerState.PUBLIC)
        made += [life] if life else []
    return made


def _creations(world: World, state: CustomerState) -> list[datetime]:
    """Moments at which a customer that ends in `state` may have come: private ones came lately."""
    rng, now = world.rng, world.clock.now
    reach = HISTORY
    if state is CustomerState.PRIVATE:
        reach = timedelta(days=60) if rng.random() < 0.25 else world.clock.deal
    return [world.clock.working_before(rng, now - reach) for _each in range(3)]


def _write(session: Session, table: str, rows: list[dict[str, Any]]) -> None:
    if rows:
        session.connection().execute(insert(SQLModel.metadata.tables[table]), rows)
