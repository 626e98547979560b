"""One draws at a time, in the order of coming; nobody waits for a slow one, and a turn is passed on however it ends."""

from threading import Event, Thread

import pytest

from crm.grid import turns


def test_one_draws_at_a_time_and_each_gets_a_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(turns, "PATIENCE", 60)
    inside, most, drawn = set(), [], []

    def draw(number: int) -> None:
        with turns.turn():
            inside.add(number)
            most.append(len(inside))
            Event().wait(0.005)
            inside.discard(number)
            drawn.append(number)

    threads = [Thread(target=draw, args=(number,)) for number in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert max(most) == 1
    assert sorted(drawn) == list(range(20))


def test_a_turn_that_ends_in_an_error_is_passed_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(turns, "PATIENCE", 60)

    for _ in range(2):
        with pytest.raises(ZeroDivisionError), turns.turn():
            raise ZeroDivisionError


def test_one_that_is_slow_holds_nobody_up_for_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(turns, "PATIENCE", 0.01)

    with turns.turn(), turns.turn(), turns.turn():
        pass

    with turns.turn():
        pass
