"""A list as a file: what matches, only what the person may see, values as values and nothing that runs."""

import csv
import tracemalloc
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import openpyxl
import pytest
from sqlalchemy import Engine

from crm.grid import export
from crm.grid.config import Column
from crm.grid.export import Format, chunks, count, described, write
from crm.grid.view import read_view
from crm.i18n import read_in, says
from crm.store.session import reading, writing
from tests.grid_example import BOOKS, LIBRARIAN, NOW, READER, Book, create

SHANGHAI = ZoneInfo("Asia/Shanghai")


@pytest.fixture
def books(engine: Engine) -> Engine:
    """30 books."""
    create(engine, 30)
    return engine


def exported(
    engine: Engine, file: Path, form: Format = "csv", actor: Any = LIBRARIAN, config: Any = BOOKS, **url: list[str]
) -> list[list[Any]]:
    """What is in the file, its head first."""
    view = read_view(config, url)
    told: list[int] = []
    with reading(engine) as session:
        total = count(config, session, actor, view, SHANGHAI)
        rows = chunks(config, session, actor, view, SHANGHAI, NOW)
        assert write(file, form, config, actor, rows, told.append) == total
    assert told[-1:] == ([total] if total else [])
    if form == "csv":
        with file.open(encoding="utf-8-sig", newline="") as text:
            return list(csv.reader(text))
    with file.open("rb") as raw:
        sheet = openpyxl.load_workbook(raw).worksheets[0]
    return [list(row) for row in sheet.iter_rows(values_only=True)]


def column(found: list[list[Any]], name: str) -> list[Any]:
    place = found[0].index(name)
    return [row[place] for row in found[1:]]


@pytest.mark.parametrize("form", ["csv", "xlsx"])
def test_all_that_match_are_in_the_file_in_the_order_of_the_view(books: Engine, tmp_path: Path, form: Format) -> None:
    found = exported(books, tmp_path / "file", form, binding=["cloth"], sort=["name"], page=["9"])

    assert column(found, "Name")[:3] == ["Book 10", "Book 12", "Book 14"]
    assert len(found) == 16


@pytest.mark.parametrize("form", ["csv", "xlsx"])
def test_a_list_is_read_and_written_some_rows_at_a_time(
    books: Engine, tmp_path: Path, form: Format, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(export, "CHUNK", 7)

    found = exported(books, tmp_path / "file", form, sort=["added_at"])

    assert column(found, "Name") == [f"Book {number}" for number in range(1, 31)]


def test_values_stay_values_in_a_workbook(books: Engine, tmp_path: Path) -> None:
    with writing(books) as session:
        session.get(Book, 7).bought = date(2025, 12, 24)

    found = exported(books, tmp_path / "file.xlsx", "xlsx", sort=["name"], q=["Book 7"])

    assert dict(zip(found[0], found[1], strict=True)) == {
        "Name": "Book 7",
        "Pages": 70,
        "Price": 7,
        "Binding": "Paperback",
        "Shelf": "Shelf 2",
        "Lent": "No",
        "Bought": datetime(2025, 12, 24),
        "Days here": 29,
        "Added": datetime(2026, 4, 20, 12, 7),
        "Note": None,
        "Where": "Shelf 2",
        "Read": 0,
        "ISBN": None,
    }


def test_only_columns_that_the_person_may_see(books: Engine, tmp_path: Path) -> None:
    assert "Price" in exported(books, tmp_path / "file")[0]
    assert "Price" not in exported(books, tmp_path / "file", actor=READER)[0]


def test_only_rows_within_reach(books: Engine, tmp_path: Path) -> None:
    found = exported(books, tmp_path / "file", actor=replace(LIBRARIAN, department=1001))

    assert set(column(found, "Shelf")) == {"Shelf 1"}
    assert len(found) == 11


@pytest.mark.parametrize("form", ["csv", "xlsx"])
def test_no_text_becomes_a_formula(books: Engine, tmp_path: Path, form: Format) -> None:
    evil = ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1"]
    with writing(books) as session:
        for key, name in enumerate(evil, 1):
            session.get(Book, key).name = name

    found = exported(books, tmp_path / "file", form, sort=["added_at"])

    assert column(found, "Name")[:5] == [f"'{name}" for name in evil]


def test_chinese_is_read_right_by_excel_and_headings_are_in_the_readers_language(books: Engine, tmp_path: Path) -> None:
    with writing(books) as session:
        session.get(Book, 30).name = "红楼梦"

    with read_in("zh"):
        found = exported(books, tmp_path / "file")

    assert (tmp_path / "file").read_bytes().startswith(b"\xef\xbb\xbf")
    assert (found[0][0], found[1][0]) == ("姓名", "红楼梦")


def test_computed_columns_and_those_that_show_something_else_are_in_the_file(books: Engine, tmp_path: Path) -> None:
    config = replace(
        BOOKS,
        columns=(
            Column("name", show=lambda name: says("The book {name}", name=name)),
            Column("twice", look_up=lambda _s, rows, _now: {row.id: 2 * row.pages for row in rows}, kind="number",
                   label=says("Pages")),
        ),
    )  # fmt: skip

    assert exported(books, tmp_path / "file", config=config, q=["Book 30"])[1] == ["The book Book 30", "600"]


def test_an_unreadable_view_has_a_file_without_rows(books: Engine, tmp_path: Path) -> None:
    view = read_view(BOOKS, {"binding": ["gold"]})

    with reading(books) as session:
        assert list(chunks(BOOKS, session, LIBRARIAN, view, SHANGHAI, NOW)) == []


def test_an_export_that_ends_early_leaves_no_file(tmp_path: Path) -> None:
    def broken() -> Any:
        yield [["Book"] * len(BOOKS.columns)]
        raise OSError("no space left on device")

    for form in ("csv", "xlsx"):
        with pytest.raises(OSError, match="no space"):
            write(tmp_path / "file", form, BOOKS, LIBRARIAN, broken(), lambda _done: None)  # type: ignore[arg-type]

    assert list(tmp_path.iterdir()) == []


def test_what_fills_a_sheet_goes_on_on_the_next(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(export, "ROWS_A_SHEET", 10)
    rows = iter([[["Book"] * len(BOOKS.columns)] * 25])

    write(tmp_path / "file.xlsx", "xlsx", BOOKS, LIBRARIAN, rows, lambda _done: None)

    book = openpyxl.load_workbook(tmp_path / "file.xlsx")
    assert [sheet.max_row for sheet in book.worksheets] == [11, 11, 6]
    assert {sheet.cell(1, 1).value for sheet in book.worksheets} == {"Name"}


def test_ten_times_the_rows_take_no_more_memory(tmp_path: Path) -> None:
    def some(number: int) -> Any:
        for chunk in range(number):
            yield [[f"Book {chunk} {row}"] * len(BOOKS.columns) for row in range(200)]

    peaks = []
    for number in (5, 50):
        tracemalloc.start()
        write(tmp_path / "file.csv", "csv", BOOKS, LIBRARIAN, some(number), lambda _done: None)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()

    assert peaks[1] < 1.5 * peaks[0]


def test_of_the_view_the_audit_log_gets_the_filters_but_no_word_that_was_searched() -> None:
    view = read_view(BOOKS, {"q": ["Ann 13800138000"], "binding": ["cloth", "paper"], "page": ["2"], "sort": ["name"]})

    assert described(BOOKS, view) == "binding=cloth&binding=paper&searched"
