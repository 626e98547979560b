"""The sheet of a class's attendance in a month, as an .xlsx in the reader's language."""

from collections.abc import Sequence
from datetime import date
from pathlib import Path

import xlsxwriter

from crm.i18n import Says, says

_LIVE = ("=", "+", "-", "@", "\t", "\r")
_STUDENT, _MONTH, _ALL = says("Student"), says("Month"), says("So far")


def write(
    file: Path,
    title: Says,
    days: Sequence[date],
    lines: Sequence[tuple[str, Sequence[Says | None], Sequence[Says]]],
    words: Says,
) -> None:
    """A line a student: the name, a mark a day, the figures; below it the formula in words. No cell is live."""
    book = xlsxwriter.Workbook(file, {"strings_to_formulas": False, "strings_to_urls": False})
    bold = book.add_format({"bold": True})
    sheet = book.add_worksheet()
    sheet.freeze_panes(2, 1)
    sheet.set_column(0, 0, 18)
    sheet.write_string(0, 0, _tame(str(title)), bold)
    heads = [str(_STUDENT), *(f"{day:%m-%d}" for day in days), str(_MONTH), str(_ALL)]
    for place, head in enumerate(heads):
        sheet.write_string(1, place, _tame(head), bold)
    for number, (name, marks, figures) in enumerate(lines, start=2):
        for place, cell in enumerate([name, *marks, *figures]):
            if cell is not None:
                sheet.write_string(number, place, _tame(str(cell)))
    sheet.write_string(len(lines) + 3, 0, _tame(str(words)))
    book.close()


def _tame(text: str) -> str:
    return f"'{text}" if text.startswith(_LIVE) and len(text) > 1 else text
