"""The sheet of a class's scores: a student a row, a day a column. What is exported is what can be imported again."""

import re
import unicodedata
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, NamedTuple

import xlsxwriter

from crm.domain.normalise import Cell
from crm.errors import Unreadable
from crm.i18n import Language, Says, read_in, says
from crm.xlsx import odd_cells
from crm.xlsx.child import column_letters
from crm.xlsx.reader import Limits, Opened, opened
from crm.xlsx.report import tame

NUMBER, NAME = "学员编号 Student no.", "姓名 Name"
SHEET, FIGURES = "成绩 Scores", "统计 Figures"
FIGURE_HEADS = (NUMBER, "姓名或日期 Student or day", "平均分 Average", "中位数 Median")
COLUMNS, ROWS = 260, 2_000
"""A sheet has at most so many columns, two of them for the student, and so many students."""

_DAY = re.compile(r"(\d{1,6}) · (\d{4}-\d\d-\d\d)")


class Head(NamedTuple):
    """A day as its column is headed: by number and date, in every language alike."""

    number: int
    held_on: date

    @property
    def text(self) -> str:
        """As it stands in the sheet."""
        return f"{self.number} · {self.held_on.isoformat()}"


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a sheet as it came in. `cells` has what stands under each day, by its place among the columns."""

    number: int
    student: Cell
    name: Cell
    cells: dict[int, Cell]


@dataclass(frozen=True, slots=True)
class Table:
    """A sheet of scores: the days by the place of their column, columns that are none, and the rows in order.

    `odd` are cells under the days, by row and place of the column, whose values are not what they seem, and why.
    """

    days: dict[int, Head]
    strange: tuple[tuple[int, str], ...]
    rows: tuple[Row, ...]
    odd: dict[tuple[int, int], Says]


class Figure(NamedTuple):
    """Average and median of a student (who has a number), of a day or of everything, as a line beside the scores."""

    student: int | None
    label: str
    average: float | None
    median: float | None


def write(
    file: Path,
    days: Sequence[Head],
    rows: Iterable[tuple[int, str, Sequence[int | str | None]]],
    language: Language,
    figures: Iterable[Figure] = (),
) -> int:
    """Writes the sheet, states in `language`, and returns how many rows it has. No cell becomes a formula.

    Averages and medians stand on a second sheet, which is not read when the file comes back.
    """
    with read_in(language):
        book = xlsxwriter.Workbook(file, {"strings_to_formulas": False, "strings_to_urls": False})
        head = book.add_format({"bold": True, "bg_color": "#E8ECF4"})
        sheet = book.add_worksheet(SHEET)
        sheet.freeze_panes(1, 2)
        sheet.set_column(0, 0, 20)
        sheet.set_column(1, 1, 18)
        sheet.set_column(2, 2 + len(days), 15)
        for place, text in enumerate((NUMBER, NAME, *(day.text for day in days))):
            sheet.write_string(0, place, text, head)
        line = 0
        for line, (student, name, cells) in enumerate(rows, 1):
            sheet.write_number(line, 0, student)
            sheet.write_string(line, 1, tame(name))
            for place, cell in enumerate(cells, 2):
                if isinstance(cell, int):
                    sheet.write_number(line, place, cell)
                elif cell:
                    sheet.write_string(line, place, tame(cell))
        beside = book.add_worksheet(FIGURES)
        beside.freeze_panes(1, 2)
        beside.set_column(0, len(FIGURE_HEADS) - 1, 20)
        beside.write_row(0, 0, FIGURE_HEADS, head)
        for place, one in enumerate(figures, 1):
            beside.write_string(place, 1, tame(one.label))
            for column, figure in ((0, one.student), (2, one.average), (3, one.median)):
                if figure is not None:
                    beside.write_number(place, column, round(figure, 1))
        book.close()
    return line


def write_list(file: Path, heads: Sequence[str], rows: Iterable[Sequence[Any]]) -> int:
    """Writes any list of texts and numbers, and returns how many rows it has. No cell becomes a formula."""
    book = xlsxwriter.Workbook(file, {"strings_to_formulas": False, "strings_to_urls": False})
    sheet = book.add_worksheet()
    sheet.freeze_panes(1, 0)
    sheet.set_column(0, len(heads) - 1, 24)
    sheet.write_row(0, 0, heads, book.add_format({"bold": True, "bg_color": "#E8ECF4"}))
    line = 0
    for line, row in enumerate(rows, 1):
        for place, cell in enumerate(row):
            if isinstance(cell, int | float):
                sheet.write_number(line, place, cell)
            elif cell:
                sheet.write_string(line, place, tame(str(cell)))
    book.close()
    return line


def read(content: bytes, file_megabytes: int, seconds: int, megabytes: int) -> Table:
    """Reads a sheet of scores, in a process of its own within limits. Raises `Unreadable` in one sentence."""
    limits = Limits(rows=ROWS, columns=COLUMNS, file_megabytes=file_megabytes, seconds=seconds, megabytes=megabytes)
    with _lines(content, limits) as (sheet, lines):
        for above, cells in lines:
            texts = [plain(cell) for cell in cells]
            if plain(NUMBER) in texts and plain(NAME) in texts:
                header = above
                break
        else:
            raise Unreadable(
                says(
                    "{sheet}: there is no row with “{number}” and “{name}”. Export the scores and fill in that file.",
                    sheet=sheet.sheet,
                    number=NUMBER,
                    name=NAME,
                )
            )
        student, name = texts.index(plain(NUMBER)), texts.index(plain(NAME))
        heads = {place: _head(text) for place, text in enumerate(texts) if text and place not in (student, name)}
        days = {place: head for place, head in heads.items() if head is not None}
        strange = tuple((place + sheet.left, texts[place]) for place, head in heads.items() if head is None)
        rows = []
        for number, cells in lines:
            padded = [*cells, *[None] * (len(texts) - len(cells))]
            if any(plain(cell) for cell in padded):
                marked = {place: padded[place] for place in days}
                rows.append(Row(number, padded[student], padded[name], marked))
        left = sheet.left
        placed = {place + left: head for place, head in days.items()}
        return Table(
            placed,
            strange,
            tuple(
                Row(row.number, row.student, row.name, {place + left: cell for place, cell in row.cells.items()})
                for row in rows
            ),
            _odd(sheet, placed, header),
        )


def _odd(sheet: Opened, days: Collection[int], header: int) -> dict[tuple[int, int], Says]:
    """One cell stands for all that are merged with it: the first of them that is under a day."""
    odd: dict[tuple[int, int], Says] = {}
    letters = {column_letters(place): place for place in days}
    for cells, why in ((sheet.uncached, odd_cells.NO_VALUE), (sheet.failed, odd_cells.FAILED)):
        odd |= {(row, letters[column]): why for column, row in cells if column in letters and row > header}
    for top, left, bottom, right in sheet.merged:
        first = min((place for place in days if left <= place <= right), default=None)
        if first is not None and bottom + 1 > header:
            odd[max(top, header) + 1, first] = odd_cells.merged(top, left, bottom, right)
    return odd


@contextmanager
def _lines(content: bytes, limits: Limits) -> Iterator[tuple[Opened, Iterator[tuple[int, list[Cell]]]]]:
    with opened(content, limits) as sheet:
        numbered = enumerate((row for some in sheet.chunks for row in some), 1)
        yield sheet, numbered


def plain(cell: Cell) -> str:
    """What a cell says, without differences of width and space and without the mark that tamed a formula."""
    text = "" if cell is None else str(cell)
    return " ".join(unicodedata.normalize("NFKC", text.removeprefix("'")).split())


def _head(text: str) -> Head | None:
    found = _DAY.fullmatch(text)
    try:
        return Head(int(found[1]), date.fromisoformat(found[2])) if found else None
    except ValueError:
        return None


def place_name(place: int) -> str:
    """How a spreadsheet program calls a column counted from 0."""
    return column_letters(place)
