"""The template of a sheet: headers in both languages, drop-down lists, an example row, instructions."""

from collections.abc import Sequence
from pathlib import Path
from typing import IO, Any

import xlsxwriter
from xlsxwriter.utility import xl_rowcol_to_cell

from crm.i18n import Language, _, listed, read_in, says
from crm.xlsx.fields import COURSES, EXAMPLE_NAME, FIELDS, REFERRED_BY, Field

SHEET = "客户 Customers"
INSTRUCTIONS = "说明 Instructions"
LISTS = "Lists"
ROWS = 10_000
"""How far down the drop-down lists and the text format reach."""

_TEXT_ONLY = ("phone", "qq", "wechat", REFERRED_BY)


def template(file: Path | str | IO[bytes], language: Language, courses: Sequence[str] = ()) -> None:
    """Writes the import template to a path or an open binary file, its lists and texts in `language`.

    `courses` are the names to choose courses of interest from. Raises `OSError` if the place cannot be written.
    """
    with read_in(language):
        book = xlsxwriter.Workbook(file, {"in_memory": True})
        book.set_properties({"title": _("Customers to import")})
        sheet = book.add_worksheet(SHEET)
        explained = book.add_worksheet(INSTRUCTIONS)
        lists = book.add_worksheet(LISTS)
        lists.hide()
        _columns(book, sheet, language)
        _lists(sheet, lists, courses)
        _instructions(book, explained, language)
        try:
            book.close()
        except xlsxwriter.exceptions.FileCreateError as error:
            raise OSError(str(error)) from error


def _columns(book: Any, sheet: Any, language: Language) -> None:
    head = book.add_format({"bold": True, "bg_color": "#E8ECF4", "border": 1, "border_color": "#C5CCDB"})
    needed = book.add_format({"bold": True, "bg_color": "#D6E4FF", "border": 1, "border_color": "#C5CCDB"})
    example = book.add_format({"italic": True, "font_color": "#8A8F98", "num_format": "@"})
    as_text = book.add_format({"num_format": "@"})
    sheet.freeze_panes(1, 1)
    for place, item in enumerate(FIELDS):
        sheet.set_column(place, place, item.width, as_text if item.key in _TEXT_ONLY else None)
        sheet.write_string(0, place, item.header(language), needed if item.required else head)
        shown = EXAMPLE_NAME if item.key == "name" else _example(item)
        sheet.write_string(1, place, shown, example)


def _example(item: Field) -> str:
    return str(next(iter(item.choices)).label if item.choices else item.example)


def _lists(sheet: Any, lists: Any, courses: Sequence[str]) -> None:
    for place, item in enumerate(FIELDS):
        several = item.key == COURSES
        options = list(courses) if several else [str(member.label) for member in item.choices or ()]
        if not options:
            continue
        lists.write_column(0, place, options)
        first = xl_rowcol_to_cell(0, place, row_abs=True, col_abs=True)
        last = xl_rowcol_to_cell(len(options) - 1, place, row_abs=True, col_abs=True)
        sheet.data_validation(
            1,
            place,
            ROWS,
            place,
            {
                "validate": "list",
                "source": f"={LISTS}!{first}:{last}",
                "error_type": "information" if several else "stop",
                "error_title": _("Not in the list"),
                "error_message": _("Several courses are fine: put a comma between them.")
                if several
                else _("Choose one from the list, or leave the cell empty."),
            },
        )


def _instructions(book: Any, sheet: Any, language: Language) -> None:
    title = book.add_format({"bold": True, "font_size": 14})
    head = book.add_format({"bold": True, "bg_color": "#E8ECF4"})
    wrapped = book.add_format({"text_wrap": True, "valign": "top"})
    sheet.set_column(0, 0, 30, wrapped)
    sheet.set_column(1, 1, 90, wrapped)
    sheet.write_string(0, 0, _("How to fill in this sheet"), title)
    rules = (
        says("One customer a row, on the first sheet. A name and at least one of phone, QQ and WeChat are needed."),
        says("The example row may stay: it is recognised and passed over."),
        says("Columns may be moved or left out. Headers are understood in English and Chinese."),
        says("Who is in the school's records already, by phone or QQ, is left out and told."),
        says("Rows with mistakes come back in a sheet that says what is wrong. Correct it and upload it again."),
        says("Type values, no formulas, and do not merge cells."),
    )
    row = 2
    for rule in rules:
        sheet.merge_range(row, 0, row, 1, str(rule), wrapped)
        row += 1
    row += 1
    sheet.write_string(row, 0, _("Column"), head)
    sheet.write_string(row, 1, _("What to enter"), head)
    for item in FIELDS:
        row += 1
        sheet.write_string(row, 0, item.header(language))
        sheet.write_string(row, 1, _meant(item))


def _meant(item: Field) -> str:
    if item.choices:
        return _("One of: {choices}", choices=listed(member.label for member in item.choices))
    return str(item.help)
