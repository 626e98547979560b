"""A look at a file before it is parsed: is it an .xlsx at all, and does it fit into the limits?

Runs in the child process that parses, because even a list of a zip's entries can be hostile. It names
what is wrong in words; what it overlooks meets the child's limits of memory and time.
"""

import re
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from posixpath import dirname, join, normpath
from typing import IO
from xml.etree.ElementTree import Element, ParseError

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import fromstring

from crm.errors import Unreadable
from crm.i18n import says

MEGABYTE = 1 << 20
MAX_ENTRIES = 5_000
MAX_TOTAL = 400 * MEGABYTE
MAX_RATIO = 150
RATIO_MATTERS_FROM = 30 * MEGABYTE
MAX_PARTS_LIST = 4 * MEGABYTE
# A table of customers is no wider than column CV. Calamine's memory grows with the rectangle of all cells.
MAX_COLUMNS = 100
MAX_LISTED = 20_000
# Titles may stand above the header, so a sheet may be this much longer than its rows.
ROWS_ABOVE = 20
LONGEST_CELL = 256 * 1024

_NO_SPREADSHEET = says("This is not an .xlsx spreadsheet. Open it in a spreadsheet program and save it as .xlsx.")
_DAMAGED = says("The file is damaged or cut off. Download or save it again.")
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
# Cells with content only: formats alone may well reach to the end of the sheet.
_FAR = rb"""<c r="((?:[A-Z]{3,}|[%c-Z][A-Z])\d+|[A-Z]{1,3}\d{7,})"(?:[^>/]|/(?!>))*>"""
_CELL = re.compile(rb"""<c r="[A-Z]+(\d+)"(?:[^>/]|/(?!>))*>""")
_UNCACHED = re.compile(
    rb"""<c r="([A-Z]+)(\d+)"[^>]*>\s*<f(?:\s[^>]*)?(?:/>|>[^<]*</f>)\s*(?:<v\s*/>|<v>\s*</v>)?\s*</c>"""
)
_FAILED = re.compile(rb"""<c r="([A-Z]+)(\d+)"[^>]*? t="e"[^>]*>""")


@dataclass(frozen=True, slots=True)
class Sheet:
    """A worksheet of the workbook: its name, and the zip's entry that holds it."""

    name: str
    entry: str


@dataclass(slots=True)
class Findings:
    """What a look at one sheet's XML found that a parser shows as empty, as (column letters, row):
    formulas that no program has calculated yet, and formulas that failed (#N/A)."""

    uncached: set[tuple[str, int]] = field(default_factory=set)
    failed: set[tuple[str, int]] = field(default_factory=set)


def look(file: IO[bytes]) -> zipfile.ZipFile:
    """Opens the zip if its outside is sound. Raises `Unreadable` that says what it is instead."""
    start = file.read(len(_OLE))
    if not start:
        raise Unreadable(says("The file is empty. Choose another one."))
    if start == _OLE:
        if "EncryptedPackage".encode("utf-16-le") in file.read():
            raise Unreadable(says("The file is protected by a password. Save it without one and try again."))
        raise Unreadable(says("This is an old .xls file. Open it in a spreadsheet program and save it as .xlsx."))
    if not start.startswith(b"PK"):
        raise Unreadable(_NO_SPREADSHEET)
    try:
        archive = zipfile.ZipFile(file)
    except (zipfile.BadZipFile, ValueError, NotImplementedError, OSError, EOFError):
        raise Unreadable(_DAMAGED) from None
    entries = archive.infolist()
    names = {entry.filename for entry in entries}
    if "[Content_Types].xml" not in names:
        raise Unreadable(_NO_SPREADSHEET)
    if any(entry.flag_bits & 1 for entry in entries):
        raise Unreadable(says("The file is protected by a password. Save it without one and try again."))
    total = sum(entry.file_size for entry in entries)
    swollen = any(
        entry.file_size > RATIO_MATTERS_FROM and entry.file_size > MAX_RATIO * max(entry.compress_size, 1)
        for entry in entries
    )
    if len(entries) > MAX_ENTRIES or total > MAX_TOTAL or swollen:
        raise _too_much()
    return archive


def sheets(archive: zipfile.ZipFile) -> list[Sheet]:
    """The visible worksheets in the workbook's order. Raises `Unreadable` if there is none."""
    package = _relations(archive, "_rels/.rels", "")
    workbook = next((path for kind, path in package.values() if kind == "officeDocument"), "xl/workbook.xml")
    if workbook.endswith(".bin"):
        raise Unreadable(says("This is a binary .xlsb file. Open it in a spreadsheet program and save it as .xlsx."))
    folder = dirname(workbook)
    parts = _relations(archive, join(folder, "_rels", workbook.rsplit("/", 1)[-1] + ".rels"), folder)
    found = []
    for element in _parsed(archive, workbook).iter():
        if _local(element.tag) != "sheet" or element.get("state", "visible") != "visible":
            continue
        relation = next((value for name, value in element.attrib.items() if _local(name) == "id"), "")
        kind, path = parts.get(relation, ("", ""))
        if kind == "worksheet" and path in archive.NameToInfo:
            found.append(Sheet(element.get("name", ""), path))
    if not found:
        raise Unreadable(says("The file has no visible sheet with cells."))
    return found


def scan_texts(archive: zipfile.ZipFile) -> None:
    """Reads the texts that all sheets share as they really are, whatever the zip declares.

    A parser reads them when it opens the file. Raises `Unreadable` on more than was declared, entity declarations
    and endless texts.
    """
    for name in archive.NameToInfo:
        if name.lower().endswith("/sharedstrings.xml"):
            for _piece in _pieces(archive, name):
                pass


def scan(archive: zipfile.ZipFile, sheet: Sheet, max_rows: int, max_columns: int = MAX_COLUMNS) -> Findings:
    """Reads a sheet's XML as it really is. Raises `Unreadable` as `scan_texts` does, and on cells far outside or
    far below `max_rows` rows.
    """
    findings = Findings()
    # All columns of the first two letters that lie beyond: AA follows on Z, BA on AZ.
    beyond = re.compile(_FAR % (ord("A") + (max_columns - 1) // 26))
    open_cell = b""
    for piece in _pieces(archive, sheet.entry):
        window = open_cell + piece
        far = beyond.search(window)
        if far:
            raise far_cell(sheet.name, far[1].decode("ascii"))
        if b"<f" in window:
            _note(_UNCACHED, window, findings.uncached)
        if b't="e"' in window:
            _note(_FAILED, window, findings.failed)
        for match in _CELL.finditer(window, window.rfind(b"<row ") + 1):
            if int(match[1]) > max_rows + ROWS_ABOVE:
                raise too_many_rows(sheet.name, int(match[1]), max_rows)
        cut = window.rfind(b"<c ")
        open_cell = window[cut:] if 0 < len(window) - cut < LONGEST_CELL else b""
    return findings


def _note(pattern: re.Pattern[bytes], xml: bytes, into: set[tuple[str, int]]) -> None:
    for match in pattern.finditer(xml):
        if len(into) < MAX_LISTED:
            into.add((match[1].decode("ascii"), int(match[2])))


def far_cell(sheet: str, cell: str) -> Unreadable:
    """The error for a cell with content far outside of any table."""
    return Unreadable(
        says(
            "{sheet}: cell {cell} is far outside of a table. Delete everything beside and below the table.",
            sheet=sheet,
            cell=cell,
        )
    )


def too_many_rows(sheet: str, last: int, most: int) -> Unreadable:
    """The error for a sheet that is too long."""
    return Unreadable(
        says(
            "{sheet}: the table goes down to row {last}; {most} rows are the most at once. Split the sheet.",
            sheet=sheet,
            last=last,
            most=most,
        )
    )


def too_much_text(sheet: str, last: int, most: int) -> Unreadable:
    """The error for a sheet whose cells hold more text than customers have, in millions of characters."""
    return Unreadable(
        says(
            "{sheet}: the cells down to row {last} hold more text than {most} million characters. Split the sheet.",
            sheet=sheet,
            last=last,
            most=most,
        )
    )


def _pieces(archive: zipfile.ZipFile, entry: str) -> Iterator[bytes]:
    """An entry's bytes, a megabyte at a time, as long as they look like a spreadsheet's XML."""
    try:
        with archive.open(entry) as file:
            while piece := file.read(MEGABYTE):
                if b"<!ENTITY" in piece or b"<!DOCTYPE" in piece:
                    raise _entities()
                if len(piece) == MEGABYTE and b"<" not in piece:
                    raise _too_much()
                yield piece
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, OSError, KeyError):
        raise Unreadable(_DAMAGED) from None


def _relations(archive: zipfile.ZipFile, entry: str, folder: str) -> dict[str, tuple[str, str]]:
    """Relation id -> (kind, entry it leads to)."""
    if entry not in archive.NameToInfo:
        return {}
    found = {}
    for element in _parsed(archive, entry):
        target = element.get("Target", "")
        path = target.lstrip("/") if target.startswith("/") else normpath(join(folder, target))
        found[element.get("Id", "")] = (element.get("Type", "").rsplit("/", 1)[-1], path)
    return found


def _parsed(archive: zipfile.ZipFile, entry: str) -> Element:
    if entry not in archive.NameToInfo:
        raise Unreadable(_NO_SPREADSHEET)
    if archive.NameToInfo[entry].file_size > MAX_PARTS_LIST:
        raise _too_much()
    try:
        root: Element = fromstring(b"".join(_pieces(archive, entry)))
    except DefusedXmlException:
        raise _entities() from None
    except (ParseError, ValueError, LookupError):
        raise Unreadable(_DAMAGED) from None
    return root


def _local(tag: str) -> str:
    return tag.rsplit("}", 1)[-1]


def _too_much() -> Unreadable:
    return Unreadable(says("The file unpacks to far more than a sheet of rows holds. Copy the rows to a new file."))


def _entities() -> Unreadable:
    return Unreadable(says("The file declares XML entities, which no spreadsheet program writes. It is not read."))
