"""Looking at a sheet before anything is written: what is new, what is known already, what is wrong and why."""

from datetime import datetime
from hashlib import sha256
from itertools import chain
from pathlib import Path
from stat import S_ISDIR, S_ISREG

from sqlmodel import Session, col, select

from crm.domain.imports import ImportBatch
from crm.errors import Unreadable
from crm.i18n import says
from crm.rbac import Actor
from crm.services.imports.import_checked import (
    PHONE_KNOWN,
    QQ_KNOWN,
    RUN,
    Checked,
    Duplicate,
    Progress,
    Seen,
    drop_known_wechats,
    who,
)
from crm.services.imports.import_references import References
from crm.settings import settings
from crm.store import import_rows
from crm.xlsx import check
from crm.xlsx.check import Looked
from crm.xlsx.reader import Limits, opened

_PHONE, _QQ, _WECHAT = (check.POSITION[key] for key in ("phone", "qq", "wechat"))


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
    # Control characters, and bytes of another encoding, which no database stores.
    file_name = "".join(sign if sign.isprintable() else "\ufffd" for sign in file_name)
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
        found = source.stat()
        if S_ISDIR(found.st_mode):
            raise Unreadable(says("It is a folder."))
        if not S_ISREG(found.st_mode):
            # A pipe may never begin, a device never end.
            raise Unreadable(says("It is no ordinary file. Save the sheet as one."))
        if found.st_size > settings().imports.max_megabytes << 20:
            raise Unreadable(
                says(
                    "The file has {size} MB; {most} are the most.",
                    size=found.st_size >> 20,
                    most=settings().imports.max_megabytes,
                )
            )
        return source.read_bytes()
    except FileNotFoundError:
        raise Unreadable(says("There is no file {path}.", path=str(source))) from None
    except OSError as error:
        raise Unreadable(says("It cannot be opened: {why}.", why=error.strerror or "")) from None
