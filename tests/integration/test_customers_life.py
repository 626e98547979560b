"""The life of customers over weeks of random days: whatever people do, every rule still holds."""

import random
import shutil
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, update
from sqlmodel import Session, col, select

from crm.domain.customers import Customer, CustomerState
from crm.domain.episodes import Assignment, Outcome
from crm.domain.staff import ConsultantQuota
from crm.errors import ThanosError
from crm.rbac import Actor
from crm.services import doctor
from crm.services.access import accounts
from crm.services.access.permissions import SYSTEM, install_roles
from crm.services.customers import customers, deleted_customers, follow_ups, hand_over, holding, pool
from crm.services.customers.expiry import Expired, expire
from crm.services.sharing import assignment
from crm.store.engine import make_engine
from crm.store.session import reading, writing
from tests.builders import a_consultant, a_payment, an_account, an_actor, an_employee

TWO = datetime(2025, 3, 2, 18, 0, tzinfo=UTC)
"""Monday 02:00 in Shanghai."""
DAY = timedelta(days=1)


class School:
    """People who do random things to random customers, each in a transaction of its own."""

    def __init__(self, engine: Engine, seed: int) -> None:
        self.engine = engine
        self.chance = random.Random(seed)
        with writing(engine) as session:
            install_roles(session)
            accounts.create(session, SYSTEM, "admin", "administrator", None, "Administrator", None, TWO)
            self.consultants = [
                an_actor(role="consultant", of=a_consultant(session, weight=weight, max_customers=cap))
                for weight, cap in ((10, 6), (20, 4), (5, 8), (1, 3))
            ]
            self.manager = an_actor(role="sales_manager", of=an_employee(session))
            self.staff_ids = [actor.owner_id for actor in self.consultants]
            self.payer = an_account(session).id
        self.added = 0

    def expire(self, now: datetime) -> Expired:
        return expire(
            partial(writing, self.engine), SYSTEM, now=now, chunk=3, pause=0, open_reading=partial(reading, self.engine)
        )

    def act(self, now: datetime, *what: str) -> None:
        """One random deed; what the rules refuse leaves no trace."""
        deed: Callable[[Session, Actor, int, datetime], Any] = getattr(self, "_" + self.chance.choice(what))
        actor, customer = self.chance.choice(self.consultants), self.chance.randint(1, max(1, self.added))
        try:
            with writing(self.engine) as session:
                deed(session, actor, customer, now)
        except ThanosError:
            pass

    def _add(self, session: Session, actor: Actor, _customer: int, now: datetime) -> None:
        self.added += 1
        values = {"name": "Somebody", "phone": f"138{self.added:08d}"}
        if self.chance.random() < 0.3:
            customers.add_mine(session, actor, values, now)
        else:
            customers.add(session, self.manager, values, now)

    def _follow_up(self, session: Session, actor: Actor, customer: int, now: datetime) -> None:
        held = session.scalar(select(Customer.consultant_id).where(Customer.id == customer))
        holder = next((each for each in self.consultants if each.owner_id == held), actor)
        follow_ups.record(session, holder, customer, channel="phone", note=f"At {now}", now=now)

    def _claim(self, session: Session, actor: Actor, _customer: int, now: datetime) -> None:
        found = session.exec(select(Customer.id).where(Customer.state == CustomerState.PUBLIC)).all()
        pool.claim(session, actor, self.chance.choice([*found, 1]), now)

    def _release(self, session: Session, actor: Actor, customer: int, now: datetime) -> None:
        holding.release_many(session, actor, [customer, customer + 1, customer + 2], now)

    def _extend(self, session: Session, _actor: Actor, customer: int, now: datetime) -> None:
        until = now + self.chance.randint(1, 5) * DAY
        holding.extend_many(session, self.manager, [customer], now, until=until)

    def _hand_over(self, session: Session, _actor: Actor, customer: int, now: datetime) -> None:
        chosen = self.chance.choice(self.staff_ids)
        hand_over.assign_many(session, self.manager, [customer], now, consultant_id=chosen)

    def _delete(self, session: Session, _actor: Actor, customer: int, now: datetime) -> None:
        customers.delete_many(session, self.manager, [customer], now)

    def _restore(self, session: Session, _actor: Actor, customer: int, now: datetime) -> None:
        gone = session.exec(select(Customer.id).where(col(Customer.deleted_at).is_not(None))).all()
        deleted_customers.restore_many(session, self.manager, [*gone[:2], customer], now)

    def _assign(self, session: Session, _actor: Actor, _customer: int, now: datetime) -> None:
        assignment.assign_waiting(session, SYSTEM, now)

    def _pay(self, session: Session, _actor: Actor, customer: int, now: datetime) -> None:
        row = session.get(Customer, customer)
        if row is not None:
            a_payment(session, row, recorded_at=now, recorded_by_id=self.payer)


EVERYTHING = (
    *("add",) * 5,
    *("follow_up",) * 8,
    *("claim",) * 3,
    *("release", "extend", "hand_over", "delete", "restore", "assign", "pay"),
)


def test_after_weeks_of_anything_the_doctor_finds_nothing(engine: Engine, use_settings: Callable[[str], None]) -> None:
    use_settings("[rules]\nfollow_up_days = 2\ndeal_days = 5")
    school = School(engine, seed=11)

    for day in range(24):
        for hour in range(6, 24, 2):
            school.act(TWO + day * DAY + timedelta(hours=hour, seconds=day), *EVERYTHING)
        school.expire(TWO + (day + 1) * DAY + timedelta(seconds=school.chance.choice([0, 30])))

    with reading(engine) as session:
        found = doctor.check(session, TWO + 24 * DAY + timedelta(minutes=1))
        outcomes = set(session.exec(select(Assignment.outcome).distinct()))
    assert [str(each) for each in found] == []
    assert outcomes == {
        Outcome.FOLLOWING,
        Outcome.NO_FOLLOW_UP,
        Outcome.NO_DEAL,
        Outcome.TRANSFERRED,
        Outcome.RELEASED,
    }


def test_weeks_with_late_runs_end_like_weeks_with_runs_on_time(
    sqlite_template: Path, tmp_path: Path, use_settings: Callable[[str], None]
) -> None:
    use_settings("[rules]\nfollow_up_days = 2\ndeal_days = 4")
    early, late = (_weeks(sqlite_template, tmp_path / f"{hours}.db", hours) for hours in (0, 7))

    assert early == late
    assert {outcome for _, _, outcome, *_ in late[1]} >= {"following", "no_follow_up", "no_deal"}


def _weeks(template: Path, path: Path, hours_late: int) -> tuple[list[Any], list[Any]]:
    """Two weeks in which people do between 02:00 and a late run only what concerns their own customers."""
    shutil.copyfile(template, path)
    engine = make_engine(f"sqlite:///{path}")
    school = School(engine, seed=3)
    for day in range(16):
        two = TWO + day * DAY
        if not hours_late:
            school.expire(two)
        for minutes in range(5, 400, 30):
            school.act(two + timedelta(minutes=minutes), *("follow_up",) * 9, "release", "extend", "pay")
        if hours_late:
            school.expire(two + timedelta(hours=hours_late))
        for hour in range(8, 24, 2):
            school.act(two + timedelta(hours=hour), "add", "add", "follow_up", "claim", "assign")
    school.expire(TWO + 16 * DAY)
    with reading(engine) as session:
        rows = session.exec(
            select(
                Customer.id,
                Customer.state,
                Customer.consultant_id,
                Customer.follow_up_due_at,
                Customer.deal_due_at,
            ).order_by(col(Customer.id))
        ).all()
        episodes = session.exec(
            select(
                Assignment.customer_id,
                Assignment.consultant_id,
                Assignment.outcome,
                Assignment.opened_at,
                Assignment.closed_at,
            ).order_by(col(Assignment.customer_id), col(Assignment.opened_at))
        ).all()
    engine.dispose()
    return [tuple(row) for row in rows], [tuple(row) for row in episodes]


def test_a_run_among_people_at_work_leaves_everything_in_order(engine: Engine) -> None:
    school = School(engine, seed=5)
    noon = TWO - 5 * DAY
    with writing(engine) as session:
        session.exec(update(ConsultantQuota).values(max_customers=500))
        for number in range(200):
            values = {"name": "Somebody", "phone": f"139{number:08d}"}
            customers.add_mine(session, school.consultants[number % 4], values, noon + timedelta(minutes=number))
    school.added = 200
    runs: list[Expired] = []

    def work(number: int) -> None:
        if number == 0:
            runs.append(school.expire(TWO))
        else:
            for _ in range(40):
                school.act(TWO + timedelta(seconds=1), "release", "hand_over", "follow_up", "claim", "delete")

    with ThreadPoolExecutor(5) as threads:
        list(threads.map(work, range(5)))

    with reading(engine) as session:
        assert [str(each) for each in doctor.check(session, TWO + timedelta(minutes=1))] == []
    assert runs[0].no_follow_up > 0
