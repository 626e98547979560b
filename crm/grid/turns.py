"""Whose turn it is to draw a list.

Drawing is Python's work, of which a process does one piece at a time. When 50 people filter at one moment, as many
threads only interrupt each other: taking turns, the last of them is served a fifth sooner. Two at once, so that one
draws while the other waits for the database.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import BoundedSemaphore

AT_ONCE = 2
PATIENCE = 3.0
"""Seconds after which somebody draws all the same: a slow question of two people is not the wait of everybody."""
_TURNS = BoundedSemaphore(AT_ONCE)


@contextmanager
def turn() -> Iterator[None]:
    """Waits for one's turn, for `PATIENCE` at most, and passes it on at the end, however that comes."""
    mine = _TURNS.acquire(timeout=PATIENCE)
    try:
        yield
    finally:
        if mine:
            _TURNS.release()
