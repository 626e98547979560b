"""What matches, as a file: read by a cursor, written chunk by chunk, so that a million rows take no more memory.

Only the columns that the person may see, as values: numbers and dates stay such, texts never become formulas.
"""

import csv
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import date, datetime
from enum import Enum
from pathlib import Path
from typing import Any, Literal, get_args
from zoneinfo import ZoneInfo

import xlsxwriter
from sqlalchemy import func, select
from sqlmodel import Session

from crm.grid.cells import kind_of, raw_values
from crm.grid.config import Column, TableConfig
from crm.grid.fields import attribute, label_of, path
from crm.grid.filters import related_labels
from crm.grid.query import matching, ordered
from crm.grid.seeing import visible
from crm.grid.view import View, complete, write_view
from crm.i18n import show
from crm.rbac import Actor

Format = Literal["xlsx", "csv"]
FORMATS: tuple[Format, ...] = get_args(Format)
Progress = Callable[[int], None]
Cells = list[list[Any]]

CHUNK = 1_000
MOST_NAMES = 50_000
ROWS_A_SHEET = 1_048_575
LONGEST = 32_767
LIVE = ("=", "+", "-", "@", "\t", "\r")
STYLES = {"moment": "yyyy-mm-dd hh:mm", "date": "yyyy-mm-dd", "money": "#,##0.00"}


def tame(text: str) -> str:
    """Text that no spreadsheet program takes for a formula."""
    return "'" + text if text.startswith(LIVE) else text


def exporter(config: TableConfig, actor: Actor) -> Actor:
    """The actor with no more rows in sight than they may take home: the nearer reach of looking and exporting.

    Raises `NotAllowed`.
    """
    actor.require(config.permission)
    actor.require(config.export)
    nearer = min(actor.grants[config.permission], actor.grants[config.export])
    return replace(actor, grants={**actor.grants, config.permission: nearer})


def count(config: TableConfig, session: Session, actor: Actor, view: View, zone: ZoneInfo) -> int:
    """How many rows match."""
    key = attribute(config.model, config.key)
    found = matching(config, session, actor, view, zone).with_only_columns(key).subquery()
    return session.scalar(select(func.count()).select_from(found)) or 0


def chunks(
    config: TableConfig, session: Session, actor: Actor, view: View, zone: ZoneInfo, now: datetime
) -> Iterator[Cells]:
    """The rows that match as cells, in the order of the view, some at a time. A view that is unread has none."""
    if view.unread:
        return
    columns, names = visible(config, actor), _Names(config, session, actor)
    asked = ordered(config, matching(config, session, actor, view, zone), view.sort)
    for rows in session.scalars(asked.execution_options(yield_per=CHUNK)).partitions():
        by_column = [_values(config, column, session, rows, now, names, zone) for column in columns]
        # The session holds rows only as long as somebody else does, so they are gone with the next ones.
        yield [list(cells) for cells in zip(*by_column, strict=True)]


def described(config: TableConfig, view: View) -> str:
    """The view as the audit log keeps it: which filters, but of a search only that there was one."""
    names = {config.prefix + one.name for one in config.filters}
    written = {key: values for key, values in write_view(complete(config), view).items() if key in names}
    parts = [f"{key}={value}" for key, values in written.items() for value in values]
    return "&".join([*parts, *(["searched"] if view.search else [])])


def write(
    file: Path, form: Format, config: TableConfig, actor: Actor, rows: Iterator[Cells], progress: Progress
) -> int:
    """Writes the file and returns how many rows it has. Ended early by an error, there is no file."""
    columns = visible(config, actor)
    try:
        return (_write_csv if form == "csv" else _write_xlsx)(file, config, columns, rows, progress)
    except BaseException:
        file.unlink(missing_ok=True)
        raise


def _write_csv(
    file: Path, config: TableConfig, columns: Sequence[Column], rows: Iterator[Cells], progress: Progress
) -> int:
    """With a byte order mark, by which Excel knows Chinese."""
    total = 0
    with file.open("w", encoding="utf-8-sig", newline="") as target:
        out = csv.writer(target)
        out.writerow(_heads(config, columns))
        for chunk in rows:
            out.writerows([_plain(cell) for cell in cells] for cells in chunk)
            total += len(chunk)
            progress(total)
    return total


def _write_xlsx(
    file: Path, config: TableConfig, columns: Sequence[Column], rows: Iterator[Cells], progress: Progress
) -> int:
    """What does not fit on one sheet goes on on the next."""
    total = 0
    # The writer keeps rows in files of its own, which are gone with the folder whatever happens.
    with tempfile.TemporaryDirectory(dir=file.parent) as folder:
        book = xlsxwriter.Workbook(
            file,
            {"constant_memory": True, "tmpdir": folder, "strings_to_formulas": False, "strings_to_urls": False},
        )
        bold = book.add_format({"bold": True})
        styles = {kind: book.add_format({"num_format": pattern}) for kind, pattern in STYLES.items()}
        formats = [styles.get(kind_of(config, column)) if column.show is None else None for column in columns]
        sheet: Any = None
        for chunk in rows:
            for cells in chunk:
                line = total % ROWS_A_SHEET
                if line == 0:
                    sheet = _sheet(book, config, columns, bold)
                for place, (cell, style) in enumerate(zip(cells, formats, strict=True)):
                    _put(sheet, line + 1, place, cell, style)
                total += 1
            progress(total)
        if sheet is None:
            _sheet(book, config, columns, bold)
        book.close()
    return total


def _sheet(book: Any, config: TableConfig, columns: Sequence[Column], bold: Any) -> Any:
    sheet = book.add_worksheet()
    sheet.freeze_panes(1, 0)
    for place, (column, head) in enumerate(zip(columns, _heads(config, columns), strict=True)):
        sheet.set_column_pixels(place, place, column.width or 130)
        sheet.write_string(0, place, head, bold)
    return sheet


def _put(sheet: Any, line: int, place: int, cell: Any, style: Any) -> None:
    if cell is None or cell == "":
        return
    if isinstance(cell, datetime | date):
        sheet.write_datetime(line, place, cell, style)
    elif isinstance(cell, int | float):
        sheet.write_number(line, place, cell, style)
    else:
        sheet.write_string(line, place, cell[:LONGEST])


def _heads(config: TableConfig, columns: Sequence[Column]) -> list[str]:
    return [tame(str(config.label(column.name, column.label))) for column in columns]


def _plain(cell: Any) -> Any:
    if isinstance(cell, datetime):
        return f"{cell:%Y-%m-%d %H:%M}"
    return "" if cell is None else cell


class _Names:
    """What related rows are called, asked for once as long as there are not too many."""

    def __init__(self, config: TableConfig, session: Session, actor: Actor) -> None:
        self.config, self.session, self.actor = config, session, actor
        self.known: dict[str, dict[Any, str]] = {}

    def of(self, column: Column, keys: Sequence[Any]) -> dict[Any, str]:
        known = self.known.setdefault(column.name, {})
        if len(known) > MOST_NAMES:
            known.clear()
        new = sorted({key for key in keys if key is not None} - known.keys())
        if new:
            here = path(self.config.model, column.name)
            known |= dict.fromkeys(new, "")
            known |= related_labels(self.session, self.actor, here, column.shows, None, new)
        return known


def _values(
    config: TableConfig,
    column: Column,
    session: Session,
    rows: Sequence[Any],
    now: datetime,
    names: _Names,
    zone: ZoneInfo,
) -> list[Any]:
    values = raw_values(config, column, session, rows, now)
    if column.show is not None:
        return [None if value is None else tame(str(column.show(value))) for value in values]
    kind = kind_of(config, column)
    if kind == "relation" and not column.computed:
        labels = names.of(column, values)
        return [None if value is None else tame(labels[value]) for value in values]
    if kind == "money":
        return [None if value is None else value / 100 for value in values]
    return [_cell(value, zone) for value in values]


def _cell(value: Any, zone: ZoneInfo) -> Any:
    if isinstance(value, Enum):
        return str(label_of(value))
    if isinstance(value, datetime):
        return value.astimezone(zone).replace(tzinfo=None) if value.tzinfo else value
    if value is None or isinstance(value, date):
        return value
    if isinstance(value, bool):
        return show(value)
    if isinstance(value, int | float) and abs(value) < 1e15:
        return value
    return tame(str(value))
