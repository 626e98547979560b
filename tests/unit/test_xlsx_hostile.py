"""Files that are broken or mean harm: each gets one line with place and remedy, soon, and takes little memory."""

import io
import struct
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crm.errors import Unreadable
from crm.xlsx import guard
from crm.xlsx.reader import ROOT, Limits, opened
from tests.sheets import a_sheet, repacked, sheet_xml

LIMITS = Limits(rows=200_000, file_megabytes=64, seconds=25, megabytes=400)
SHEET = "xl/worksheets/sheet1.xml"
TEXTS = "xl/sharedStrings.xml"
SOUND = a_sheet([("张三", 1, 13800138001, 10001)])


def read(content: bytes, limits: Limits = LIMITS) -> int:
    """How many rows are read."""
    with opened(content, limits) as sheet:
        return sum(len(rows) for rows in sheet.chunks)


def with_cells(cells: str) -> bytes:
    return repacked(SOUND, {SHEET: sheet_xml(cells)})


def a_number(cell: str) -> str:
    return f'<c r="{cell}"><v>1</v></c>'


def a_far_cell(cell: str = "XFD1048576") -> bytes:
    row = cell.lstrip("ABCDEFGHIJKLMNOPQRSTUVWXYZ")
    return with_cells(f'<row r="1">{a_number("A1")}</row><row r="{row}">{a_number(cell)}</row>')


def a_far_cell_that_hides() -> bytes:
    """Its attributes are written in a way that a look at the text does not see."""
    return with_cells(f"<row r='1'>{a_number('A1')}</row><row r='1048576'><c t='n' r='XFD1048576'><v>1</v></c></row>")


@cache
def a_zip_bomb() -> bytes:
    """One text of 300 MB."""
    file = io.BytesIO(repacked(SOUND, {TEXTS: None}))
    with zipfile.ZipFile(file, "a", zipfile.ZIP_DEFLATED) as archive, archive.open(TEXTS, "w") as part:
        part.write(b'<sst count="1" uniqueCount="1"><si><t>')
        for _megabyte in range(300):
            part.write(b"0" * (1 << 20))
        part.write(b"</t></si></sst>")
    return file.getvalue()


def a_bomb_that_lies() -> bytes:
    """The zip's own list says that it is small."""
    content = bytearray(a_zip_bomb())
    place = content.rfind(b"PK\x01\x02")
    while place >= 0:
        if content[place + 46 :].startswith(TEXTS.encode()):
            content[place + 24 : place + 28] = struct.pack("<I", 2_000)
        place = content.rfind(b"PK\x01\x02", 0, place)
    return bytes(content)


def an_entity_bomb() -> bytes:
    lines = ['<!ENTITY a "ha">'] + [
        f'<!ENTITY {name} "{f"&{before};" * 10}">' for before, name in zip("abcdefgh", "bcdefghi", strict=True)
    ]
    bomb = f'<?xml version="1.0"?><!DOCTYPE x [{"".join(lines)}]><sst><si><t>&i;</t></si></sst>'
    return repacked(SOUND, {TEXTS: bomb.encode()})


def an_entity_bomb_in_the_workbook() -> bytes:
    bomb = '<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "ha">]><workbook>&a;</workbook>'
    return repacked(SOUND, {"xl/workbook.xml": bomb.encode()})


def a_file_behind_a_password() -> bytes:
    return guard._OLE + bytes(600) + "EncryptedPackage".encode("utf-16-le") + bytes(600)


def an_old_xls() -> bytes:
    return guard._OLE + bytes(600) + "Workbook".encode("utf-16-le") + bytes(600)


def a_zip_of_something_else() -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("hello.txt", "hello")
    return file.getvalue()


def a_broken_sheet() -> bytes:
    return repacked(SOUND, {SHEET: sheet_xml("<row r='1'>" + a_number("A1")).replace(b"</sheetData>", b"<</")})


def many_entries() -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("[Content_Types].xml", "")
        for number in range(guard.MAX_ENTRIES):
            archive.writestr(f"xl/media/{number}.png", "")
    return file.getvalue()


@cache
def one_text_in_many_cells() -> bytes:
    """A small file: a text that takes four bytes a sign as soon as it is read, named by 60,000 cells."""
    text = "a " * 1_190 + "\U0001f600"
    texts = f'<sst xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><si><t>{text}</t></si></sst>'
    rows = "".join(f'<row r="{row}"><c r="A{row}" t="s"><v>0</v></c></row>' for row in range(1, 60_000))
    return repacked(SOUND, {SHEET: sheet_xml(rows), TEXTS: texts.encode()})


HOSTILE: list[tuple[Callable[[], bytes], str]] = [
    (a_far_cell, r"客户: cell XFD1048576 is far outside of a table\. Delete everything beside and below the table\."),
    (lambda: a_far_cell("XFD1"), "cell XFD1 is far outside"),
    (lambda: a_far_cell("A1048576"), "cell A1048576 is far outside"),
    (lambda: a_far_cell("A300000"), "goes down to row 300,000; 200,000 rows are the most"),
    (a_far_cell_that_hides, "400 MB of memory|far outside|goes down"),
    (a_zip_bomb, "unpacks to far more"),
    (a_bomb_that_lies, "damaged or cut off|unpacks to far more"),
    (an_entity_bomb, "declares XML entities"),
    (an_entity_bomb_in_the_workbook, "declares XML entities"),
    (lambda: SOUND[: len(SOUND) // 2], "damaged or cut off"),
    (lambda: SOUND[:100], "damaged or cut off"),
    (a_file_behind_a_password, "protected by a password"),
    (an_old_xls, r"old \.xls file"),
    (lambda: b"", "is empty"),
    (lambda: b"name,phone\nA,1\n", r"not an \.xlsx spreadsheet"),
    (lambda: bytes(range(256)) * 40, r"not an \.xlsx spreadsheet"),
    (a_zip_of_something_else, r"not an \.xlsx spreadsheet"),
    (a_broken_sheet, "damaged"),
    (many_entries, "unpacks to far more"),
    (one_text_in_many_cells, r"客户: the cells down to row [\d,]+ hold more text than 50 million characters"),
    (lambda: with_cells(""), "no cell with content"),
]


@pytest.mark.parametrize(
    ("build", "message"), HOSTILE, ids=[f"{n}-{message[:30]}" for n, (_build, message) in enumerate(HOSTILE)]
)
def test_a_hostile_file_gets_one_line_soon(build: Callable[[], bytes], message: str) -> None:
    content = build()
    start = time.monotonic()

    with pytest.raises(Unreadable, match=message) as error:
        read(content)

    assert "\n" not in str(error.value)
    assert time.monotonic() - start < 30


@given(
    place=st.integers(0, len(SOUND) - 1),
    damage=st.binary(max_size=30),
    cut=st.integers(0, 60),
    part=st.sampled_from(["", SHEET, TEXTS, "xl/workbook.xml", "xl/_rels/workbook.xml.rels", "_rels/.rels"]),
)
def test_whatever_is_damaged_is_refused_or_read(place: int, damage: bytes, cut: int, part: str) -> None:
    with zipfile.ZipFile(io.BytesIO(SOUND)) as archive:
        whole = archive.read(part) if part else SOUND
    place %= len(whole)
    damaged = whole[:place] + damage + whole[place + cut :]
    content = repacked(SOUND, {part: damaged}) if part else damaged

    try:
        with guard.look(io.BytesIO(content)) as archive:
            sheets = guard.sheets(archive)
            guard.scan_texts(archive)
            guard.scan(archive, sheets[0], 100)
    except Unreadable as error:
        assert str(error) and "\n" not in str(error)


def test_no_hostile_file_takes_more_than_512_mb_altogether(tmp_path: Path) -> None:
    for number, (build, _message) in enumerate(HOSTILE):
        (tmp_path / f"{number}.xlsx").write_bytes(build())
    script = f"""
import os, resource, sys
from pathlib import Path
from crm.errors import Unreadable
from crm.xlsx.reader import Limits, opened
for file in Path(sys.argv[1]).iterdir():
    # A process for each: a child counts as its own peak what its parent had when it was forked.
    if os.fork():
        assert os.wait()[1] == 0
        continue
    try:
        with opened(file.read_bytes(), {LIMITS!r}) as sheet:
            list(sheet.chunks)
    except Unreadable:
        pass
    own = next(line for line in open("/proc/self/status") if line.startswith("VmHWM")).split()[1]
    print(int(own) + resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss, flush=True)
    os._exit(0)
"""

    done = subprocess.run(
        [sys.executable, "-c", script, str(tmp_path)], cwd=ROOT, capture_output=True, text=True, check=True
    )

    peaks = [int(line) for line in done.stdout.split()]
    assert len(peaks) == len(HOSTILE)
    assert max(peaks) < 512 * 1024


def test_rows_at_the_limit_are_read_and_one_more_is_refused() -> None:
    limits = Limits(rows=50, file_megabytes=1, seconds=25, megabytes=400)
    rows = [("n", 1, number, number) for number in range(71)]

    assert read(a_sheet(rows[:60]), limits) == 61
    with pytest.raises(Unreadable, match="goes down to row 72"):
        read(a_sheet(rows), limits)


def test_a_file_that_is_too_large_is_not_even_read() -> None:
    limits = Limits(rows=50, file_megabytes=1, seconds=25, megabytes=400)

    with pytest.raises(Unreadable, match="has 2 MB; 1 are the most"):
        read(bytes(2 << 20), limits)


def test_reading_ends_at_its_time() -> None:
    limits = Limits(rows=200_000, file_megabytes=64, seconds=1, megabytes=400)
    cells = "".join(f'<row r="{row}">{a_number(f"A{row}") * 60}</row>' for row in range(1, 30_000))

    with pytest.raises(Unreadable, match="longer than 1 second"):
        read(with_cells(cells), limits)


def test_reading_ends_when_nothing_comes_any_more() -> None:
    limits = Limits(rows=200_000, file_megabytes=64, seconds=0, megabytes=400)

    with pytest.raises(Unreadable, match="longer than 0 second"):
        read(SOUND, limits)


def test_reading_ends_at_its_memory() -> None:
    limits = Limits(rows=200_000, file_megabytes=64, seconds=25, megabytes=64)
    cells = "".join(f'<row r="{row}">{a_number(f"A{row}")}{a_number(f"CV{row}")}</row>' for row in range(1, 40_000))

    with pytest.raises(Unreadable, match="more than 64 MB of memory"):
        read(with_cells(cells), limits)


def test_formats_without_content_may_reach_to_the_end_of_the_sheet() -> None:
    cells = f'<row r="1">{a_number("A1")}</row><row r="1048576" ht="20"><c r="XFD1048576" s="1"/></row>'

    assert read(with_cells(cells)) == 1


def test_the_first_visible_sheet_with_content_is_read() -> None:
    import xlsxwriter

    file = io.BytesIO()
    book = xlsxwriter.Workbook(file, {"in_memory": True})
    book.add_worksheet("empty").activate()
    book.add_worksheet("hidden").hide()
    book.worksheets()[1].write_row(0, 0, ["no"])
    book.add_worksheet("filled").write_row(0, 0, ["yes"])
    book.close()

    with opened(file.getvalue(), LIMITS) as sheet:
        assert (sheet.sheet, next(sheet.chunks)) == ("filled", [["yes"]])
