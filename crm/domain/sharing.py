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
can still be kept (`_Outlook`). Newcomers and those who come back carry nothing: they start level.

`crm/store/sharing.lua` is this file in Lua, name by name. Change both or neither.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from heapq import heappop, heappush
from typing import NamedTuple

SCALE = 10_000
"""What is owed is counted in ten-thousandths of a customer."""
CARRY_MAX = 100 * SCALE
EFFORT = 4_000_000
"""How much the outlook may cost where everybody's room ends within one batch: places looked at, altogether."""
OUTLOOK_MAX = 1_000
"""The outlook sees at most so many steps ahead, and is used for at most so many steps of a round."""


class Taking(NamedTuple):
    """A consultant who can be given customers now: weight above 0, and room for `room` more (at least 1)."""

    id: int
    weight: int
    room: int


class Member(NamedTuple):
    """A consultant in a round: given `served` in it, and owed `carry` from earlier ones."""

    id: int
    weight: int
    served: int = 0
    carry: int = 0


@dataclass(frozen=True, slots=True)
class Round:
    """All that sharing out remembers: `step` customers were given in this round, to these members."""

    step: int = 0
    members: tuple[Member, ...] = ()


class Pick(NamedTuple):
    """One decision with its reason: a share of `weight` in `total`, so far `served` of `step` in this round."""

    id: int
    weight: int
    total: int
    served: int
    step: int


class NotByTheRule(Exception):
    """A proposal that the rule does not allow. For whoever checks it, never for the screen."""


def turned(now: Round, taking: Iterable[Taking]) -> Round:
    """The round of those who take part: the same one if set and weights are the same, else the next.

    In the next one everybody starts from 0. Those who stay take along what they are owed: the exact
    share less what they were given, rounded to the nearest ten-thousandth.
    """
    wanted = sorted((-one.weight, one.id) for one in taking)
    if wanted == [(-member.weight, member.id) for member in now.members]:
        return now
    table = _Table(now)
    owed = dict(zip(table.ids, table.all_owed(), strict=True))
    return Round(0, tuple(Member(key, -minus, 0, owed.get(key, 0)) for minus, key in wanted))


def share(now: Round, taking: Sequence[Taking], count: int) -> tuple[list[int], Round]:
    """Who gets the next `count` customers, in order, and what to remember afterwards.

    Fewer come out when room ends. Whoever has no room left leaves the round before the next pick. One
    call for many gives the same as many calls for one. Ties go to whoever is owed more, then to the larger
    weight, then to the smaller id.
    """
    picks: list[int] = []
    if not taking or count <= 0:
        return picks, now
    table = _Table(turned(now, taking))
    rooms = {one.id: one.room for one in taking}
    full = -1
    while len(picks) < count:
        if full >= 0:
            if len(table.ids) == 1:
                break
            table.leave(full)
        full = _advance(table, rooms, count - len(picks), picks)
    return picks, table.round()


def follow(now: Round, taking: Sequence[Taking], ids: Sequence[int]) -> tuple[list[Pick], Round]:
    """A proposed order as decisions with their reasons, and what to remember afterwards.

    Raises `NotByTheRule` if somebody would get a customer without taking part, beyond their room, or
    before their turn: then nobody trusts the proposal and the rule itself decides.
    """
    picks: list[Pick] = []
    if not ids:
        return picks, now
    table = _Table(turned(now, taking))
    rooms = {one.id: one.room for one in taking}
    rest = iter(ids)
    full = _follow(table, rooms, rest, picks)
    while len(picks) < len(ids):
        table.leave(full)
        full = _follow(table, rooms, rest, picks)
    return picks, table.round()


def _follow(table: "_Table", rooms: dict[int, int], rest: Iterator[int], picks: list[Pick]) -> int:
    """Go along within one round. Returns whose room ended (a place), else -1 at the end."""
    places = {key: i for i, key in enumerate(table.ids)}
    weights, served, total = table.weights, table.served, table.total
    # A plain call of the class takes several times as long, and there are as many picks as customers.
    made, note, before = partial(tuple.__new__, Pick), picks.append, len(picks)
    for step, chosen in enumerate(rest, table.step + 1):
        place = places.get(chosen, -1)
        if place < 0:
            raise NotByTheRule(f"consultant {chosen} takes no part at step {step}")
        weight, count = weights[place], served[place]
        if count * total >= weight * step:
            raise NotByTheRule(f"consultant {chosen} is not due at step {step}")
        served[place] = count + 1
        note(made((chosen, weight, total, count + 1, step)))
        rooms[chosen] -= 1
        if not rooms[chosen]:
            table.step = step
            return place
    table.step += len(picks) - before
    return -1


class _Table:
    """A round that is being worked on: the members' columns, in the members' order."""

    def __init__(self, now: Round) -> None:
        self.step = now.step
        self.ids = [member.id for member in now.members]
        self.weights = [member.weight for member in now.members]
        self.served = [member.served for member in now.members]
        self.carry = [member.carry for member in now.members]
        self.total = sum(self.weights)

    def round(self) -> Round:
        return Round(self.step, tuple(map(Member, self.ids, self.weights, self.served, self.carry)))

    def deadline(self, i: int) -> int:
        """The step by which member `i` must have the next customer."""
        return -(-(self.served[i] + 1) * self.total // self.weights[i])

    def all_owed(self) -> list[int]:
        """What this round leaves owed to each, with what earlier ones left."""
        step, total = self.step, self.total
        return [
            min(
                CARRY_MAX,
                max(-CARRY_MAX, carry + (2 * SCALE * (weight * step - served * total) + total) // (2 * total)),
            )
            for weight, served, carry in zip(self.weights, self.served, self.carry, strict=True)
        ]

    def leave(self, place: int) -> None:
        """The next round, without the member at `place`."""
        self.carry = self.all_owed()
        for column in (self.ids, self.weights, self.carry):
            del column[place]
        self.served = [0] * len(self.ids)
        self.step, self.total = 0, sum(self.weights)


def _advance(table: _Table, rooms: dict[int, int], count: int, picks: list[int]) -> int:
    """Give up to `count` customers within one round. Returns whose room ended (a place), else -1."""
    last = table.step + count
    outlook = _Outlook(table, last)
    while table.step < last and table.step < outlook.steps:
        place = outlook.pick()
        chosen = table.ids[place]
        picks.append(chosen)
        rooms[chosen] -= 1
        if not rooms[chosen]:
            return place
    return _by_deadline(table, rooms, last, picks)


def _by_deadline(table: _Table, rooms: dict[int, int], last: int, picks: list[int]) -> int:
    """The quota method. A heap entry is `when * size + rank`, so that ties go by rank: the most owed first."""
    ids, weights, served, total, size = table.ids, table.weights, table.served, table.total, len(table.ids)
    places = sorted(range(size), key=lambda i: -table.carry[i])
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
        picks.append(chosen)
        rooms[chosen] -= 1
        if not rooms[chosen]:
            table.step = step
            return i
    table.step = last
    return -1


class _Outlook:
    """The beginning of a round, where whoever is owed most comes first as far as no window is lost.

    `slack[d]` is the number of steps up to d that no pick with a deadline up to d needs. A pick whose
    own deadline is later than d uses one of them up, so it may only be made while none before is 0.
    """

    def __init__(self, table: _Table, last: int) -> None:
        self.table = table
        size, total = len(table.ids), table.total
        self.ahead = min(OUTLOOK_MAX, -(-total // table.weights[-1]))
        self.steps = min(OUTLOOK_MAX, EFFORT // (size * (size + self.ahead)))
        self.end = min(last, self.steps) + self.ahead
        self.gain = [SCALE * weight for weight in table.weights]
        self.slack: list[int] = []
        if table.step < self.steps:
            self.owed = [
                carry * total + gain * table.step - SCALE * total * served
                for carry, gain, served in zip(table.carry, self.gain, table.served, strict=True)
            ]

    def pick(self) -> int:
        """Give the next customer. Returns the place of who gets it."""
        table = self.table
        table.step += 1
        self.owed = list(map(int.__add__, self.owed, self.gain))
        if table.step == 1:
            # Anybody can be first: the exact shares are a mixture of sequences that keep all windows.
            best = self.owed.index(max(self.owed))
        else:
            if not self.slack:
                self._look()
            best = self._most_owed()
            end = min(table.deadline(best), self.end + 1)
            self.slack[table.step : end] = [free - 1 for free in self.slack[table.step : end]]
        table.served[best] += 1
        self.owed[best] -= SCALE * table.total
        return best

    def _look(self) -> None:
        table, end, total = self.table, self.end, self.table.total
        needed = [0] * (end + 1)
        for weight, served in zip(table.weights, table.served, strict=True):
            product = (served + 1) * total
            while (deadline := -(-product // weight)) <= end:
                needed[deadline] += 1
                product += total
        free = 0
        self.slack = [0] * (end + 1)
        for when in range(table.step, end + 1):
            free += 1 - needed[when]
            self.slack[when] = free

    def _most_owed(self) -> int:
        """Whoever is owed most among those released and free to go; nobody free: the earliest deadline."""
        table, step, total, owed = self.table, self.table.step, self.table.total, self.owed
        limit = step + self.ahead
        if 0 in (near := self.slack[step : limit + 1]):
            limit = step + near.index(0)
        best = first = -1
        earliest = 0
        for i, (weight, served) in enumerate(zip(table.weights, table.served, strict=True)):
            product = served * total
            if product >= weight * step:
                continue
            deadline = -(-(product + total) // weight)
            if deadline <= limit and (best < 0 or owed[i] > owed[best]):
                best = i
            if first < 0 or deadline < earliest:
                first, earliest = i, deadline
        return best if best >= 0 else first
