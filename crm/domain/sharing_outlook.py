"""The beginning of a round of sharing out: whoever is owed most comes first, as far as nobody's turn is missed."""

from crm.domain.sharing_table import SCALE, Table

EFFORT = 2_000_000
"""How much the outlook may cost where everybody's room ends within one batch: places looked at, altogether."""
OUTLOOK_MAX = 1_000
"""The outlook sees at most so many steps ahead, and is used for at most so many steps of a round."""


class Outlook:
    """The beginning of a round, where whoever is owed most comes first as far as no window is lost.

    `slack[d]` is the number of steps up to d that no pick with a deadline up to d needs. A pick whose
    own deadline is later than d uses one of them up, so it may only be made while none before is 0.
    """

    def __init__(self, table: Table, last: int) -> None:
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
