"""Who gets the next customer: the quota method, integers only, the same in Python and in Lua.

A *round* lasts as long as the set of consultants and their weights stay the same. With weights w of
total W, each consultant's pick number j (from 0) has a window of steps: from floor(j*W/w) + 1 to its
deadline ceil((j+1)*W/w). Whoever keeps every pick inside its window is less than one customer away
from the exact share after every step (Tijdeman 1980, "The chairman assignment problem"; Baruah et al.
1996, "Proportionate progress"), and giving the earliest deadline first among those released keeps all
windows, for any weights.

The earliest deadline alone favours heavy weights wherever a round stops, so many short rounds would
never give the light ones their part. Hence `carry`: what a round leaves owed goes into the next one,
and at the beginning of a round the customer goes to whoever is owed most, as far as all later windows
can still be kept (`Outlook`). Newcomers and those who come back carry nothing: they start level.

`crm/store/sharing.lua` is the same in Lua, name by name. Change both or neither.
"""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterator, Sequence
from functools import partial
from heapq import heappop, heappush
from itertools import zip_longest
from typing import NamedTuple, overload

from crm.domain.sharing_outlook import Outlook
from crm.domain.sharing_table import CARRY_MAX, SCALE, Member, Round, Table, Taking, turned

__all__ = [
    "CARRY_MAX",
    "SCALE",
    "Member",
    "NotByTheRule",
    "Pick",
    "Picks",
    "Round",
    "Taking",
    "follow",
    "share",
    "turned",
]


class Pick(NamedTuple):
    """One decision with its reason: a share of `weight` in `total`, so far `served` of `step` in this round."""

    id: int
    weight: int
    total: int
    served: int
    step: int


# A plain call of the class takes several times as long.
_pick = partial(tuple.__new__, Pick)


class _Stretch(NamedTuple):
    """What the picks from `start` on have in common: they are of one round."""

    start: int
    step: int
    total: int
    weights: dict[int, int]


class Picks(Sequence[Pick]):
    """Decisions in order. Kept by columns, because a hundred thousand small objects would be slow to keep."""

    def __init__(self) -> None:
        self.ids: list[int] = []
        self._served: list[int] = []
        self._stretches: list[_Stretch] = []

    def begin(self, table: Table) -> None:
        """What is added from here on is of this round."""
        weights = dict(zip(table.ids, table.weights, strict=True))
        self._stretches.append(_Stretch(len(self.ids), table.step, table.total, weights))

    def add(self, chosen: int, served: int) -> None:
        """The next customer goes to `chosen`, who was given `served` in this round with it."""
        self.ids.append(chosen)
        self._served.append(served)

    def extend(self, others: "Picks") -> None:
        """Add all of the others after these."""
        before = len(self.ids)
        self.ids += others.ids
        self._served += others._served
        self._stretches += [each._replace(start=each.start + before) for each in others._stretches]

    def __len__(self) -> int:
        return len(self.ids)

    @overload
    def __getitem__(self, index: int) -> Pick: ...
    @overload
    def __getitem__(self, index: slice) -> list[Pick]: ...
    def __getitem__(self, index: int | slice) -> Pick | list[Pick]:
        if isinstance(index, slice):
            return [self[each] for each in range(*index.indices(len(self)))]
        index = range(len(self))[index]
        start, step, total, weights = self._stretches[bisect_right(self._stretches, index, key=_start) - 1]
        chosen = self.ids[index]
        return Pick(chosen, weights[chosen], total, self._served[index], step + index - start + 1)

    def __iter__(self) -> Iterator[Pick]:
        for (start, step, total, weights), following in zip_longest(self._stretches, self._stretches[1:]):
            end = following.start if following else len(self)
            given = zip(self.ids[start:end], self._served[start:end], strict=True)
            for number, (chosen, served) in enumerate(given, step + 1):
                yield _pick((chosen, weights[chosen], total, served, number))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Picks) and list(self) == list(other)

    __hash__ = None  # type: ignore[assignment]


def _start(stretch: _Stretch) -> int:
    return stretch.start


class NotByTheRule(Exception):
    """A proposal that the rule does not allow. For whoever checks it, never for the screen."""


def share(now: Round, taking: Sequence[Taking], count: int) -> tuple[Picks, Round]:
    """Who gets the next `count` customers, in order and with reasons, and what to remember afterwards.

    Fewer come out when room ends. Whoever has no room left leaves the round before the next pick. One
    call for many gives the same as many calls for one. Ties go to whoever is owed more, then to the larger
    weight, then to the smaller id.
    """
    picks = Picks()
    if not taking or count <= 0:
        return picks, now
    table = Table(turned(now, taking))
    rooms = {one.id: one.room for one in taking}
    full = -1
    while len(picks) < count:
        if full >= 0:
            if len(table.ids) == 1:
                break
            table.leave(full)
        picks.begin(table)
        full = _advance(table, rooms, count - len(picks), picks)
    return picks, table.round()


def follow(now: Round, taking: Sequence[Taking], ids: Sequence[int]) -> tuple[Picks, Round]:
    """A proposed order as decisions with their reasons, and what to remember afterwards.

    Raises `NotByTheRule` if somebody would get a customer without taking part, beyond their room, or
    before their turn: then nobody trusts the proposal and the rule itself decides.
    """
    picks = Picks()
    if not ids:
        return picks, now
    table = Table(turned(now, taking))
    rooms = {one.id: one.room for one in taking}
    rest = iter(ids)
    full = -1
    while len(picks) < len(ids):
        if full >= 0:
            table.leave(full)
        picks.begin(table)
        full = _follow(table, rooms, rest, picks)
    return picks, table.round()


def _follow(table: Table, rooms: dict[int, int], rest: Iterator[int], picks: Picks) -> int:
    """Go along within one round. Returns whose room ended (a place), else -1 at the end."""
    places = {key: i for i, key in enumerate(table.ids)}
    weights, served, total, add, before = table.weights, table.served, table.total, picks.add, len(picks)
    for step, chosen in enumerate(rest, table.step + 1):
        place = places.get(chosen, -1)
        if place < 0:
            raise NotByTheRule(f"consultant {chosen} takes no part at step {step}")
        if served[place] * total >= weights[place] * step:
            raise NotByTheRule(f"consultant {chosen} is not due at step {step}")
        served[place] += 1
        add(chosen, served[place])
        rooms[chosen] -= 1
        if not rooms[chosen]:
            table.step = step
            return place
    table.step += len(picks) - before
    return -1


def _advance(table: Table, rooms: dict[int, int], count: int, picks: Picks) -> int:
    """Give up to `count` customers within one round. Returns whose room ended (a place), else -1."""
    last = table.step + count
    outlook = Outlook(table, last)
    while table.step < last and table.step < outlook.steps:
        place = outlook.pick()
        chosen = table.ids[place]
        picks.add(chosen, table.served[place])
        rooms[chosen] -= 1
        if not rooms[chosen]:
            return place
    return _by_deadline(table, rooms, last, picks)


def _by_deadline(table: Table, rooms: dict[int, int], last: int, picks: Picks) -> int:
    """The quota method. A heap entry is `when * size + rank`, so that ties go by rank: the most owed first."""
    ids, weights, served, total, size = table.ids, table.weights, table.served, table.total, len(table.ids)
    places = sorted(range(size), key=lambda i: -table.carry[i])
    add = picks.add
    waiting: dict[int, list[int]] = defaultdict(list)
    for rank, i in enumerate(places):
        waiting[max(table.step, served[i] * total // weights[i]) + 1].append(rank)
    released: list[int] = []
    for step in range(table.step + 1, last + 1):
        for rank in waiting.pop(step, ()):
            i = places[rank]
            heappush(released, -(-(served[i] + 1) * total // weights[i]) * size + rank)
        rank = heappop(released) % size
        i = places[rank]
        served[i] += 1
        waiting[max(step, served[i] * total // weights[i]) + 1].append(rank)
        chosen = ids[i]
        add(chosen, served[i])
        rooms[chosen] -= 1
        if not rooms[chosen]:
            table.step = step
            return i
    table.step = last
    return -1
