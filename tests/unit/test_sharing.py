"""The rule of sharing out."""

from collections import Counter
from collections.abc import Sequence
from fractions import Fraction
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crm.domain import sharing
from crm.domain.sharing import CARRY_MAX, Member, NotByTheRule, Round, Taking, follow, turned

PLENTY = 10**9

weights = st.lists(st.one_of(st.integers(1, 20), st.integers(1, 1000)), min_size=1, max_size=30)
some_taking = st.lists(
    st.tuples(st.integers(1, 40), st.sampled_from([1, 2, 3, 10, 100, 1000]), st.integers(1, 30)),
    min_size=1,
    max_size=12,
    unique_by=lambda one: one[0],
).map(lambda rows: [Taking(*row) for row in rows])


def taking(*weights: int, room: int = PLENTY) -> list[Taking]:
    return [Taking(number, weight, room) for number, weight in enumerate(weights, 1)]


def share(now: Round, able: list[Taking], count: int) -> tuple[list[int], Round]:
    """The rule, with the ids alone of those who are picked."""
    picks, after = sharing.share(now, able, count)
    return [pick.id for pick in picks], after


def worst_deviation(weights: Sequence[int], picks: Sequence[int]) -> Fraction:
    """The largest distance from the exact share, over every prefix and every consultant."""
    total, counts = sum(weights), [0] * len(weights)
    worst = 0
    for step, pick in enumerate(picks, 1):
        counts[pick - 1] += 1
        worst = max(
            worst, max(abs(count * total - weight * step) for count, weight in zip(counts, weights, strict=True))
        )
    return Fraction(worst, total)


@settings(deadline=None, max_examples=60)
@given(weights, st.integers(1, 300))
def test_after_every_assignment_everybody_is_less_than_one_off_the_exact_share(weights: list[int], count: int) -> None:
    picks, _ = share(Round(), taking(*weights), count)

    assert worst_deviation(weights, picks) < 1


@pytest.mark.parametrize("weights", [[100, *[1] * 100], [1000, 1], [1000, 999, 1], [10] * 12, [1], [3, 3, 3, 1]])
def test_skewed_weights_are_no_exception(weights: list[int]) -> None:
    picks, _ = share(Round(), taking(*weights), 3 * sum(weights))

    assert worst_deviation(weights, picks) < 1


@settings(deadline=None, max_examples=60)
@given(weights, st.lists(st.integers(-CARRY_MAX, CARRY_MAX), min_size=30, max_size=30), st.integers(1, 200))
def test_what_is_owed_from_before_never_moves_anybody_by_a_whole_customer(
    weights: list[int], carries: list[int], count: int
) -> None:
    members = sorted(
        (
            Member(number, weight, 0, carry)
            for (number, weight), carry in zip(enumerate(weights, 1), carries, strict=False)
        ),
        key=lambda member: (-member.weight, member.id),
    )

    picks, _ = share(Round(0, tuple(members)), taking(*weights), count)

    assert worst_deviation(weights, picks) < 1


@settings(deadline=None, max_examples=60)
@given(some_taking, st.lists(st.integers(1, 40), min_size=1, max_size=8))
def test_one_call_for_many_gives_the_same_as_many_calls(able: list[Taking], cuts: list[int]) -> None:
    together, after_together = share(Round(), able, sum(cuts))

    one_by_one: list[int] = []
    now = Round()
    for count in cuts:
        taken = Counter(one_by_one)
        left = [one._replace(room=one.room - taken[one.id]) for one in able if one.room > taken[one.id]]
        picks, now = share(now, left, count)
        one_by_one += picks

    assert one_by_one == together
    assert now == after_together


@settings(deadline=None, max_examples=60)
@given(some_taking, st.integers(0, 500))
def test_nobody_gets_more_than_there_is_room_and_no_room_stays_empty(able: list[Taking], count: int) -> None:
    picks, _ = share(Round(), able, count)

    given_to = Counter(picks)
    assert all(given_to[one.id] <= one.room for one in able)
    assert len(picks) == min(count, sum(one.room for one in able))


def test_the_order_in_which_consultants_are_named_does_not_matter() -> None:
    able = taking(5, 3, 3, 1)

    assert share(Round(), able, 50) == share(Round(), able[::-1], 50)


def test_ties_go_to_the_larger_weight_then_to_the_smaller_id() -> None:
    picks, _ = share(Round(), taking(1, 1, 2), 4)

    assert picks == [3, 1, 2, 3]


@pytest.mark.parametrize("length", [1, 2, 3, 5, 7, 20])
@pytest.mark.parametrize("weights", [(2, 1, 1), (10, 10, 10, 10, 20, 5, 7), (100, *[1] * 30, 5)])
def test_somebody_who_comes_and_goes_favours_nobody(weights: tuple[int, ...], length: int) -> None:
    now, got, exact = Round(), Counter[int](), Counter[int]()

    for turn in range(200):
        able = taking(*weights)[: len(weights) - turn % 2]
        picks, now = share(now, able, length)
        got.update(picks)
        total = sum(one.weight for one in able)
        for one in able:
            exact[one.id] += Fraction(length * one.weight, total)  # type: ignore[assignment]

    steady = range(1, len(weights))
    assert max(abs(got[each] - exact[each]) for each in steady) < 4
    assert abs(got[len(weights)] - exact[len(weights)]) < max(4, exact[len(weights)] / 5)


def test_newcomers_start_level() -> None:
    _, now = share(Round(), taking(10, 10), 1000)

    picks, _ = share(now, taking(10, 10, 10), 30)

    assert Counter(picks) == {1: 10, 2: 10, 3: 10}
    assert worst_deviation([10, 10, 10], picks) < 1


def test_those_who_come_back_start_level() -> None:
    _, now = share(Round(), taking(10, 10, 10), 30)
    _, now = share(now, taking(10, 10), 500)

    picks, _ = share(now, taking(10, 10, 10), 30)

    assert Counter(picks) == {1: 10, 2: 10, 3: 10}


def test_a_changed_weight_begins_a_new_round_that_takes_along_what_is_owed() -> None:
    now = Round(2, (Member(1, 2, 2), Member(2, 1, 0)))

    assert turned(now, [Taking(1, 2, 9), Taking(2, 3, 9)]) == Round(0, (Member(2, 3, 0, 6667), Member(1, 2, 0, -6667)))


def test_the_same_set_with_the_same_weights_stays_in_its_round() -> None:
    now = Round(2, (Member(1, 2, 1), Member(2, 1, 1)))

    assert turned(now, taking(2, 1)) is now


def test_nobody_or_nothing_changes_nothing() -> None:
    now = Round(2, (Member(1, 2, 1), Member(2, 1, 1)))

    assert share(now, [], 5) == ([], now)
    assert share(now, taking(7), 0) == ([], now)


@settings(deadline=None, max_examples=40)
@given(some_taking, st.integers(1, 200))
def test_following_the_order_tells_the_reason_of_each_and_ends_alike(able: list[Taking], count: int) -> None:
    picks, after = sharing.share(Round(), able, count)

    followed = follow(Round(), able, [pick.id for pick in picks])

    assert followed == (picks, after)
    assert all(abs(pick.served * pick.total - pick.weight * pick.step) < pick.total for pick in picks)


@pytest.mark.parametrize(
    ("order", "why"),
    [([9], "consultant 9"), ([1, 1, 1], "consultant 1"), ([2, 2], "consultant 2")],
)
def test_a_proposal_against_the_rule_is_not_followed(order: list[int], why: str) -> None:
    with pytest.raises(NotByTheRule, match=why):
        follow(Round(), [Taking(1, 1, 1), Taking(2, 1, 9)], order)


def test_300_random_sets_of_weights() -> None:
    random = Random(2025)
    worst = Fraction(0)

    for _ in range(300):
        weights = [random.randint(1, 100) for _ in range(random.randint(3, 50))]
        picks, _ = share(Round(), taking(*weights), 150)
        worst = max(worst, worst_deviation(weights, picks))

    assert worst < 1
