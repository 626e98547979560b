"""Places in a class, on every day from joining until the day before leaving."""

from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from crm.domain.places import Place, free_from, joins_on, most_at_once

FIRST = date(2025, 3, 3)
days = st.integers(0, 12).map(lambda number: FIRST + timedelta(days=number))
places = st.tuples(days, st.none() | st.integers(0, 6)).map(
    lambda pair: Place(pair[0], None if pair[1] is None else pair[0] + timedelta(days=pair[1]))
)


@given(st.lists(places, max_size=8), days)
def test_the_most_at_once_is_what_counting_every_day_gives(some, since):
    counted = [sum(place.holds_on(since + timedelta(days=number)) for place in some) for number in range(40)]

    assert most_at_once(some, since) == max(counted)


@given(st.lists(places, max_size=4), days)
def test_the_day_that_is_free_is_free_for_good_and_no_earlier_one_is(own, wanted):
    day = free_from(own, wanted)

    if day is None:
        assert any(place.left_on is None for place in own)
    else:
        assert most_at_once(own, day) == 0
        assert day == wanted or any(place.left_on == day for place in own)


def test_nobody_joins_before_the_class_begins():
    later = FIRST + timedelta(days=5)

    assert joins_on(None, FIRST, later) == later
    assert joins_on(None, later, FIRST) == later
    assert joins_on(FIRST, later, FIRST) == FIRST
