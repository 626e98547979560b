"""The public pool: rule 5."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from sqlmodel import col, func, select

from crm.domain.customers import Customer, CustomerState
from crm.domain.episodes import Assignment, Origin
from crm.errors import NotAllowed, Refused
from crm.i18n import says
from crm.services.customers import pool
from crm.store.session import writing
from tests.builders import NOON, a_consultant, a_customer, a_private_customer, a_public_customer, an_actor, ids

GONE = says("This customer is no longer in the pool.")


def a_claimer(consultant):
    return an_actor(role="consultant", of=consultant)


def test_the_pool_hides_customers_from_their_last_holder_only(session):
    me, other = a_consultant(session), a_consultant(session)
    lost, theirs = a_public_customer(session, me), a_public_customer(session, other)
    nobodys = a_public_customer(session)
    a_private_customer(session, other)
    a_customer(session)
    a_public_customer(session, deleted_at=NOON)

    assert sorted(ids(session.exec(pool.visible_to(session, a_claimer(me))))) == [theirs.id, nobodys.id]
    assert sorted(ids(session.exec(pool.visible_to(session, a_claimer(other))))) == [lost.id, nobodys.id]
    assert len(session.exec(pool.visible_to(session, an_actor(role="sales_manager"))).all()) == 3
    with pytest.raises(NotAllowed):
        pool.visible_to(session, an_actor(role="lecturer"))


def test_a_claim_opens_an_episode_with_new_deadlines(session):
    me = a_consultant(session)
    customer = a_public_customer(session, a_consultant(session))

    due = pool.claim(session, a_claimer(me), customer.id, NOON)

    session.refresh(customer)
    assert (customer.state, customer.consultant_id, customer.version) == (CustomerState.PRIVATE, me.id, 2)
    assert (customer.follow_up_due_at, customer.deal_due_at) == due == (NOON + timedelta(3), NOON + timedelta(15))
    episode = session.exec(select(Assignment).where(col(Assignment.closed_at).is_(None))).one()
    assert (episode.consultant_id, episode.origin, episode.opened_at) == (me.id, Origin.CLAIMED, NOON)


def test_each_refusal_says_why(session):
    me, full, other = a_consultant(session), a_consultant(session, max_customers=0), a_consultant(session)
    lost, public = a_public_customer(session, me), a_public_customer(session)
    private = a_private_customer(session, other)
    held_last = says("You held this customer last, so somebody else has to claim it first.")

    for actor, customer_id, why in [
        (a_claimer(me), lost.id, held_last),
        (a_claimer(full), public.id, says("You hold {held} of {cap} customers.", held=0, cap=0)),
        (a_claimer(me), private.id, GONE),
        (a_claimer(me), 99_999, GONE),
    ]:
        with pytest.raises(Refused) as told:
            pool.claim(session, actor, customer_id, NOON)
        assert told.value.says == why


def test_only_an_active_consultant_with_a_quota_claims(session):
    left = a_consultant(session, active=False)
    customer = a_public_customer(session)

    for actor in (a_claimer(left), an_actor("pool.claim")):
        with pytest.raises(Refused, match="Only an active consultant"):
            pool.claim(session, actor, customer.id, NOON)
    with pytest.raises(NotAllowed):
        pool.claim(session, an_actor(role="sales_manager"), customer.id, NOON)


def test_many_are_claimed_in_order_as_far_as_there_is_room(session):
    me = a_consultant(session, max_customers=2)
    rows = ids([a_public_customer(session) for _ in range(3)])

    told = pool.claim_many(session, a_claimer(me), rows, NOON)

    assert told == {rows[0]: None, rows[1]: None, rows[2]: says("You hold {held} of {cap} customers.", held=2, cap=2)}


def test_the_claimed_again_by_another_is_free_for_the_first_holder_later(session):
    me, other = a_consultant(session), a_consultant(session)
    customer = a_public_customer(session, me, last_consultant_id=other.id)

    pool.claim(session, a_claimer(me), customer.id, NOON)

    assert session.exec(pool.visible_to(session, a_claimer(me))).all() == []


def test_of_many_simultaneous_claims_exactly_one_wins_and_no_cap_is_exceeded(engine):
    with writing(engine) as session:
        actors = [a_claimer(a_consultant(session, max_customers=cap)) for cap in (1, 2, 3, 4, 50, 50)]
        rows = ids([a_public_customer(session) for _ in range(25)])

    def grab(turn):
        actor = actors[turn % len(actors)]
        try:
            with writing(engine) as session:
                pool.claim(session, actor, rows[turn // len(actors)], NOON)
        except Refused:
            return None
        return actor.owner_id

    with ThreadPoolExecutor(12) as threads:
        winners = [winner for winner in threads.map(grab, range(len(rows) * len(actors))) if winner]

    with writing(engine) as session:
        held = dict(session.exec(select(Customer.consultant_id, func.count()).group_by(Customer.consultant_id)).all())
        open_episodes = session.exec(select(func.count()).select_from(Assignment)).one()
    assert len(winners) == open_episodes == len(rows)
    assert held == {actor.owner_id: winners.count(actor.owner_id) for actor in actors if actor.owner_id in winners}
    assert all(held.get(actor.owner_id, 0) <= cap for actor, cap in zip(actors, (1, 2, 3, 4, 50, 50), strict=True))


def test_two_claims_of_different_customers_cannot_both_take_the_last_place(engine):
    with writing(engine) as session:
        me = a_claimer(a_consultant(session, max_customers=3))
        rows = ids([a_public_customer(session) for _ in range(24)])

    def grab(customer_id):
        try:
            with writing(engine) as session:
                pool.claim(session, me, customer_id, NOON)
        except Refused as error:
            return error.says
        return None

    with ThreadPoolExecutor(12) as threads:
        told = list(threads.map(grab, rows))

    assert told.count(None) == 3
    assert set(told) == {None, says("You hold {held} of {cap} customers.", held=3, cap=3)}
