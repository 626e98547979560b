"""Few draw at once; nobody waits for ever, and a turn is passed on however it ends."""

from threading import Event, Thread

import pytest

from crm.grid import turns


def test_no_more_than_two_draw_at_once_and_each_gets_a_turn() -> None:
    inside, most, drawn, leave = set(), [], [], Event()

    def draw(number: int) -> None:
        with turns.turn():
            inside.add(number)
            most.append(len(inside))
            leave.wait(0.01)
            inside.discard(number)
        drawn.append(number)

    threads = [Thread(target=draw, args=(number,)) for number in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert max(most) <= turns.AT_ONCE
    assert sorted(drawn) == list(range(20))


def test_a_turn_that_ends_in_an_error_is_passed_on() -> None:
    for _ in range(turns.AT_ONCE + 1):
        with pytest.raises(ZeroDivisionError), turns.turn():
            raise ZeroDivisionError


def test_who_waited_long_enough_draws_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(turns, "PATIENCE", 0.01)

    with turns.turn(), turns.turn(), turns.turn():
        pass

    with turns.turn(), turns.turn():
        pass
