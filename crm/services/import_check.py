"""Looking at a sheet before anything is written: what is new, what is known already, what is wrong and why."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256
from heapq import merge
from itertools import chain, islice
from pathlib import Path
from typing import Literal

from sqlmodel import Session, col, select

from crm.domain import normalise
from crm.domain.imports import ImportBatch
from crm.errors import Unreadable
from crm.i18n import Says, says
from crm.rbac import Actor
from crm.services.import_references import References
from crm.settings import settings
from crm.store import import_rows
from crm.xlsx import check
from crm.xlsx.check import Layout, Looked, Values, WrongRow
from crm.xlsx.reader import Limits, opened

VIEW, RUN, UNDO = "import.view", "import.run", "import.undo"
Progress = Callable[[float, Says], None]
Verdict = Literal["new", "duplicate", "wrong"]
_NAME, _PHONE, _QQ, _WECHAT = (check.POSITION[key] for key in ("name", "phone", "qq", "wechat"))


@dataclass(frozen=True, slots=True)
class Duplicate:
    """A row whose customer is known already, or stands in an earlier row. Tells nothing of the known one."""

    number: int
    name: str
    contact: str
    says: Says


@dataclass(frozen=True, slots=True)
class Seen:
    """An earlier import of the very same file."""

    batch: int
    file_name: str
    imported_at: datetime
    imported: int


@dataclass(frozen=True, slots=True)
class Preview:
    """One row as it will be dealt with. `name` and `contact` are what the sheet says."""

    row: int
    verdict: Verdict
    name: str
    contact: str
    reasons: tuple[tuple[str, Says], ...]


@dataclass(slots=True)
class Checked:
    """What a sheet holds. Nothing is written yet; `run_import` takes it from here.

    True as of `checked_at`. `numbers` and `values` are the new rows, in parallel and in the sheet's order; `wrong` and
    `duplicates` the others. `seen` is an earlier import of the same file, `examples` counts the template's example
    rows that were passed over.
    """

    file_name: str
    digest: str
    layout: Layout
    checked_at: datetime
    seen: Seen | None = None
    last_batch: int = 0
    examples: int = 0
    numbers: list[int] = field(default_factory=list)
    values: list[Values] = field(default_factory=list)
    duplicates: list[Duplicate] = field(default_factory=list)
    wrong: list[WrongRow] = field(default_factory=list)

    @property
    def rows(self) -> int:
        """How many rows of customers the sheet has."""
        return len(self.numbers) + len(self.duplicates) + len(self.wrong)

    @property
    def warnings(self) -> list[Says]:
        """What a person should know besides: columns that are left out, rows that are passed over."""
        told = list(self.layout.warnings)
        if self.examples:
            told.append(says("The example row of the template is passed over."))
        if self.seen:
            told.append(
                says(
                    "This very file was imported already, at {at} as number {batch}.",
                    at=self.seen.imported_at,
                    batch=str(self.seen.batch),
                )
            )
        return told

    def errors(self) -> Iterator[tuple[int, str, Says]]:
        """Every problem of every wrong row: the row and the column's header as the sheet shows them, and why."""
        for row in self.wrong:
            for problem in row.problems:
                yield row.number, problem.column, problem.says

    def preview(self, only: Verdict | None = None, start: int = 0, count: int = 50) -> list[Preview]:
        """Some rows in the sheet's order: all, or those of one verdict."""
        new = (
            Preview(number, "new", *who(values), ()) for number, values in zip(self.numbers, self.values, strict=True)
        )
        known = (Preview(row.number, "duplicate", row.name, row.contact, (("", row.says),)) for row in self.duplicates)
        wrong = (self._wrong(row) for row in self.wrong)
        chosen: Iterator[Preview]
        if only is None:
            chosen = merge(new, known, wrong, key=lambda one: one.row)
        else:
            chosen = {"new": new, "duplicate": known, "wrong": wrong}[only]
        return list(islice(chosen, start, start + count))

    def _wrong(self, row: WrongRow) -> Preview:
        def shown(*keys: str) -> str:
            places = (self.layout.place(key) for key in keys)
            texts = (_text(row.cells[place]) for place in places if place is not None)
            return next((text for text in texts if text), "")

        reasons = tuple((problem.column, problem.says) for problem in row.problems)
        return Preview(row.number, "wrong", shown("name"), shown("phone", "qq", "wechat"), reasons)


def check_sheet(
    session: Session,
    actor: Actor,
    source: Path | bytes,
    file_name: str,
    now: datetime,
    progress: Progress | None = None,
) -> Checked:
    """Read a sheet and say of every row what importing it would do. Writes nothing.

    Raises `Unreadable` if the file cannot be read at all, `NotAllowed`.
    """
    actor.require(RUN)
    try:
        checked = _checked(session, _content(source), file_name, now, progress or (lambda _done, _what: None))
    except Unreadable as error:
        raise Unreadable(says("{file}: {what}", file=file_name, what=error.says)) from None
    _recognise(session, checked)
    return checked


def _checked(session: Session, content: bytes, file_name: str, now: datetime, tell: Progress) -> Checked:
    limits = settings().imports
    tell(0.0, says("Reading the file"))
    with opened(
        content,
        Limits(
            rows=limits.max_rows,
            file_megabytes=limits.max_megabytes,
            seconds=limits.max_seconds,
            megabytes=limits.max_memory_megabytes,
        ),
    ) as sheet:
        top = next(sheet.chunks)
        found = check.layout(sheet, top)
        checked = Checked(file_name, sha256(content).hexdigest(), found, now)
        checker, sorter = check.Checker(sheet, found), _Sorter(session, checked)
        for rows in chain((top,), sheet.chunks):
            sorter.take(checker.check(rows))
            if checked.rows > limits.max_rows:
                raise Unreadable(
                    says(
                        "{sheet}: {most} rows are the most at once. Split the sheet.",
                        sheet=sheet.sheet,
                        most=limits.max_rows,
                    )
                )
            tell(0.99 * checker.row / sheet.rows, says("Checking {count} rows", count=sheet.rows))
    sorter.finish()
    checked.examples = checker.examples
    if not checked.rows:
        raise Unreadable(says("{sheet}: there is no row below the header. Fill in some customers.", sheet=found.sheet))
    return checked


class _Sorter:
    """Sorts good rows into new ones and duplicates: of a live customer, or of an earlier row that is new."""

    def __init__(self, session: Session, checked: Checked) -> None:
        self._session = session
        self._checked = checked
        self._phones: dict[str, int] = {}
        self._qqs: dict[str, int] = {}
        self._wechats: dict[str, int] = {}
        self._references = References(session, checked.layout)

    def take(self, looked: Looked) -> None:
        """The next rows."""
        checked, session = self._checked, self._session
        self._references.resolve(looked)
        checked.wrong += looked.wrong
        phones = import_rows.known(session, "phone", [row[_PHONE] for row in looked.values if row[_PHONE]])
        qqs = import_rows.known(session, "qq", [row[_QQ] for row in looked.values if row[_QQ]])
        for number, values in zip(looked.numbers, looked.values, strict=True):
            phone, qq = values[_PHONE], values[_QQ]
            if phone in phones:
                why = PHONE_KNOWN
            elif qq in qqs:
                why = QQ_KNOWN
            else:
                first = self._phones.get(phone) or self._qqs.get(qq)
                if phone is None and qq is None:
                    first = self._wechats.setdefault(values[_WECHAT], number)
                    first = None if first == number else first
                if first is None:
                    if phone:
                        self._phones[phone] = number
                    if qq:
                        self._qqs[qq] = number
                    checked.numbers.append(number)
                    checked.values.append(values)
                    continue
                why = says("This is the same customer as in row {row}.", row=str(first))
            checked.duplicates.append(Duplicate(number, *who(values), why))

    def finish(self) -> None:
        """Whoever can only be reached by WeChat is known by that."""
        known = import_rows.known(self._session, "wechat", list(self._wechats))
        if known:
            drop_known_wechats(self._checked, known)


PHONE_KNOWN = says("A customer with this phone is in the school's records already.")
QQ_KNOWN = says("A customer with this QQ is in the school's records already.")
WECHAT_KNOWN = says("A customer with this WeChat is in the school's records already.")


def drop_known_wechats(checked: Checked, known: set[str]) -> list[Duplicate]:
    """Make duplicates of the new rows that have nothing but one of these WeChat names. Returns them."""
    late = [
        Duplicate(number, *who(row), WECHAT_KNOWN)
        for number, row in zip(checked.numbers, checked.values, strict=True)
        if row[_PHONE] is None and row[_QQ] is None and row[_WECHAT] in known
    ]
    drop(checked, late)
    return late


def drop(checked: Checked, late: list[Duplicate]) -> None:
    """Move new rows to the duplicates."""
    gone = {row.number for row in late}
    kept = [(number, row) for number, row in zip(checked.numbers, checked.values, strict=True) if number not in gone]
    checked.numbers, checked.values = [number for number, _ in kept], [row for _, row in kept]
    checked.duplicates = sorted([*checked.duplicates, *late], key=lambda row: row.number)


def _recognise(session: Session, checked: Checked) -> None:
    """Whether the same file came before, and was not taken back since."""
    same = select(ImportBatch).where(col(ImportBatch.digest) == checked.digest).order_by(col(ImportBatch.id).desc())
    for batch in session.exec(same):
        checked.last_batch = max(checked.last_batch, batch.id or 0)
        if batch.undone_at is None and batch.imported and checked.seen is None:
            checked.seen = Seen(batch.id or 0, batch.file_name, batch.imported_at, batch.imported)


def _content(source: Path | bytes) -> bytes:
    if isinstance(source, bytes):
        return source
    try:
        if source.stat().st_size > settings().imports.max_megabytes << 20:
            raise Unreadable(
                says(
                    "The file has {size} MB; {most} are the most.",
                    size=source.stat().st_size >> 20,
                    most=settings().imports.max_megabytes,
                )
            )
        return source.read_bytes()
    except FileNotFoundError:
        raise Unreadable(says("There is no file {path}.", path=str(source))) from None
    except OSError as error:
        raise Unreadable(says("It cannot be opened: {why}.", why=error.strerror or "")) from None


def who(values: Values) -> tuple[str, str]:
    """A row's name, and by what the person can be reached."""
    return values[_NAME], values[_PHONE] or values[_QQ] or values[_WECHAT] or ""


def _text(cell: normalise.Cell) -> str:
    try:
        return normalise.written(cell)
    except normalise.Wrong:
        return str(cell)
