"""A sheet is understood however its columns are arranged, and each wrong cell is named."""

import io
from collections.abc import Sequence
from datetime import date
from typing import Any

import pytest
import xlsxwriter

from crm.errors import Unreadable
from crm.xlsx import check
from crm.xlsx.check import POSITION, Checker, Looked
from crm.xlsx.fields import FIELDS, STORED, recognised
from crm.xlsx.reader import Limits, Opened, opened
from tests.sheets import a_sheet, edited

LIMITS = Limits(rows=1_000, file_megabytes=8, seconds=25, megabytes=400)
NEEDED = ("Name", "Phone")


def looked(content: bytes) -> tuple[Looked, Checker]:
    """Everything in a sheet."""
    everything = Looked()
    with opened(content, LIMITS) as sheet:
        top = next(sheet.chunks)
        checker = Checker(sheet, check.layout(sheet, top))
        for rows in (top, *sheet.chunks):
            some = checker.check(rows)
            everything.numbers += some.numbers
            everything.values += some.values
            everything.wrong += some.wrong
    return everything, checker


def value(found: Looked, row: int, key: str) -> Any:
    return found.values[row][POSITION[key]]


def problems(found: Looked) -> list[tuple[int, str, str]]:
    return [(row.number, one.column, str(one.says)) for row in found.wrong for one in row.problems]


def drawn(draw: Any) -> bytes:
    """A sheet drawn with xlsxwriter."""
    file = io.BytesIO()
    book = xlsxwriter.Workbook(file, {"in_memory": True})
    draw(book, book.add_worksheet("客户"))
    book.close()
    return file.getvalue()


@pytest.mark.parametrize("item", FIELDS, ids=lambda item: item.key)
def test_every_header_is_known_in_both_languages(item) -> None:  # type: ignore[no-untyped-def]
    for header in (item.en, item.zh, item.header("en"), item.header("zh"), *item.also):
        for written in (header, header.upper(), f" {header} *", header.replace(" ", "\n"), f"{header}："):
            assert recognised(written) == item.key, written


@pytest.mark.parametrize(
    ("header", "key"),
    [
        ("姓名", "name"),
        ("性别(1-男,2-女)", "gender"),
        ("性别（1-男，2-女）", "gender"),
        ("QQ号", "qq"),
        ("手机（必填）", "phone"),
        ("Hobby", None),
    ],
)
def test_the_classic_headers_are_known(header: str, key: str | None) -> None:
    assert recognised(header) == key


def test_no_header_means_two_fields() -> None:
    everything = [(text.casefold(), item.key) for item in FIELDS for text in {item.en, item.zh, *item.also}]

    assert len({text for text, _key in everything}) == len(everything)


def test_what_is_stored_as_it_is_comes_before_what_names_other_rows() -> None:
    assert tuple(item.key for item in FIELDS[: len(STORED)]) == STORED
    assert len(STORED) == 15


def test_columns_come_in_any_order_and_language() -> None:
    found, _ = looked(a_sheet([(10001, "13800138001", "Li Lei", "硕士")], ("QQ号", "Phone", "姓名", "Education")))

    assert [value(found, 0, key) for key in ("name", "phone", "qq", "education")] == [
        "Li Lei",
        "13800138001",
        "10001",
        "master",
    ]


def test_titles_may_stand_above_the_header() -> None:
    def draw(book: Any, sheet: Any) -> None:
        sheet.merge_range("B2:D2", "2025 年客户名单", book.add_format())
        sheet.write_row("B4", ["姓名", "手机"])
        sheet.write_row("B5", ["张三", 13800138001])

    found, _ = looked(drawn(draw))

    assert found.numbers == [5]
    assert value(found, 0, "phone") == "13800138001"


def test_an_unknown_column_is_left_out_with_a_hint() -> None:
    _, checker = looked(a_sheet([("A", "13800138001", "x", "y")], (*NEEDED, "Companny", "血型")))

    assert [str(warning) for warning in checker.layout.warnings] == [
        "Column C (Companny) is left out. Did you mean Company?",
        "Column D (血型) is not known and is left out.",
    ]


@pytest.mark.parametrize(
    ("headers", "message"),
    [
        (
            ("Phone", "Company"),
            r"客户: row 1 has no column Name 姓名\. Name it so in the first row, or use the template\.",
        ),
        (("Name", "Company"), r"row 1 has no column Phone 手机 / QQ QQ号 / WeChat 微信\."),
        (("Hobby", "Colour"), r"row 1 has no column Name 姓名 \+ Phone 手机 / QQ QQ号 / WeChat 微信\."),
        (("Name", "Phone", "手机号"), r"columns B \(Phone\) and C \(手机号\) mean the same\. Keep one of them\."),
    ],
)
def test_a_sheet_without_the_needed_columns_is_refused_in_one_line(headers: Sequence[str], message: str) -> None:
    with pytest.raises(Unreadable, match=message):
        looked(a_sheet([("A", "13800138001", "x")], headers))


def test_every_wrong_cell_of_a_row_is_named() -> None:
    found, _ = looked(a_sheet([("", "138", "no mail", -5)], ("姓名", "手机", "邮箱", "薪资")))

    assert [(row, column) for row, column, _why in problems(found)] == [
        (2, "手机"),
        (2, "邮箱"),
        (2, "薪资"),
        (2, "姓名"),
    ]


def test_a_row_needs_a_name_and_a_way_to_reach_the_person() -> None:
    found, _ = looked(a_sheet([("", "13800138001"), ("A", "")], NEEDED))

    assert problems(found) == [
        (2, "Name", "The name is missing."),
        (3, "Phone", "Enter a phone, a QQ or a WeChat."),
    ]


def test_empty_rows_are_passed_over_and_rows_keep_their_numbers() -> None:
    found, _ = looked(a_sheet([("A", "13800138001"), ("", ""), (" ", "\u3000"), ("B", "13800138002")], NEEDED))

    assert found.numbers == [2, 5]
    assert not found.wrong


def test_a_formula_counts_by_the_value_that_the_program_saved() -> None:
    def draw(_book: Any, sheet: Any) -> None:
        sheet.write_row(0, 0, NEEDED)
        sheet.write_string(1, 0, "A")
        sheet.write_formula(1, 1, "=13800138000+1", None, 13800138001)

    found, _ = looked(drawn(draw))

    assert value(found, 0, "phone") == "13800138001"


def test_a_formula_without_a_value_is_wrong_and_never_taken_for_empty() -> None:
    def change(book: Any) -> None:
        book.active["B2"] = "=13800138000+1"
        book.active["C3"] = '=IF(1=2,"","")'

    content = edited(a_sheet([("A", 1, "x"), ("B", "13800138002", "x")], (*NEEDED, "Note")), change)

    found, _ = looked(content)

    why = "The formula has no value yet. Open the file in a spreadsheet program and save it, or paste the values."
    assert problems(found) == [(2, "Phone", why), (3, "Note", why)]


def test_a_formula_that_failed_is_wrong() -> None:
    def draw(_book: Any, sheet: Any) -> None:
        sheet.write_row(0, 0, (*NEEDED, "Company"))
        sheet.write_row(1, 0, ("A", "13800138001"))
        sheet.write_formula(1, 2, "=VLOOKUP(1,X1:Y2,2)", None, "#N/A")

    found, _ = looked(drawn(draw))

    assert problems(found) == [(2, "Company", "The formula has failed. Correct it or type the value.")]


def test_merged_cells_are_wrong_in_each_of_their_rows() -> None:
    def draw(book: Any, sheet: Any) -> None:
        sheet.write_row(0, 0, (*NEEDED, "Company"))
        for row in range(1, 5):
            sheet.write_row(row, 0, (f"N{row}", f"1380013800{row}"))
        sheet.merge_range("C3:C4", "One company", book.add_format())

    found, _ = looked(drawn(draw))

    why = "The cells C3:C4 are merged. Unmerge them and fill in each one."
    assert problems(found) == [(3, "Company", why), (4, "Company", why)]
    assert found.numbers == [2, 5]


def test_a_header_as_long_as_a_book_is_left_out_and_told_of_in_short() -> None:
    found, checker = looked(a_sheet([("A", "13800138001", "x")], (*NEEDED, "姓名 Name (" * 3_000)))

    (warning,) = map(str, checker.layout.warnings)
    assert warning.startswith("Column C (姓名 Name (") and len(warning) < 300
    assert found.numbers == [2]


def test_a_row_is_told_once_of_merged_cells_however_many_lie_over_each_other() -> None:
    over = [(1, 0, last, 1) for last in range(100, 1_000)]
    sheet = Opened(
        sheet="客户",
        rows=2_001,
        left=0,
        merged=((1_500, 1, 1_999, 1), *over, (2_000, 0, 9_999, 0)),
        uncached=frozenset(),
        failed=frozenset(),
        chunks=iter(()),
    )

    found = Checker(sheet, check.layout(sheet, [NEEDED])).check([NEEDED, *[["A", "13800138001"]] * 2_000])

    told = [(row.number, [one.column for one in row.problems]) for row in found.wrong]
    names = [(row, ["Name"]) for row in (*range(2, 1_001), 2_001)]
    assert told == sorted([*names, *((row, ["Phone"]) for row in range(1_501, 2_001))])


def test_dates_where_none_belong_are_wrong() -> None:
    found, _ = looked(a_sheet([("A", "13800138001", date(2024, 1, 3))], (*NEEDED, "Experience")))

    assert [(row, column) for row, column, _why in problems(found)] == [(2, "Experience")]
    assert "2024-01-03" in problems(found)[0][2]


def test_a_truth_value_never_counts_as_a_code() -> None:
    found, _ = looked(a_sheet([("A", "13800138001", 1), ("B", "13800138002", True)], (*NEEDED, "Gender")))

    assert found.numbers == [2]
    assert [row.number for row in found.wrong] == [3]


def test_invisible_characters_and_wide_digits_do_no_harm() -> None:
    found, _ = looked(a_sheet([("\u200b张三\ufeff", "１３８００１３８００１ ")], NEEDED))

    assert [value(found, 0, key) for key in ("name", "phone")] == ["张三", "13800138001"]
