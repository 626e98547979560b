"""Spreadsheets for tests, sound and hostile ones, each built when it is needed."""

import io
import zipfile
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import openpyxl
import xlsxwriter

HEADERS = ("姓名", "性别(1-男,2-女)", "手机", "QQ号")
"""The classic sheet."""


def a_sheet(rows: Sequence[Sequence[Any]], headers: Sequence[str] | None = HEADERS, name: str = "客户") -> bytes:
    """An .xlsx with these rows below the headers (or without any)."""
    file = io.BytesIO()
    book = xlsxwriter.Workbook(file, {"in_memory": True, "default_date_format": "yyyy-mm-dd"})
    # The same rows make the same file, whenever it is built.
    book.set_properties({"created": datetime(2025, 3, 3)})
    sheet = book.add_worksheet(name)
    for line, row in enumerate([*([headers] if headers else []), *rows]):
        sheet.write_row(line, 0, row)
    book.close()
    return file.getvalue()


def edited(content: bytes, change: Any) -> bytes:
    """The same spreadsheet after `change(workbook)`, with openpyxl's habits: formulas have no values."""
    book = openpyxl.load_workbook(io.BytesIO(content))
    change(book)
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


def cells_of(content: bytes, sheet: int = 0) -> list[list[Any]]:
    """What the cells of a sheet hold."""
    book = openpyxl.load_workbook(io.BytesIO(content))
    return [[cell.value for cell in row] for row in book.worksheets[sheet].iter_rows()]


def repacked(content: bytes, parts: Mapping[str, bytes | None]) -> bytes:
    """The same file with some of its parts replaced, added, or (None) left out."""
    file = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as new:
        for entry in old.infolist():
            if entry.filename not in parts:
                new.writestr(entry, old.read(entry))
        for name, part in parts.items():
            if part is not None:
                new.writestr(name, part)
    return file.getvalue()


def sheet_xml(cells: str) -> bytes:
    """The XML of a worksheet with these rows."""
    return (
        '<?xml version="1.0" encoding="UTF-8"?>'
        '<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main">'
        f"<sheetData>{cells}</sheetData></worksheet>"
    ).encode()
