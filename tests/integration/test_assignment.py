"""Sharing out on real databases, with and without Redis."""

from collections import Counter
from datetime import date, timedelta

import pytest
from sqlalchemy import Engine
from sqlmodel import Session, col, select

from crm.domain.customers import Customer, CustomerState
from crm.domain.episodes import Assignment, Origin, Outcome
from crm.domain.records import Notification
from crm.domain.staff import ConsultantQuota, SharingRound
from crm.i18n import Says, says
from crm.services.access.permissions import SYSTEM
from crm.services.sharing import sharing_round
from crm.services.sharing.assignment import Shared, assign_waiting, share_out
from crm.store.session import reading, writing
from tests.builders import (
    NOON,
    a_consultant,
    a_customer,
    a_private_customer,
    a_public_customer,
    customers_waiting,
    ids,
)

pytestmark = pytest.mark.usefixtures("with_and_without_redis")


def shared_out(session: Session, customer_ids: list[int] | None = None) -> Shared:
    return share_out(session, customer_ids, now=NOON, by=SYSTEM)


def holders(session: Session, customer_ids: list[int]) -> list[int | None]:
    session.expire_all()
    found = dict(session.exec(select(Customer.id, Customer.consultant_id)).all())
    return [found[each] for each in customer_ids]


def test_customers_are_shared_in_proportion_to_weight(session: Session) -> None:
    heavy, light = a_consultant(session, weight=20), a_consultant(session, weight=10)
    waiting = ids(customers_waiting(session, 30))

    shared = shared_out(session)

    assert shared == Shared(30, 0, {heavy.id: 20, light.id: 10})
    assert Counter(holders(session, waiting)) == {heavy.id: 20, light.id: 10}


def test_every_customer_gets_state_deadlines_version_and_one_open_episode_with_its_reason(session: Session) -> None:
    consultant = a_consultant(session, weight=10)
    waiting = a_customer(session, waiting_reason=says("Nobody is there.").stored())

    shared_out(session)
    session.expire_all()

    customer = session.get_one(Customer, waiting.id)
    assert (customer.state, customer.consultant_id, customer.version) == (CustomerState.PRIVATE, consultant.id, 2)
    assert customer.follow_up_due_at == NOON + timedelta(days=3)
    assert customer.deal_due_at == NOON + timedelta(days=15)
    assert customer.waiting_reason is None
    episode = session.exec(select(Assignment)).one()
    assert (episode.customer_id, episode.consultant_id, episode.origin) == (waiting.id, consultant.id, Origin.SHARED)
    assert (episode.opened_at, episode.closed_at, episode.outcome) == (NOON, None, Outcome.FOLLOWING)
    assert str(Says.loaded(episode.reason)) == "Weight 10 of 10 in all: now has 1 of the last 1 shared out."


def test_one_call_for_many_gives_what_many_calls_give(engine: Engine) -> None:
    with writing() as session:
        for weight in (7, 5, 1):
            a_consultant(session, weight=weight, max_customers=12)
        waiting = ids(customers_waiting(session, 30))

    with pytest.raises(ZeroDivisionError), writing() as session:
        shared_out(session, waiting)
        together = holders(session, waiting)
        raise ZeroDivisionError
    with writing() as session:
        for each in waiting:
            shared_out(session, [each])
        one_by_one = holders(session, waiting)

    assert together == one_by_one
    assert Counter(together)[None] == 0


def test_a_transaction_that_is_rolled_back_leaves_no_trace_in_the_order(engine: Engine) -> None:
    with writing() as session:
        for weight in (3, 2):
            a_consultant(session, weight=weight)
        waiting = ids(customers_waiting(session, 10))

    for _ in range(2):
        with pytest.raises(ZeroDivisionError), writing() as session:
            shared_out(session, waiting[:1])
            first = holders(session, waiting)[0]
            raise ZeroDivisionError
    with writing() as session:
        shared_out(session, waiting[:1])

        assert holders(session, waiting) == [first, *[None] * 9]


def test_customers_are_given_in_the_order_asked_for(session: Session) -> None:
    heavy, light = a_consultant(session, weight=20), a_consultant(session, weight=10)
    first, second, third = ids(customers_waiting(session, 3))

    shared_out(session, [third, first, second])

    assert holders(session, [third, first, second]) == [heavy.id, light.id, heavy.id]


def test_nobody_gets_more_than_the_cap_and_the_rest_wait_with_the_reason(session: Session) -> None:
    small = a_consultant(session, weight=90, max_customers=3)
    a_private_customer(session, small)
    large = a_consultant(session, weight=10, max_customers=5)
    waiting = ids(customers_waiting(session, 10))

    shared = shared_out(session, waiting)

    reason = says("Every consultant who accepts customers holds as many as allowed.")
    assert shared == Shared(7, 3, {small.id: 2, large.id: 5}, reason)
    session.expire_all()
    stored = session.exec(select(Customer.waiting_reason).where(col(Customer.consultant_id).is_(None))).all()
    assert [Says.loaded(each) for each in stored] == [reason] * 3


def test_deleted_customers_take_no_room(session: Session) -> None:
    consultant = a_consultant(session, max_customers=1)
    a_private_customer(session, consultant, deleted_at=NOON)
    waiting = a_customer(session)

    shared_out(session)

    assert holders(session, [waiting.id]) == [consultant.id]


def test_the_daily_cap_counts_what_was_shared_out_since_the_school_s_midnight(session: Session) -> None:
    # Noon in Shanghai is 04:00 UTC, so the school's day began at 16:00 UTC the day before.
    midnight = NOON.replace(hour=16) - timedelta(days=1)
    consultant = a_consultant(session, max_per_day=3)
    a_private_customer(session, consultant, since=midnight)
    a_private_customer(session, consultant, since=midnight - timedelta(seconds=1))
    waiting = ids(customers_waiting(session, 5))

    today = shared_out(session)
    tomorrow = share_out(session, waiting, now=midnight + timedelta(days=1), by=SYSTEM)

    assert today.by_consultant == {consultant.id: 2}
    assert today.waiting_reason == says("Every consultant who accepts customers had as many today as allowed.")
    assert tomorrow.by_consultant == {consultant.id: 3}


def test_those_who_cannot_take_part_are_skipped(session: Session) -> None:
    a_consultant(session, weight=0)
    a_consultant(session, accepting=False)
    a_consultant(session, active=False)
    a_consultant(session, away_until=date(2025, 3, 3))
    back = a_consultant(session, away_until=date(2025, 3, 2))
    customers_waiting(session, 5)

    assert shared_out(session) == Shared(5, 0, {back.id: 5})


def test_without_anybody_customers_wait(session: Session) -> None:
    waiting = ids(customers_waiting(session, 2))

    shared = shared_out(session)

    reason = says("No active consultant has a weight above 0. Set one under Staff and quotas.")
    assert shared == Shared(0, 2, {}, reason)
    assert holders(session, waiting) == [None, None]


def test_room_that_appears_is_used_by_the_next_run(session: Session) -> None:
    consultant = a_consultant(session, max_customers=1)
    waiting = ids(customers_waiting(session, 2))
    shared_out(session)

    session.get_one(ConsultantQuota, consultant.id).max_customers = 2
    session.flush()
    shared = assign_waiting(session, SYSTEM, NOON)

    assert shared == Shared(1, 0, {consultant.id: 1})
    assert holders(session, waiting) == [consultant.id, consultant.id]


def test_only_live_customers_who_wait_are_given(session: Session) -> None:
    consultant = a_consultant(session)
    private, public = a_private_customer(session, consultant), a_public_customer(session)
    deleted = a_customer(session, deleted_at=NOON)

    shared = shared_out(session, [private.id, public.id, deleted.id, 999_999])

    assert shared == Shared()


def test_each_consultant_gets_one_notice_a_batch(session: Session) -> None:
    first, second = a_consultant(session), a_consultant(session)
    customers_waiting(session, 5)

    shared_out(session)

    told = {row.account_id: str(Says.loaded(row.title)) for row in session.exec(select(Notification)).all()}
    assert told == {first.account_id: "3 new customers", second.account_id: "2 new customers"}


def test_a_third_consultant_who_comes_and_goes_disturbs_nobody(session: Session) -> None:
    twice, once, third = (a_consultant(session, weight=weight) for weight in (2, 1, 1))
    given: Counter[int] = Counter()

    for turn in range(60):
        session.get_one(ConsultantQuota, third.id).accepting = turn % 2 == 1
        session.flush()
        customers_waiting(session, 1)
        given.update(shared_out(session).by_consultant)

    # 30 turns of 2:1 and 30 of 2:1:1.
    assert [given[each.id] for each in (twice, once, third)] == pytest.approx([35, 17.5, 7.5], abs=1)


def test_progress_is_told(session: Session) -> None:
    a_consultant(session)
    customers_waiting(session, 3)
    told: list[tuple[int, int]] = []

    share_out(session, None, now=NOON, by=SYSTEM, progress=lambda done, of: told.append((done, of)))

    assert told == [(3, 3)]


def test_the_round_is_remembered(engine: Engine) -> None:
    with writing() as session:
        for weight in (2, 1):
            a_consultant(session, weight=weight)
        customers_waiting(session, 4)
        shared_out(session)

    with reading() as session:
        kept = session.get_one(SharingRound, 1)
        quotas = session.exec(select(ConsultantQuota).order_by(col(ConsultantQuota.employee_id))).all()
        assert kept.step == 4
        assert kept.revision > 0
        assert [(q.served, q.carry, q.taking_part, q.round_weight) for q in quotas] == [
            (3, 0, True, 2),
            (1, 0, True, 1),
        ]
        assert sharing_round.redis_disagreements(session) == []


def test_thousands_at_once_are_given_as_few_are(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    for weight in (7, 5, 1):
        a_consultant(session, weight=weight)
    waiting = ids(customers_waiting(session, 60))
    monkeypatch.setattr("crm.store.assign_rows.MANY", 10)
    monkeypatch.setattr("crm.store.assign_rows.STEP", 25)
    told: list[tuple[int, int]] = []

    share_out(session, waiting, now=NOON, by=SYSTEM, progress=lambda done, of: told.append((done, of)))

    assert told == [(25, 60), (50, 60), (60, 60)]
    episodes = session.exec(select(Assignment.customer_id, Assignment.consultant_id)).all()
    assert sorted(episodes) == sorted(zip(waiting, holders(session, waiting), strict=True))
