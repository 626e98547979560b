"""A student's own days of a class, kept by the column: of years of days nearly all is counted, sent and drawn so."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from itertools import compress
from typing import Any, NamedTuple, overload

from crm.domain.attendance import Attended
from crm.domain.teaching import ScoreState


class Graded(NamedTuple):
    """One of the student's own days. `state` is how the homework stands today, `number` only when graded.

    `median` is that of the class, where enough were graded for it to tell nobody's score. `attended` is what the
    formula of attendance makes of the day.
    """

    id: int
    day_number: int
    held_on: date
    title: str
    homework: str | None
    due_on: date | None
    state: ScoreState
    number: int | None
    median: float | None
    handed_in: bool
    remark: str | None
    attended: Attended


class Columns(NamedTuple):
    """The same fields, each with what it is on every day."""

    id: Sequence[int] = ()
    day_number: Sequence[int] = ()
    held_on: Sequence[date] = ()
    title: Sequence[str] = ()
    homework: Sequence[str | None] = ()
    due_on: Sequence[date | None] = ()
    state: Sequence[ScoreState] = ()
    number: Sequence[int | None] = ()
    median: Sequence[float | None] = ()
    handed_in: Sequence[bool] = ()
    remark: Sequence[str | None] = ()
    attended: Sequence[Attended] = ()


class Days(Sequence[Graded]):
    """Days in an order. One of them is made where it is asked for; whoever wants all of them takes the columns."""

    def __init__(self, columns: Columns) -> None:
        self.columns = columns

    def __len__(self) -> int:
        return len(self.columns.id)

    @overload
    def __getitem__(self, place: int) -> Graded: ...
    @overload
    def __getitem__(self, place: slice) -> "Days": ...
    def __getitem__(self, place: Any) -> Any:
        found = (column[place] for column in self.columns)
        return Days(Columns._make(found)) if isinstance(place, slice) else Graded._make(found)

    def __iter__(self) -> Iterator[Graded]:
        return map(Graded._make, zip(*self.columns, strict=True))

    def only(self, keep: Iterable[object]) -> "Days":
        """Those whose place in `keep` is true."""
        kept = list(keep)
        if all(kept):
            return self
        return Days(Columns._make(tuple(compress(column, kept)) for column in self.columns))
