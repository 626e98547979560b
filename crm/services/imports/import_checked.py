"""What a look at a sheet found, as values: rows that are new, known already, or wrong and why."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from heapq import merge
from itertools import islice
from typing import Literal

from crm.domain import normalise
from crm.i18n import Says, says
from crm.xlsx import check
from crm.xlsx.check import Layout, Values, WrongRow

VIEW, RUN, UNDO = "import.view", "import.run", "import.undo"
Progress = Callable[[float, Says], None]
Verdict = Literal["new", "duplicate", "wrong"]
_NAME, _PHONE, _QQ, _WECHAT = (check.POSITION[key] for key in ("name", "phone", "qq", "wechat"))


@dataclass(frozen=True, slots=True)
class Duplicate:
    """A row whose customer is known already, or stands in an earlier row. Tells nothing of the known one."""

    number: int
    name: str
    contact: str
    says: Says


@dataclass(frozen=True, slots=True)
class Seen:
    """An earlier import of the very same file."""

    batch: int
    file_name: str
    imported_at: datetime
    imported: int


@dataclass(frozen=True, slots=True)
class Preview:
    """One row as it will be dealt with. `name` and `contact` are what the sheet says."""

    row: int
    verdict: Verdict
    name: str
    contact: str
    reasons: tuple[tuple[str, Says], ...]


@dataclass(slots=True)
class Checked:
    """What a sheet holds. Nothing is written yet; `run_import` takes it from here.

    True as of `checked_at`. `numbers` and `values` are the new rows, in parallel and in the sheet's order; `wrong` and
    `duplicates` the others. `seen` is an earlier import of the same file, `examples` counts the template's example
    rows that were passed over.
    """

    file_name: str
    digest: str
    layout: Layout
    checked_at: datetime
    seen: Seen | None = None
    last_batch: int = 0
    examples: int = 0
    numbers: list[int] = field(default_factory=list)
    values: list[Values] = field(default_factory=list)
    duplicates: list[Duplicate] = field(default_factory=list)
    wrong: list[WrongRow] = field(default_factory=list)

    @property
    def rows(self) -> int:
        """How many rows of customers the sheet has."""
        return len(self.numbers) + len(self.duplicates) + len(self.wrong)

    @property
    def warnings(self) -> list[Says]:
        """What a person should know besides: columns that are left out, rows that are passed over."""
        told = list(self.layout.warnings)
        if self.examples:
            told.append(says("The example row of the template is passed over."))
        if self.seen:
            told.append(
                says(
                    "This very file was imported already, at {at} as number {batch}.",
                    at=self.seen.imported_at,
                    batch=str(self.seen.batch),
                )
            )
        return told

    def errors(self) -> Iterator[tuple[int, str, Says]]:
        """Every problem of every wrong row: the row and the column's header as the sheet shows them, and why."""
        for row in self.wrong:
            for problem in row.problems:
                yield row.number, problem.column, problem.says

    def preview(self, only: Verdict | None = None, start: int = 0, count: int = 50) -> list[Preview]:
        """Some rows in the sheet's order: all, or those of one verdict."""
        everything: Iterator[tuple[int, Verdict, int]] = merge(
            ((number, "new", place) for place, number in enumerate(self.numbers)),
            ((row.number, "duplicate", place) for place, row in enumerate(self.duplicates)),
            ((row.number, "wrong", place) for place, row in enumerate(self.wrong)),
        )
        chosen = (one for one in everything if only in (None, one[1]))
        return [self._preview(verdict, place) for _number, verdict, place in islice(chosen, start, start + count)]

    def _preview(self, verdict: Verdict, place: int) -> Preview:
        if verdict == "new":
            return Preview(self.numbers[place], verdict, *who(self.values[place]), ())
        if verdict == "wrong":
            return self._wrong(self.wrong[place])
        row = self.duplicates[place]
        return Preview(row.number, verdict, row.name, row.contact, (("", row.says),))

    def _wrong(self, row: WrongRow) -> Preview:
        def shown(*keys: str) -> str:
            places = (self.layout.place(key) for key in keys)
            texts = (_text(row.cells[place]) for place in places if place is not None)
            return next((text for text in texts if text), "")

        reasons = tuple((problem.column, problem.says) for problem in row.problems)
        return Preview(row.number, "wrong", shown("name"), shown("phone", "qq", "wechat"), reasons)


PHONE_KNOWN = says("A customer with this phone is in the school's records already.")
QQ_KNOWN = says("A customer with this QQ is in the school's records already.")
WECHAT_KNOWN = says("A customer with this WeChat is in the school's records already.")


def drop_known_wechats(checked: Checked, known: set[str]) -> list[Duplicate]:
    """Make duplicates of the new rows that have nothing but one of these WeChat names. Returns them."""
    late = [
        Duplicate(number, *who(row), WECHAT_KNOWN)
        for number, row in zip(checked.numbers, checked.values, strict=True)
        if row[_PHONE] is None and row[_QQ] is None and row[_WECHAT] in known
    ]
    drop(checked, late)
    return late


def drop(checked: Checked, late: list[Duplicate]) -> None:
    """Move new rows to the duplicates."""
    if not late:
        return
    gone = {row.number for row in late}
    kept = [(number, row) for number, row in zip(checked.numbers, checked.values, strict=True) if number not in gone]
    checked.numbers, checked.values = [number for number, _ in kept], [row for _, row in kept]
    checked.duplicates = sorted([*checked.duplicates, *late], key=lambda row: row.number)


def who(values: Values) -> tuple[str, str]:
    """A row's name, and by what the person can be reached."""
    return values[_NAME], values[_PHONE] or values[_QQ] or values[_WECHAT] or ""


def _text(cell: normalise.Cell) -> str:
    try:
        return normalise.written(cell)
    except normalise.Wrong:
        return str(cell)
