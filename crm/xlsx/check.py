"""Checking a sheet: which column is which, and what each row says. Pure: rows in, values or problems out."""

import difflib
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from itertools import count, repeat
from typing import Any

from crm.domain.customer_fields import CONTACTS, listed
from crm.domain.normalise import Cell, Wrong
from crm.errors import Unreadable
from crm.i18n import Says, says
from crm.xlsx import odd_cells
from crm.xlsx.child import column_letters
from crm.xlsx.fields import BY_KEY, EXAMPLE_NAME, FIELDS, LONGEST_HEADER, Field, header_key, recognised
from crm.xlsx.guard import ROWS_ABOVE
from crm.xlsx.reader import Opened

POSITION = {item.key: position for position, item in enumerate(FIELDS)}
_NAME = POSITION["name"]
_PHONE, _QQ, _WECHAT = (POSITION[key] for key in CONTACTS)

Values = tuple[Any, ...]
"""One row's values, in the order of FIELDS."""


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong with one cell. `place` is the index of the cell in the row, `column` its header."""

    place: int
    column: str
    says: Says


@dataclass(frozen=True, slots=True)
class WrongRow:
    """A row with problems, and its cells as they came, for the report."""

    number: int
    cells: tuple[Cell, ...]
    problems: tuple[Problem, ...]


@dataclass(slots=True)
class Looked:
    """Rows that were looked at: the good ones, as parallel lists of row numbers, values and cells, and the wrong ones.

    Plain tuples of plain values, because there may be 200,000 of them.
    """

    numbers: list[int] = field(default_factory=list)
    values: list[Values] = field(default_factory=list)
    cells: list[Sequence[Cell]] = field(default_factory=list)
    wrong: list[WrongRow] = field(default_factory=list)


@dataclass(slots=True)
class Layout:
    """How a sheet is laid out: its header's row (as shown), its headers, and the field of each known column.

    `warnings` tell of columns that are left out.
    """

    sheet: str
    header_row: int
    headers: list[str]
    columns: dict[int, Field]
    warnings: list[Says] = field(default_factory=list)

    def place(self, key: str) -> int | None:
        """The index of a field's cell in a row, or None if the sheet has no such column."""
        return next((place for place, item in self.columns.items() if item.key == key), None)

    def problem(self, key: str, message: Says) -> Problem:
        """A problem with the cell of a field, or of the first column if the sheet has none for it."""
        place = self.place(key)
        return Problem(place or 0, BY_KEY[key].en if place is None else self.headers[place], message)


def layout(sheet: Opened, top: Sequence[Sequence[Cell]]) -> Layout:
    """Finds the header among the first rows (`top`). Raises `Unreadable` that names what is missing or double."""
    best, known = 0, -1
    for number, row in enumerate(top[:ROWS_ABOVE]):
        count = len({recognised(cell) for cell in row if isinstance(cell, str) and cell} - {None, ""})
        if count > known and any(cell != "" for cell in row):
            best, known = number, count
    headers = [str(cell).strip() for cell in top[best]] if top else []
    found = Layout(sheet.sheet, best + 1, headers, {})
    places: dict[str, int] = {}
    for place, header in enumerate(headers):
        key = recognised(header) if header else ""
        if key:
            if key in places:
                raise _double(sheet, headers, places[key], place)
            places[key] = place
            found.columns[place] = BY_KEY[key]
        elif key is None:
            found.warnings.append(_unknown(header, column_letters(sheet.left + place)))
    _require(found, places)
    return found


class Checker:
    """Checks the rows of one sheet, in order, a chunk at a time: a column after the other, because that is faster."""

    def __init__(self, sheet: Opened, found: Layout) -> None:
        self.layout = found
        self.examples = 0
        self.row = 0  # the last row that was looked at, as the spreadsheet shows it
        self._plan = [(place, POSITION[item.key], _quick(item)) for place, item in found.columns.items()]
        self._set_apart = _set_apart(sheet, found)

    def check(self, rows: Sequence[Sequence[Cell]]) -> Looked:
        """The next rows of the sheet, without those above or in the header, empty ones and the template's example."""
        above = max(0, min(self.layout.header_row - self.row, len(rows)))
        first, self.row = self.row + above + 1, self.row + len(rows)
        looked, rows = Looked(), rows[above:]
        if not rows:
            return looked
        columns: list[Iterable[Any]] = [repeat(None, len(rows)) for _ in FIELDS]
        problems: defaultdict[int, list[Problem]] = defaultdict(list)
        cells = list(zip(*rows, strict=True))
        for place, position, clean in self._plan:
            try:
                columns[position] = [None if cell == "" else clean(cell) for cell in cells[place]]
            except Wrong:
                columns[position] = self._one_by_one(place, clean, cells[place], first, problems)
        for row, number, values in zip(rows, count(first), zip(*columns, strict=True), strict=False):
            if (
                number not in problems
                and number not in self._set_apart
                and values[_NAME] is not None
                and values[_NAME] != EXAMPLE_NAME
                and (values[_PHONE] or values[_QQ] or values[_WECHAT])
            ):
                looked.numbers.append(number)
                looked.values.append(values)
                looked.cells.append(row)
            else:
                self._odd_row(looked, number, row, values, problems.get(number, []))
        return looked

    def _one_by_one(
        self,
        place: int,
        clean: Callable[[Cell], Any],
        cells: Sequence[Cell],
        first: int,
        problems: defaultdict[int, list[Problem]],
    ) -> list[Any]:
        """One column again, with a note of each cell that is wrong."""
        values: list[Any] = []
        for number, cell in enumerate(cells, first):
            try:
                values.append(None if cell == "" else clean(cell))
            except Wrong as error:
                values.append(None)
                problems[number].append(Problem(place, self.layout.headers[place], error.says))
        return values

    def _odd_row(
        self, looked: Looked, number: int, row: Sequence[Cell], values: Values, problems: list[Problem]
    ) -> None:
        apart = self._set_apart.get(number, [])
        if values[_NAME] == EXAMPLE_NAME:
            self.examples += 1
        elif problems or apart or any(values) or not all(map(_blank, row)):
            told = [*apart, *problems]
            told += self._missing(values, {problem.place for problem in told})
            looked.wrong.append(WrongRow(number, tuple(row), tuple(told)))

    def _missing(self, values: Values, told: set[int]) -> list[Problem]:
        """What a row lacks, unless a cell that is wrong already stands for it."""
        problems = []
        if values[_NAME] is None and self.layout.place("name") not in told:
            problems.append(self.layout.problem("name", says("The name is missing.")))
        contacts = [key for key in CONTACTS if self.layout.place(key) is not None]
        if not any(values[POSITION[key]] or self.layout.place(key) in told for key in contacts):
            problems.append(self.layout.problem(contacts[0], says("Enter a phone, a QQ or a WeChat.")))
        return problems


def _quick(item: Field) -> Callable[[Cell], Any]:
    """How the field's cells are read here: choices as plain text, each spelling looked up only once."""
    clean = item.clean
    if item.choices is None:
        return clean
    known: dict[Cell, str | None] = {}

    def read(cell: Cell) -> str | None:
        # True equals 1 as a key, so truth values go the long way, which refuses them.
        if cell in known and cell is not True and cell is not False:
            return known[cell]
        chosen = clean(cell)
        known[cell] = None if chosen is None else chosen.value
        return known[cell]

    return read


def _blank(cell: Cell) -> bool:
    return cell == "" or (isinstance(cell, str) and not cell.strip())


def _set_apart(sheet: Opened, found: Layout) -> dict[int, list[Problem]]:
    """Problems that the cells' values do not show, by row: merged cells, and formulas without a value."""
    apart: dict[int, list[Problem]] = defaultdict(list)
    letters = {column_letters(sheet.left + place): place for place in found.columns}
    for cells, message in ((sheet.uncached, odd_cells.NO_VALUE), (sheet.failed, odd_cells.FAILED)):
        for column, row in cells:
            if column in letters:
                place = letters[column]
                apart[row].append(Problem(place, found.headers[place], message))
    told: dict[int, int] = {}
    for top, left, bottom, right in sorted(sheet.merged):
        hit = next((place for place in found.columns if left <= sheet.left + place <= right), None)
        if hit is None:
            continue
        problem = Problem(hit, found.headers[hit], odd_cells.merged(top, left, bottom, right))
        last = min(bottom + 1, sheet.rows)
        # No program merges cells twice. A file may claim it thousands of times: a row is told of once in a column.
        for row in range(max(top + 1, found.header_row + 1, told.get(hit, 0) + 1), last + 1):
            apart[row].append(problem)
        told[hit] = max(told.get(hit, 0), last)
    return dict(apart)


def _require(found: Layout, places: dict[str, int]) -> None:
    missing = [item for item in FIELDS if item.required and item.key not in places]
    if missing or not any(key in places for key in CONTACTS):
        wanted = [f"{item.en} {item.zh}" for item in missing]
        if not any(key in places for key in CONTACTS):
            wanted.append(" / ".join(f"{BY_KEY[key].en} {BY_KEY[key].zh}" for key in CONTACTS))
        raise Unreadable(
            says(
                "{sheet}: row {row} has no column {columns}. Name it so in the first row, or use the template.",
                sheet=found.sheet,
                row=found.header_row,
                columns=" + ".join(wanted),
            )
        )


def _double(sheet: Opened, headers: list[str], first: int, second: int) -> Unreadable:
    return Unreadable(
        says(
            "{sheet}: columns {first} ({one}) and {second} ({two}) mean the same. Keep one of them.",
            sheet=sheet.sheet,
            first=column_letters(sheet.left + first),
            one=headers[first],
            second=column_letters(sheet.left + second),
            two=headers[second],
        )
    )


def _unknown(header: str, letter: str) -> Says:
    if len(header) > LONGEST_HEADER:
        header = header[: LONGEST_HEADER - 1] + "…"
    names = {header_key(text): item for item in FIELDS for text in (item.en, item.zh, *item.also)}
    near = difflib.get_close_matches(header_key(header), names, n=1, cutoff=0.75)
    if near:
        return says(
            "Column {letter} ({header}) is left out. Did you mean {near}?",
            letter=letter,
            header=header,
            near=listed([names[near[0]].label]),
        )
    return says("Column {letter} ({header}) is not known and is left out.", letter=letter, header=header)
