"""The 02:00 rule on real databases: rule 4 and 6."""

import random
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import partial

import pytest
from sqlmodel import col, func, select

from crm.domain.customers import Customer, CustomerState
from crm.domain.deadlines import Deadlines
from crm.domain.episodes import Assignment, Outcome
from crm.domain.expiry import Held, Lapses, verdict
from crm.domain.payments import PaymentState
from crm.domain.records import Notification
from crm.errors import NotAllowed
from crm.i18n import Says, says
from crm.services.access.permissions import SYSTEM
from crm.services.customers import follow_ups, holding, pool
from crm.services.customers.expiry import Kept, expire
from crm.store.session import reading, writing
from tests.builders import NOON, a_consultant, a_payment, a_private_customer, an_actor, ids

RUN = datetime(2025, 3, 6, 18, 0, tzinfo=UTC)
"""Friday 02:00 in Shanghai."""
SECOND = timedelta(seconds=1)


def run(engine, now=RUN, **options):
    return expire(partial(writing, engine), SYSTEM, now=now, open_reading=partial(reading, engine), **options)


def counts(done):
    return done.no_follow_up, done.no_deal, done.skipped


def due(session, consultant, follow_up, deal=RUN + timedelta(days=1), **values):
    customer = a_private_customer(session, consultant, since=NOON - timedelta(days=20))
    customer.follow_up_due_at, customer.deal_due_at = follow_up, deal
    for name, value in values.items():
        setattr(customer, name, value)
    session.add(customer)
    session.flush()
    return customer


def rows(engine):
    with reading(engine) as session:
        return {row.id: row for row in session.exec(select(Customer))}


def closed(engine):
    with reading(engine) as session:
        return {
            row.customer_id: (row.outcome, row.closed_at)
            for row in session.exec(select(Assignment).where(col(Assignment.closed_at).is_not(None)))
        }


def notices(engine):
    told = defaultdict(list)
    with reading(engine) as session:
        for row in session.exec(select(Notification)):
            told[row.account_id].append(Says.loaded(row.body))
    return told


def told(**counts):
    return says(
        "At {run}. Without a follow-up in time: {no_follow_up}. Without a deal in time: {no_deal}.", run=RUN, **counts
    )


def test_deadlines_count_to_the_second(engine):
    with writing(engine) as session:
        me = a_consultant(session)
        at, before, after = (due(session, me, RUN + each) for each in (0 * SECOND, -SECOND, SECOND))
        tie, deal = due(session, me, RUN - SECOND, RUN - SECOND), due(session, me, RUN, RUN - SECOND)

    done = run(engine)

    assert (done.run, counts(done)) == (RUN, (2, 2, 0))
    assert closed(engine) == {
        at.id: (Outcome.NO_FOLLOW_UP, RUN),
        before.id: (Outcome.NO_FOLLOW_UP, RUN),
        tie.id: (Outcome.NO_DEAL, RUN),
        deal.id: (Outcome.NO_DEAL, RUN),
    }
    lost, stays = rows(engine)[at.id], rows(engine)[after.id]
    assert (lost.state, lost.consultant_id, lost.last_consultant_id, lost.version) == (
        CustomerState.PUBLIC,
        None,
        me.id,
        2,
    )
    assert (stays.state, stays.version) == (CustomerState.PRIVATE, 1)


def test_before_two_o_clock_who_lapsed_is_still_private(engine):
    with writing(engine) as session:
        customer = due(session, a_consultant(session), RUN - timedelta(hours=3))

    done = run(engine, now=RUN - SECOND)

    assert (done.run, counts(done)) == (RUN - timedelta(days=1), (0, 0, 0))
    assert rows(engine)[customer.id].state is CustomerState.PRIVATE


def test_a_late_run_gives_the_result_of_an_on_time_run(engine):
    with writing(engine) as session:
        me = a_consultant(session)
        actor = an_actor(role="consultant", of=me)
        followed, paid, later = due(session, me, RUN), due(session, me, RUN), due(session, me, RUN + SECOND)
    with writing(engine) as session:
        late = RUN + timedelta(minutes=5)
        follow_ups.record(session, actor, followed.id, channel="phone", note="Too late.", now=late)
        a_payment(session, paid, recorded_at=late)

    done = run(engine, now=RUN + timedelta(hours=23))

    assert (done.run, counts(done)) == (RUN, (2, 0, 0))
    assert closed(engine) == {each.id: (Outcome.NO_FOLLOW_UP, RUN) for each in (followed, paid)}
    assert rows(engine)[later.id].state is CustomerState.PRIVATE


def test_a_second_run_changes_nothing(engine):
    with writing(engine) as session:
        due(session, a_consultant(session), RUN)
    run(engine)
    before = rows(engine), closed(engine)

    done = run(engine, now=RUN + timedelta(hours=1))

    assert counts(done) == (0, 0, 0)
    assert (rows(engine), closed(engine)) == before


def test_payments_and_extensions_are_passed_over_and_said_so(engine):
    with writing(engine) as session:
        me = a_consultant(session)
        paid, extended = due(session, me, RUN), due(session, me, RUN, extended_until=RUN + SECOND)
        rejected, ended = due(session, me, RUN), due(session, me, RUN, extended_until=RUN)
        a_payment(session, paid)
        a_payment(session, rejected, PaymentState.REJECTED)

    done = run(engine)

    assert counts(done) == (2, 0, 2)
    assert sorted(done.kept, key=lambda kept: kept.customer_id) == [
        Kept(paid.id, says("A payment awaits confirmation.")),
        Kept(extended.id, says("A manager extended the time until {until}.", until=RUN + SECOND)),
    ]
    assert set(closed(engine)) == {rejected.id, ended.id}


def test_what_came_in_time_counts_although_the_run_has_read_its_list(engine):
    with writing(engine) as session:
        me = a_consultant(session)
        boss = an_actor("customers.extend")
        extended, paid, dealt, lost = (
            due(session, me, RUN),
            due(session, me, RUN),
            due(session, me, RUN, RUN),
            due(session, me, RUN),
        )
        dealt.deal_due_at = RUN + SECOND

    @contextmanager
    def read_a_moment_before():
        with reading(engine) as session:
            yield session
        # They began before two o'clock and waited for nothing but the database.
        with writing(engine) as session:
            holding.extend_many(session, boss, [extended.id], RUN - SECOND, until=RUN + timedelta(days=1))
            a_payment(session, session.get(Customer, paid.id), recorded_at=RUN - SECOND)
            session.get(Customer, dealt.id).follow_up_due_at = RUN + timedelta(days=2)
            session.get(Customer, dealt.id).deal_due_at = RUN

    done = expire(partial(writing, engine), SYSTEM, now=RUN, open_reading=read_a_moment_before)

    assert counts(done) == (1, 1, 0)
    assert closed(engine) == {dealt.id: (Outcome.NO_DEAL, RUN), lost.id: (Outcome.NO_FOLLOW_UP, RUN)}


def test_a_dry_run_tells_and_does_nothing(engine):
    with writing(engine) as session:
        me = a_consultant(session)
        due(session, me, RUN), due(session, me, RUN, RUN), due(session, me, RUN, extended_until=RUN + SECOND)
    before = rows(engine)

    done = run(engine, dry_run=True)

    assert counts(done) == (1, 1, 1)
    assert (rows(engine), closed(engine)) == (before, {})


def test_the_deleted_and_those_whom_nobody_holds_are_left_alone(engine):
    with writing(engine) as session:
        due(session, a_consultant(session), RUN, deleted_at=NOON)

    assert counts(run(engine)) == (0, 0, 0)


def test_each_consultant_is_told_once_without_a_customers_name(engine):
    with writing(engine) as session:
        consultants = [a_consultant(session) for _ in range(3)]
        for each in range(7):
            due(session, consultants[each % 2], RUN, RUN if each == 0 else RUN + SECOND)

    run(engine, chunk=4, pause=0)

    assert notices(engine) == {
        consultants[0].account_id: [told(no_follow_up=3, no_deal=1)],
        consultants[1].account_id: [told(no_follow_up=3, no_deal=0)],
    }


class Crash(Exception):
    """The end of a process, wherever it comes."""


def test_a_run_that_was_cut_off_goes_on_and_tells_everything_once(engine):
    with writing(engine) as session:
        consultants = [a_consultant(session) for _ in range(2)]
        for each in range(9):
            due(session, consultants[each % 2], RUN)
    left = [2]

    def crashing():
        left[0] -= 1
        if left[0] < 0:
            raise Crash
        return writing(engine)

    with pytest.raises(Crash):
        expire(crashing, SYSTEM, now=RUN, chunk=2, pause=0, open_reading=partial(reading, engine))
    assert (len(closed(engine)), notices(engine)) == (4, {})
    done = run(engine, chunk=2, pause=0)
    run(engine)

    assert (counts(done), len(closed(engine))) == ((5, 0, 0), 9)
    assert notices(engine) == {
        consultants[0].account_id: [told(no_follow_up=5, no_deal=0)],
        consultants[1].account_id: [told(no_follow_up=4, no_deal=0)],
    }


@pytest.mark.parametrize("chunk", [1, 3, 1000])
def test_small_parts_give_the_same_result_as_one(engine, chunk):
    with writing(engine) as session:
        consultants = [a_consultant(session) for _ in range(3)]
        expected = ids([due(session, consultants[each % 3], RUN) for each in range(10)])

    done = run(engine, chunk=chunk, pause=0)

    assert counts(done) == (10, 0, 0)
    assert sorted(closed(engine)) == expected


def test_two_runs_at_once_expire_each_customer_once(engine):
    with writing(engine) as session:
        consultants = [a_consultant(session) for _ in range(4)]
        expected = ids([due(session, consultants[each % 4], RUN) for each in range(60)])

    with ThreadPoolExecutor(2) as threads:
        both = list(threads.map(lambda _: run(engine, chunk=5, pause=0.001), range(2)))

    assert sum(done.no_follow_up for done in both) == 60
    assert sorted(closed(engine)) == expected
    assert {row.version for row in rows(engine).values()} == {2}


def test_what_expired_can_be_claimed_by_another(engine):
    with writing(engine) as session:
        me, other = a_consultant(session), a_consultant(session)
        customer = due(session, me, RUN)
    run(engine)

    with writing(engine) as session:
        assert session.exec(pool.visible_to(session, an_actor(role="consultant", of=me))).all() == []
        pool.claim(session, an_actor(role="consultant", of=other), customer.id, RUN + SECOND)

    with reading(engine) as session:
        episodes = session.exec(select(Assignment.consultant_id, Assignment.outcome).order_by(Assignment.id)).all()
    assert [tuple(each) for each in episodes] == [(me.id, Outcome.NO_FOLLOW_UP), (other.id, Outcome.FOLLOWING)]


def test_the_run_and_the_rule_agree_on_every_customer(engine):
    chance = random.Random(7)
    with writing(engine) as session:
        me = a_consultant(session)
        expected = {}
        for _ in range(120):
            follow_up, deal, until, paid = (RUN + chance.randint(-2, 2) * SECOND for _ in range(4))
            until, paid = chance.choice([None, until]), chance.choice([None, None, paid])
            customer = due(session, me, follow_up, deal, extended_until=until)
            if paid:
                a_payment(session, customer, recorded_at=paid)
            judged = verdict(Held(Deadlines(follow_up, deal), until, paid), RUN)
            if isinstance(judged, Lapses):
                expected[customer.id] = (judged.outcome, RUN)

    run(engine)

    assert closed(engine) == expected


def test_every_lapsed_customer_is_public_with_a_closed_episode_and_no_other(engine):
    with writing(engine) as session:
        me = a_consultant(session)
        for each in range(10):
            due(session, me, RUN + (each - 5) * SECOND)

    run(engine, chunk=2, pause=0)

    with reading(engine) as session:
        private = session.exec(select(func.count()).where(col(Customer.state) == CustomerState.PRIVATE)).one()
        open_episodes = session.exec(select(func.count()).where(col(Assignment.closed_at).is_(None))).one()
    assert private == open_episodes == 4


def test_it_needs_its_permission(engine):
    with pytest.raises(NotAllowed):
        expire(partial(writing, engine), an_actor(role="sales_manager"), now=RUN)
