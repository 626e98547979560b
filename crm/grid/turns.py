"""Whose turn it is to draw a list.

Drawing is Python's work, of which a process does one piece at a time. When 50 people filter at one moment, as many
threads only interrupt each other: one after the other, the last of them is served a third sooner.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event, Lock

PATIENCE = 0.25
"""Seconds for which one's turn holds up the next: a slow question of one person is not the wait of everybody."""


class _Turn:
    """One place in the line."""

    def __init__(self) -> None:
        self.begun = Event()
        self.over = Event()


class _Line:
    """The last place in the line, which the next to come stands behind."""

    def __init__(self) -> None:
        self._one = Lock()
        self._last = _Turn()
        self._last.begun.set()
        self._last.over.set()

    def join(self, mine: _Turn) -> _Turn:
        """Who stands before."""
        with self._one:
            before, self._last = self._last, mine
        return before


_LINE = _Line()


@contextmanager
def turn() -> Iterator[None]:
    """Waits for one's turn, in the order of coming, and passes it on at the end, however that comes."""
    mine = _Turn()
    before = _LINE.join(mine)
    try:
        before.begun.wait()
        before.over.wait(PATIENCE)
        mine.begun.set()
        yield
    finally:
        mine.begun.set()
        mine.over.set()
