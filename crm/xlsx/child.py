"""The process that parses: `python -m crm.xlsx.child LIMITS`, the file as standard input.

A parser may need any amount of memory for a small hostile file, and dies of it rather than raising. So it works
here, within limits of memory and time, and starts fast because it imports next to nothing.

Standard output gets one JSON text a line: first `Opened`, then lists of rows, then `null`. Or, instead of any of
them, {"error": a stored Says}. Dates and times are {"date": ISO}.
"""

import faulthandler
import json
import signal
import sys
from datetime import date, datetime, time, timedelta
from typing import IO, Any, NoReturn

ROWS_A_LINE = 2_000
SIGNS_A_LINE = 1_000_000
# A sign may take four bytes with whoever reads, and cells that share one text here share it no more there.
MILLION_SIGNS = 50
OUT_OF_MEMORY = 77
# By the clock, parsing may take so many times its processor time, because other work may be going on.
PATIENCE = 4


def main(arguments: list[str]) -> None:
    """Reads the sheet on standard input within the limits, {"rows", "columns", "megabytes", "seconds"} as JSON."""
    limits = json.loads(arguments[0])
    _limit(limits["megabytes"], limits["seconds"])
    from crm.errors import Unreadable

    try:
        _read(sys.stdin.buffer, limits["rows"], limits["columns"])
    except Unreadable as error:
        _fail(error.says)
    except MemoryError:
        raise SystemExit(OUT_OF_MEMORY) from None


def _limit(megabytes: int, seconds: int) -> None:
    """Binds this process, so that it ends by itself whatever the parser does."""
    try:
        import resource
    except ImportError:
        # Windows has neither limits nor alarms: the clock and the look at the file have to do.
        faulthandler.dump_traceback_later(seconds * PATIENCE, exit=True)
        return
    signal.setitimer(signal.ITIMER_REAL, max(seconds * PATIENCE, 0.01))
    for kind, value in (
        (resource.RLIMIT_AS, megabytes << 20),
        (resource.RLIMIT_CPU, seconds),
        (resource.RLIMIT_CORE, 0),
    ):
        try:
            _soft, hard = resource.getrlimit(kind)
            resource.setrlimit(kind, (value if hard == resource.RLIM_INFINITY else min(value, hard), hard))
        except (ValueError, OSError):
            # macOS knows no limit of memory.
            continue


def _read(file: IO[bytes], max_rows: int, max_columns: int) -> None:
    from python_calamine import CalamineError, CalamineWorkbook

    from crm.errors import Unreadable
    from crm.i18n import says
    from crm.xlsx import guard

    with guard.look(file) as archive:
        sheets = guard.sheets(archive)
        guard.scan_texts(archive)
        try:
            file.seek(0)
            book = CalamineWorkbook.from_filelike(file)
            for sheet in sheets:
                findings = guard.scan(archive, sheet, max_rows, max_columns)
                table = book.get_sheet_by_name(sheet.name)
                start, end = table.start, table.end
                if start is not None and end is not None:
                    break
            else:
                raise Unreadable(says("The file has no cell with content. Fill in the template and try again."))
        except CalamineError:
            raise Unreadable(says("The file is damaged or cut off. Download or save it again.")) from None
    if end[1] >= max_columns:
        raise guard.far_cell(sheet.name, f"{column_letters(end[1])}…")
    if end[0] >= max_rows + guard.ROWS_ABOVE:
        raise guard.too_many_rows(sheet.name, end[0] + 1, max_rows)
    merged = table.merged_cell_ranges or []
    _say(
        {
            "sheet": sheet.name,
            "rows": end[0] + 1,
            "left": start[1],
            "merged": [(*start, *end) for start, end in merged[: guard.MAX_LISTED]],
            "uncached": sorted(findings.uncached),
            "failed": sorted(findings.failed),
        }
    )
    some: list[list[Any]] = []
    signs = waiting = 0
    for number, row in enumerate(table.iter_rows(), 1):
        some.append(row)
        waiting += sum([len(cell) for cell in row if type(cell) is str])
        if len(some) == ROWS_A_LINE or waiting > SIGNS_A_LINE:
            signs, waiting = signs + waiting, 0
            if signs > MILLION_SIGNS * 1_000_000:
                raise guard.too_much_text(sheet.name, number, MILLION_SIGNS)
            _say(some)
            some.clear()
    _say(some)
    _say(None)


def column_letters(index: int) -> str:
    """The letters of a column counted from 0."""
    letters = ""
    index += 1
    while index:
        index, rest = divmod(index - 1, 26)
        letters = chr(65 + rest) + letters
    return letters


def _say(value: Any) -> None:
    sys.stdout.buffer.write(json.dumps(value, ensure_ascii=False, default=_dated).encode("utf-8", "replace") + b"\n")


def _dated(value: object) -> dict[str, str]:
    if isinstance(value, datetime):
        return {"date": value.isoformat(" ")}
    if isinstance(value, date | time):
        return {"date": value.isoformat()}
    if isinstance(value, timedelta):
        return {"date": str(value)}
    raise TypeError(f"a cell of type {type(value).__name__}")


def _fail(message: Any) -> NoReturn:
    _say({"error": message.stored()})
    sys.stdout.flush()
    raise SystemExit(0)


if __name__ == "__main__":
    main(sys.argv[1:])
