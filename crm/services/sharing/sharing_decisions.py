"""Who gets the next customers: proposed by Redis as far as it goes, checked against the rule, else worked out here."""

import logging
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar
from uuid import uuid4

from crm.domain.sharing import NotByTheRule, Picks, Taking, follow, share
from crm.services.sharing.sharing_round import State
from crm.store.redis import CHUNK, Proposals

Part = TypeVar("Part")
_log = logging.getLogger(__name__)


class Decisions:
    """The decisions for the next `count` customers, in parts of at most `CHUNK`. Gone through once.

    At the end `after` is the round to remember, `revision` its number and `by_consultant` who got how many.

    The revision rises by 1 if Redis has the same round now, else by 2. What Redis took over in a transaction
    that was rolled back is ahead by 1, so it can never be taken for a later round of the same revision.
    """

    def __init__(self, state: State, taking: Sequence[Taking], count: int, redis: Proposals | None) -> None:
        self.after = state.round
        self.revision = state.revision
        self.by_consultant: Counter[int] = Counter()
        self._begun, self._left, self._count, self._redis = state.revision, list(taking), count, redis
        self._batch = uuid4().hex

    def __iter__(self) -> Iterator[Picks]:
        done, copied = 0, str(self._begun)
        while done < self._count:
            size = min(CHUNK, self._count - done)
            last = done + size == self._count
            after = str(self._begun + 1) if last else f"{self._begun}+{done + size}"
            picks = self._proposed(size, copied, after, f"{self._batch}:{done}")
            if picks is None:
                self._redis = None
                picks, self.after = share(self.after, self._left, size)
            taken = Counter(picks.ids)
            self._left = [one._replace(room=one.room - taken[one.id]) for one in self._left if one.room > taken[one.id]]
            self.by_consultant += taken
            done, copied = done + size, after
            yield picks
        self.revision = self._begun + (1 if self._redis else 2)

    def _proposed(self, size: int, revision: str, after: str, batch: str) -> Picks | None:
        """What Redis proposes, where the rule allows it. None without Redis, and from the first fault on."""
        if self._redis is None:
            return None
        ids = self._redis.propose(self.after, self._left, size, revision=revision, after=after, batch=batch)
        if ids is None:
            return None
        try:
            if len(ids) != size:
                raise NotByTheRule(f"{len(ids)} of {size} proposed")
            picks, self.after = follow(self.after, self._left, ids)
        except NotByTheRule as why:
            _log.warning("A proposal by Redis was not taken: %s", why)
            return None
        return picks


def ahead(parts: Iterator[Part]) -> Iterator[Part]:
    """The parts in their order, each made in a thread of its own while the one before it is being used.

    The database works while Python (and Redis) decide what it is given next.
    """
    end = object()
    with ThreadPoolExecutor(1, "ahead") as worker:
        coming = worker.submit(next, parts, end)
        while (part := coming.result()) is not end:
            coming = worker.submit(next, parts, end)
            yield part  # type: ignore[misc]
