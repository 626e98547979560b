"""What a run leaves behind: cheap to look for, and not kept for good."""

import gc
import weakref
from collections.abc import Iterator
from itertools import count

import pytest

from crm.ui.serving import garbage


class Loop:
    """Something that only the collector frees."""

    def __init__(self) -> None:
        self.me = self


@pytest.fixture(autouse=True)
def _cheap(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(garbage, "_collections", count(1))
    before, threshold = list(gc.callbacks), gc.get_threshold()
    garbage.keep_cheap()
    yield
    gc.callbacks[:] = before
    gc.set_threshold(*threshold)
    gc.unfreeze()


def test_a_collection_of_everything_looks_at_next_to_nothing() -> None:
    gc.unfreeze()
    everything = len(gc.get_objects())

    gc.collect()

    assert len(gc.get_objects()) < everything / 10


def test_what_dies_while_put_aside_is_freed_all_the_same() -> None:
    one = Loop()
    gone = weakref.ref(one)
    gc.collect()
    del one
    gc.collect()
    put_aside_meanwhile = gone() is not None

    for _ in range(garbage.THOROUGH):
        gc.collect()

    assert put_aside_meanwhile
    assert gone() is None


def test_it_is_asked_for_as_often_as_one_likes() -> None:
    asked = len(gc.callbacks)

    garbage.keep_cheap()

    assert len(gc.callbacks) == asked
