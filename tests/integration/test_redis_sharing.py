"""Redis proposes: the same order as without it, and nothing lost whatever becomes of it."""

import logging
import time
from collections import Counter
from pathlib import Path

import pytest
import redis as redis_py
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine
from sqlmodel import Session, col, select

from crm.domain.customers import Customer
from crm.domain.sharing import CARRY_MAX, Member, Round, Taking, share
from crm.domain.staff import SharingRound
from crm.services.access.permissions import SYSTEM
from crm.services.sharing.assignment import share_out
from crm.services.sharing.sharing_round import redis_disagreements
from crm.store import redis as store
from crm.store.redis import ROUND_KEY, Proposals
from crm.store.session import reading, writing
from tests.builders import NOON, a_consultant, customers_waiting, ids
from tests.servers import Redis

pytestmark = pytest.mark.redis

members = st.lists(
    st.tuples(
        st.integers(1, 10**9),
        st.one_of(st.integers(1, 20), st.integers(1, 1000)),
        st.integers(-CARRY_MAX, CARRY_MAX),
        st.integers(1, 50),
    ),
    min_size=1,
    max_size=25,
    unique_by=lambda one: one[0],
)


@pytest.fixture
def proposals(redis_url: str) -> Proposals:
    made = Proposals(redis_url)
    yield made
    made.close()


@settings(deadline=None, max_examples=80, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(members, st.integers(1, 300), st.integers(1, 300), st.data())
def test_lua_gives_the_order_that_python_gives(
    proposals: Proposals, rows: list[tuple[int, int, int, int]], first: int, second: int, data: st.DataObject
) -> None:
    now = Round(0, tuple(sorted((Member(i, w, 0, c) for i, w, c, _ in rows), key=lambda m: (-m.weight, m.id))))

    for revision, count in enumerate((first, second)):
        everybody = [Taking(i, w, room) for i, w, _, room in rows]
        able = data.draw(st.lists(st.sampled_from(everybody), min_size=1, unique=True))
        count = min(count, sum(one.room for one in able))
        expected, after = share(now, able, count)
        name = f"{time.monotonic_ns()}"
        proposed = proposals.propose(now, able, count, revision=str(revision), after=str(revision + 1), batch=name)

        assert proposed == [pick.id for pick in expected]
        assert proposals.copy() == (str(revision + 1), after)
        now = after


def test_the_same_batch_asked_again_gives_the_same_answer_and_changes_nothing(proposals: Proposals) -> None:
    able = [Taking(1, 2, 9), Taking(2, 1, 9)]
    first = proposals.propose(Round(), able, 4, revision="0", after="1", batch="b")
    copy = proposals.copy()

    again = proposals.propose(Round(), able, 4, revision="0", after="1", batch="b")

    assert again == first == [1, 2, 1, 1]
    assert proposals.copy() == copy


def test_a_round_that_redis_has_wrong_is_replaced_by_the_database_s(proposals: Proposals, redis_url: str) -> None:
    now = Round(3, (Member(1, 2, 2, 0), Member(2, 1, 1, 0)))
    with redis_py.Redis.from_url(redis_url) as client:
        client.set(ROUND_KEY, store.written(Round(300, (Member(9, 1, 300, 0),)), "7"))

    proposed = proposals.propose(now, [Taking(1, 2, 9), Taking(2, 1, 9)], 3, revision="7", after="8", batch="b")

    assert proposed == [pick.id for pick in share(now, [Taking(1, 2, 9), Taking(2, 1, 9)], 3)[0]]


def test_a_redis_that_is_away_is_noticed_once_and_left_alone(caplog: pytest.LogCaptureFixture) -> None:
    away = Proposals("redis://127.0.0.1:1/0")

    with caplog.at_level(logging.WARNING):
        begun = time.monotonic()
        answers = [
            away.propose(Round(), [Taking(1, 1, 9)], 1, revision="0", after="1", batch=str(each)) for each in range(50)
        ]

    assert answers == [None] * 50
    assert time.monotonic() - begun < 3
    assert len(caplog.records) == 1


def test_a_redis_that_was_started_again_is_used_again(tmp_path: Path) -> None:
    server = Redis(tmp_path / "redis")
    proposals = Proposals(server.url)
    able = [Taking(1, 1, 9)]
    try:
        assert proposals.propose(Round(), able, 1, revision="0", after="1", batch="a") == [1]

        server.kill()
        server.start()

        assert proposals.propose(Round(), able, 1, revision="0", after="1", batch="b") == [1]
    finally:
        proposals.close()
        server.kill()


def test_a_redis_that_hangs_costs_one_short_wait(redis_server: Redis, redis_url: str) -> None:
    with redis_py.Redis.from_url(redis_url) as client:
        client.client_pause(4000, all=True)
        hanging = Proposals(redis_url)
        begun = time.monotonic()
        try:
            for each in range(3):
                name = str(each)
                assert hanging.propose(Round(), [Taking(1, 1, 9)], 1, revision="0", after="1", batch=name) is None
            assert time.monotonic() - begun < store.ANSWER_SECONDS + 1
        finally:
            hanging.close()
            time.sleep(max(0.0, 4.1 - (time.monotonic() - begun)))


def a_school(session: Session, customers: int = 40) -> list[int]:
    for weight, cap in ((7, 9), (5, 200), (1, 200)):
        a_consultant(session, weight=weight, max_customers=cap)
    return ids(customers_waiting(session, customers))


def holders(session: Session) -> list[int | None]:
    return list(session.exec(select(Customer.consultant_id).order_by(col(Customer.id))))


def expected_holders(engine: Engine) -> list[int | None]:
    """Who holds whom where nobody ever heard of Redis."""
    with pytest.raises(ZeroDivisionError), writing(engine) as session:
        share_out(session, None, now=NOON, by=SYSTEM, redis=Proposals("redis://127.0.0.1:1/0"))
        result = holders(session)
        raise ZeroDivisionError
    return result


def test_flushed_between_assignments_the_order_goes_on(engine: Engine, redis_url: str, redis_server: Redis) -> None:
    with writing() as session:
        waiting = a_school(session)
    expected = expected_holders(engine)

    for each in waiting:
        with writing() as session:
            share_out(session, [each], now=NOON, by=SYSTEM)
        redis_server.flush()

    with reading() as session:
        assert holders(session) == expected


def test_killed_in_the_middle_of_a_batch_the_order_goes_on(
    engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with writing() as session:
        a_school(session)
    expected = expected_holders(engine)
    server = Redis(tmp_path / "redis")
    proposals = Proposals(server.url)
    monkeypatch.setattr("crm.services.sharing.sharing_decisions.CHUNK", 7)
    asked = Counter[str]()

    class DyingProposals(Proposals):
        """The real ones, whose server is killed after the second part."""

        def _ask(self, keys: tuple[str, str], arguments: tuple[object, ...]) -> str:
            asked["parts"] += 1
            if asked["parts"] == 4:
                server.kill()
            return super()._ask(keys, arguments)

    with writing() as session:
        share_out(session, None, now=NOON, by=SYSTEM, redis=DyingProposals(server.url))
    proposals.close()

    assert asked["parts"] == 4
    with reading() as session:
        assert holders(session) == expected


def test_after_a_rolled_back_transaction_redis_is_put_right(engine: Engine, redis_url: str) -> None:
    with writing() as session:
        waiting = a_school(session)
    expected = expected_holders(engine)

    for each in waiting:
        with pytest.raises(ZeroDivisionError), writing() as session:
            share_out(session, waiting, now=NOON, by=SYSTEM)
            raise ZeroDivisionError
        with writing() as session:
            share_out(session, [each], now=NOON, by=SYSTEM)

    with reading() as session:
        assert holders(session) == expected
        assert redis_disagreements(session) == []


def test_what_redis_took_over_from_a_rolled_back_transaction_is_never_taken_for_true(
    engine: Engine, redis_url: str
) -> None:
    with writing() as session:
        waiting = a_school(session)
    with pytest.raises(ZeroDivisionError), writing() as session:
        share_out(session, waiting[:5], now=NOON, by=SYSTEM)
        raise ZeroDivisionError

    with writing() as session:
        share_out(session, waiting[:1], now=NOON, by=SYSTEM, redis=Proposals("redis://127.0.0.1:1/0"))

    with reading() as session:
        copy = store.proposals().copy()
        assert copy is not None
        assert copy[0] != str(session.get_one(SharingRound, 1).revision)
        assert redis_disagreements(session) == []


def test_the_doctor_sees_where_redis_disagrees(engine: Engine, redis_url: str) -> None:
    with writing() as session:
        waiting = a_school(session)
        share_out(session, waiting[:5], now=NOON, by=SYSTEM)
    with reading() as session:
        assert redis_disagreements(session) == []
        revision = str(session.get_one(SharingRound, 1).revision)

    with redis_py.Redis.from_url(redis_url) as client:
        client.set(ROUND_KEY, store.written(Round(5, (Member(999, 7, 5, 0),)), revision))

    with reading() as session:
        assert "999" in str(redis_disagreements(session)[0])


def test_a_proposal_beyond_the_caps_is_not_taken(
    engine: Engine, redis_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    with writing() as session:
        a_school(session)
    expected = expected_holders(engine)

    class LyingProposals(Proposals):
        """Proposals of a Redis that somebody tampered with: always the same consultant."""

        def _ask(self, keys: tuple[str, str], arguments: tuple[object, ...]) -> str:
            return ",".join(["1"] * int(str(arguments[3])))

    with writing() as session, caplog.at_level(logging.WARNING):
        share_out(session, None, now=NOON, by=SYSTEM, redis=LyingProposals(redis_url))

    with reading() as session:
        assert holders(session) == expected
    assert "was not taken" in caplog.text
