"""Many who share out, claim and hand over at the same moment: caps hold, shares hold, history holds."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import Engine
from sqlmodel import col, func, select

from crm.domain.customers import Customer, CustomerState
from crm.domain.episodes import Assignment
from crm.errors import Refused
from crm.services import doctor
from crm.services.access.permissions import SYSTEM
from crm.services.customers import pool
from crm.services.customers.hand_over import assign_many
from crm.services.sharing.assignment import share_out
from crm.services.sharing.sharing_round import redis_disagreements
from crm.store.session import reading, writing
from tests.builders import NOON, a_consultant, a_public_customer, an_actor, customers_waiting, ids

pytestmark = pytest.mark.usefixtures("with_and_without_redis")
AT_ONCE = 8


def test_shared_out_at_once_everybody_is_less_than_one_off_the_exact_share(engine: Engine) -> None:
    weights = (7, 5, 1)
    with writing() as session:
        consultants = [a_consultant(session, weight=weight).id for weight in weights]
        parts = [ids(customers_waiting(session, each)) for each in (1, 3, 7, 2, 1, 5, 4, 6)]

    def share(part: list[int]) -> int:
        with writing() as session:
            return share_out(session, part, now=NOON, by=SYSTEM).assigned

    with ThreadPoolExecutor(AT_ONCE) as threads:
        assigned = sum(threads.map(share, parts))

    assert assigned == 29
    with reading() as session:
        held = dict(
            session.exec(select(Customer.consultant_id, func.count()).group_by(col(Customer.consultant_id))).all()
        )
        for consultant, weight in zip(consultants, weights, strict=True):
            assert abs(held[consultant] * 13 - 29 * weight) < 13
        assert redis_disagreements(session) == []


def test_no_cap_is_exceeded_by_sharing_claiming_and_handing_over_at_once(engine: Engine) -> None:
    with writing() as session:
        consultants = [a_consultant(session, max_customers=6) for _ in range(3)]
        waiting = ids(customers_waiting(session, 24))
        public = [a_public_customer(session).id for _ in range(12)]

    def claim(number: int) -> None:
        actor = an_actor("pool.claim", of=consultants[number % 3])
        with writing() as session:
            try:
                pool.claim(session, actor, public[number], NOON)
            except Refused:
                session.rollback()

    def share(number: int) -> None:
        with writing() as session:
            share_out(session, waiting[3 * number : 3 * number + 3], now=NOON, by=SYSTEM)

    def hand_over(number: int) -> None:
        manager = an_actor("customers.assign")
        with writing() as session:
            assign_many(session, manager, waiting[:4], NOON, consultant_id=consultants[number % 3].id)

    with ThreadPoolExecutor(AT_ONCE) as threads:
        jobs = [threads.submit(work, number) for number in range(8) for work in (claim, share)]
        jobs += [threads.submit(hand_over, number) for number in range(3)]
        for job in jobs:
            job.result()

    with reading() as session:
        holders = session.exec(select(Customer.consultant_id).where(col(Customer.consultant_id).is_not(None))).all()
        assert all(count <= 6 for count in Counter(holders).values())
        private = select(func.count()).where(col(Customer.state) == CustomerState.PRIVATE)
        still_open = select(func.count()).where(col(Assignment.closed_at).is_(None))
        assert session.exec(private).one() == session.exec(still_open).one()
        broken = [str(each) for each in doctor.check(session, NOON)]
        assert [each for each in broken if "manage sign-ins" not in each] == []
