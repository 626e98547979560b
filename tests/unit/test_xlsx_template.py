"""The template and the report of errors: what they offer, and that both can be imported as they are."""

import io
import zipfile
from pathlib import Path

import openpyxl
import pytest

from crm.i18n import Language, says
from crm.xlsx import check
from crm.xlsx.check import Checker, Layout, Problem, WrongRow
from crm.xlsx.fields import BY_KEY, EXAMPLE_NAME, FIELDS, PROBLEM_HEADER, ROW_HEADER
from crm.xlsx.reader import Limits, opened
from crm.xlsx.report import report
from crm.xlsx.template import template
from tests.sheets import cells_of, edited

LIMITS = Limits(rows=1_000, file_megabytes=8, seconds=25, megabytes=400)


def a_template(language: Language, courses: tuple[str, ...] = ("Python 全栈", "Java")) -> bytes:
    file = io.BytesIO()
    template(file, language, courses)
    return file.getvalue()


def a_report(*rows: WrongRow) -> bytes:
    headers = ["Name", "Phone", "Note"]
    columns = {place: BY_KEY[key] for place, key in enumerate(("name", "phone", "note"))}
    file = io.BytesIO()
    report(file, Layout("客户", 1, headers, columns), rows, "en")
    return file.getvalue()


def checked(content: bytes) -> tuple[check.Looked, Checker]:
    with opened(content, LIMITS) as sheet:
        top = next(sheet.chunks)
        checker = Checker(sheet, check.layout(sheet, top))
        return checker.check(top), checker


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_template_can_be_filled_in_and_its_example_is_passed_over(language: Language) -> None:
    def change(book: openpyxl.Workbook) -> None:
        book.worksheets[0]["A3"] = "张三"
        book.worksheets[0]["C3"] = "13800138001"

    found, checker = checked(edited(a_template(language), change))

    assert found.numbers == [3]
    assert not found.wrong and not checker.layout.warnings
    assert checker.examples == 1


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_example_would_be_right_if_it_were_a_customer(language: Language) -> None:
    def change(book: openpyxl.Workbook) -> None:
        book.worksheets[0]["A2"] = "张三"

    found, _ = checked(edited(a_template(language), change))

    assert found.numbers == [2]
    assert not found.wrong


def test_headers_stand_in_both_languages_the_readers_first() -> None:
    assert cells_of(a_template("zh"))[0][:2] == ["姓名 Name *", "性别 Gender"]
    assert cells_of(a_template("en"))[0][:2] == ["Name 姓名 *", "Gender 性别"]
    assert len(cells_of(a_template("en"))[0]) == len(FIELDS)


def test_every_choice_has_a_list_to_choose_from() -> None:
    book = openpyxl.load_workbook(io.BytesIO(a_template("en")))
    sheet, lists = book.worksheets[0], book["Lists"]
    offered = {
        str(rule.sqref).split(":")[0].rstrip("0123456789"): [
            cell.value for (cell,) in lists[rule.formula1.split("!")[1]]
        ]
        for rule in sheet.data_validations.dataValidation
    }

    for place, item in enumerate(FIELDS):
        letter = openpyxl.utils.get_column_letter(place + 1)
        if item.choices:
            assert offered[letter] == [str(member.label) for member in item.choices]
        elif item.key == "courses":
            assert offered[letter] == ["Python 全栈", "Java"]
        else:
            assert letter not in offered
    assert lists.sheet_state == "hidden"


def test_the_template_explains_every_column() -> None:
    told = cells_of(a_template("en"), sheet=1)

    assert [row[0] for row in told[-len(FIELDS) :]] == [item.header("en") for item in FIELDS]
    assert all(row[1] for row in told[-len(FIELDS) :])


def test_the_template_can_be_written_to_a_path(tmp_path: Path) -> None:
    template(tmp_path / "customers.xlsx", "en")

    assert cells_of((tmp_path / "customers.xlsx").read_bytes())[1][0] == EXAMPLE_NAME


def test_the_report_says_what_is_wrong_beside_the_cells_as_they_came() -> None:
    row = WrongRow(7, ("A", 138.0, ""), (Problem(1, "Phone", says("Not a phone.")), Problem(2, "Note", says("Empty."))))

    cells = cells_of(a_report(row))

    assert cells == [
        [PROBLEM_HEADER, ROW_HEADER, "Name", "Phone", "Note"],
        ["Phone: Not a phone.\nNote: Empty.", 7, "A", 138, None],
    ]


def test_wrong_cells_are_coloured() -> None:
    book = openpyxl.load_workbook(
        io.BytesIO(a_report(WrongRow(7, ("A", "138", ""), (Problem(2, "Note", says("Empty.")),))))
    )

    fills = [cell.fill.start_color.rgb for cell in book.active[2]]

    assert fills[4] == "FFFFC7CE"
    assert "FFFFC7CE" not in fills[:4]


@pytest.mark.parametrize(
    "text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", '=HYPERLINK("http://example.com")', "http://example.com"]
)
def test_nothing_in_the_report_is_live(text: str) -> None:
    content = a_report(WrongRow(7, ("A", "138", text), (Problem(1, "Phone", says("{value} is wrong.", value=text)),)))

    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        xml = archive.read("xl/worksheets/sheet1.xml").decode()
    assert "<f>" not in xml and "<hyperlink" not in xml.lower()
    written = cells_of(content)[1][4]
    assert written == text or written == "'" + text


def test_what_was_made_harmless_comes_back_as_it_was() -> None:
    content = a_report(WrongRow(7, ("A", "138", "=1+1"), (Problem(1, "Phone", says("Wrong.")),)))

    def change(book: openpyxl.Workbook) -> None:
        book.active["D2"] = "13800138001"

    found, checker = checked(edited(content, change))

    assert found.values[0][check.POSITION["note"]] == "=1+1"
    assert not checker.layout.warnings
