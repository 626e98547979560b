"""Reading an uploaded spreadsheet: in another process, within limits, a few thousand rows at a time."""

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime, time
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, Any

from crm.domain.normalise import Cell
from crm.errors import Unavailable, Unreadable
from crm.i18n import Says, says
from crm.xlsx.child import OUT_OF_MEMORY
from crm.xlsx.guard import MAX_COLUMNS

ROOT = Path(__file__).resolve().parents[2]
Row = list[Cell]


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What a file may take: rows and columns of its table, its size, and the processor time and memory to parse it."""

    rows: int
    file_megabytes: int
    seconds: int
    megabytes: int
    columns: int = MAX_COLUMNS


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """A sheet being read. `chunks` gives its rows in order, from row 1 of the sheet, once.

    A row's cells begin in column `left` (counted from 0). `merged` are (top, left, bottom, right), all counted
    from 0. `uncached` and `failed` are (column letters, row as shown) of formulas without a value.
    """

    sheet: str
    rows: int
    left: int
    merged: tuple[tuple[int, int, int, int], ...]
    uncached: frozenset[tuple[str, int]]
    failed: frozenset[tuple[str, int]]
    chunks: Iterator[list[Row]]


@contextmanager
def opened(content: bytes, limits: Limits) -> Iterator[Opened]:
    """The first visible sheet with content of an .xlsx file.

    Raises `Unreadable`, here or while the chunks are taken, in one sentence that says what is wrong with the file.
    The other process ends with the block, however that is left.
    """
    if len(content) > limits.file_megabytes << 20:
        raise Unreadable(
            says("The file has {size} MB; {most} are the most.", size=len(content) >> 20, most=limits.file_megabytes)
        )
    with _on_disk(content) as file:
        process = _started(file, limits)
    try:
        lines = _lines(process, limits)
        first = next(lines)
        yield Opened(
            sheet=first["sheet"],
            rows=first["rows"],
            left=first["left"],
            merged=tuple(tuple(span) for span in first["merged"]),
            uncached=frozenset((column, row) for column, row in first["uncached"]),
            failed=frozenset((column, row) for column, row in first["failed"]),
            chunks=lines,
        )
    finally:
        process.kill()
        process.wait()
        if process.stdout:
            process.stdout.close()


@contextmanager
def _on_disk(content: bytes) -> Iterator[IO[bytes]]:
    """The content as a file without a name, which two processes can share."""
    with TemporaryFile() as file:
        try:
            file.write(content)
            file.seek(0)
        except OSError as error:
            raise Unavailable(says("There is no room for the file: {why}.", why=error.strerror or "")) from None
        yield file


def _started(file: IO[bytes], limits: Limits) -> "subprocess.Popen[bytes]":
    bounds = {"rows": limits.rows, "columns": limits.columns, "megabytes": limits.megabytes, "seconds": limits.seconds}
    return subprocess.Popen(
        [sys.executable, "-m", "crm.xlsx.child", json.dumps(bounds)],
        cwd=ROOT,
        stdin=file,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )


def _lines(process: "subprocess.Popen[bytes]", limits: Limits) -> Iterator[Any]:
    output: IO[bytes] = process.stdout  # type: ignore[assignment]
    for line in output:
        try:
            value = json.loads(line, object_hook=_value)
        except ValueError:
            break
        if value is None:
            return
        if isinstance(value, dict) and "error" in value:
            raise Unreadable(Says.loaded(value["error"]))
        yield value
    raise Unreadable(_epitaph(process.wait(), limits))


def _epitaph(status: int, limits: Limits) -> Says:
    """Why the other process ended before its work was done."""
    if status in [-getattr(signal, name, 999) for name in ("SIGXCPU", "SIGALRM")]:
        return says(
            "Reading the file takes longer than {seconds} seconds. Copy the rows to a new file and try again.",
            seconds=limits.seconds,
        )
    if status in (OUT_OF_MEMORY, -signal.SIGABRT):
        return says(
            "Reading the file takes more than {megabytes} MB of memory. Copy the rows to a new file and try again.",
            megabytes=limits.megabytes,
        )
    return says("The file is damaged: reading it failed. Open it in a spreadsheet program and save it again.")


def _value(tagged: dict[str, Any]) -> Any:
    """A date or time out of the form in which it crossed."""
    text = tagged.get("date")
    if text is None or len(tagged) != 1:
        return tagged
    for kind in (date, datetime, time):
        try:
            return kind.fromisoformat(text)
        except ValueError:
            continue
    return text
