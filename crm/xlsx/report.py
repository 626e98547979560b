"""The report of errors: the wrong rows of a sheet, each with what is wrong. Correct it and upload it again."""

from collections.abc import Iterable
from datetime import date, time, timedelta
from pathlib import Path
from typing import IO, Any

import xlsxwriter

from crm.domain.normalise import Cell
from crm.i18n import Language, read_in
from crm.xlsx.check import Layout, WrongRow
from crm.xlsx.fields import PROBLEM_HEADER, ROW_HEADER

SHEET = "错误 Errors"
_LONGEST = 32_767
_LIVE = ("=", "+", "-", "@", "\t", "\r")


def report(file: Path | str | IO[bytes], layout: Layout, wrong: Iterable[WrongRow], language: Language) -> None:
    """Writes an .xlsx of the wrong rows: what is wrong first, then the cells, the wrong ones coloured.

    The added columns are passed over when it is imported. No cell becomes a formula. Raises `OSError`.
    """
    with read_in(language):
        book = xlsxwriter.Workbook(
            file, {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
        )
        head = book.add_format({"bold": True, "bg_color": "#E8ECF4"})
        told = book.add_format({"text_wrap": True, "font_color": "#9C0006"})
        bad = book.add_format({"bg_color": "#FFC7CE", "font_color": "#9C0006"})
        sheet = book.add_worksheet(SHEET)
        sheet.freeze_panes(1, 2)
        sheet.set_column(0, 0, 60)
        sheet.set_column(1, 1, 12)
        sheet.set_column(2, 2 + len(layout.headers), 16)
        for column, header in enumerate((PROBLEM_HEADER, ROW_HEADER, *layout.headers)):
            sheet.write_string(0, column, tame(header), head)
        for line, row in enumerate(wrong, 1):
            sheet.write_string(line, 0, tame("\n".join(f"{one.column}: {one.says}" for one in row.problems)), told)
            sheet.write_number(line, 1, row.number)
            places = {problem.place for problem in row.problems}
            for place, cell in enumerate(row.cells):
                _write(sheet, line, place + 2, cell, bad if place in places else None)
        try:
            book.close()
        except xlsxwriter.exceptions.FileCreateError as error:
            raise OSError(str(error)) from error


def _write(sheet: Any, line: int, column: int, cell: Cell, style: Any) -> None:
    if cell is None or cell == "":
        if style:
            sheet.write_blank(line, column, None, style)
    elif isinstance(cell, bool):
        sheet.write_boolean(line, column, cell, style)
    elif isinstance(cell, int | float) and abs(cell) < 1e15:
        sheet.write_number(line, column, cell, style)
    elif isinstance(cell, date | time | timedelta):
        sheet.write_string(line, column, str(cell), style)
    else:
        sheet.write_string(line, column, tame(str(cell)), style)


def tame(text: str) -> str:
    """Text that no program takes for a formula, not even after saving it as CSV. Importing removes the mark again."""
    return ("'" + text if text.startswith(_LIVE) else text)[:_LONGEST]
