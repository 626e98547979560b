"""What a run leaves behind: cheap to look for, and not kept for good."""

import gc
import weakref

import pytest

from crm.ui import garbage


class Loop:
    """Something that only the collector frees."""

    def __init__(self) -> None:
        self.me = self


@pytest.fixture(autouse=True)
def _as_it_was():
    yield
    gc.unfreeze()


def test_what_lives_when_a_run_begins_is_not_looked_at_after_it() -> None:
    gc.unfreeze()
    everything = len(gc.get_objects())

    garbage.put_aside()

    assert len(gc.get_objects()) < everything / 10


def test_what_dies_while_put_aside_is_freed_all_the_same() -> None:
    one = Loop()
    gone = weakref.ref(one)
    garbage.put_aside()
    del one
    gc.collect()
    put_aside_meanwhile = gone() is not None

    for _ in range(garbage.THOROUGH):
        garbage.put_aside()

    assert put_aside_meanwhile
    assert gone() is None
