"""The round of sharing out: its members, what each was given and is owed, and how one round follows another."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

SCALE = 10_000
"""What is owed is counted in ten-thousandths of a customer."""
CARRY_MAX = 100 * SCALE


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


def turned(now: Round, taking: Iterable[Taking]) -> Round:
    """The round of those who take part: the same one if set and weights are the same, else the next.

    In the next one everybody starts from 0. Those who stay take along what they are owed: the exact
    share less what they were given, rounded to the nearest ten-thousandth.
    """
    wanted = sorted((-one.weight, one.id) for one in taking)
    if wanted == [(-member.weight, member.id) for member in now.members]:
        return now
    table = Table(now)
    owed = dict(zip(table.ids, table.all_owed(), strict=True))
    return Round(0, tuple(Member(key, -minus, 0, owed.get(key, 0)) for minus, key in wanted))


class Table:
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
