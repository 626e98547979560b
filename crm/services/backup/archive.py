"""The file of a backup: a zip with one file of JSON lines a table, and a manifest with counts and digests.

It knows nothing of SQLite or PostgreSQL, so what one wrote the other reads. Whatever is read is checked
in full, digests included, before the first row is handed out.
"""

import hashlib
import json
import zlib
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, NoReturn
from zipfile import ZIP_DEFLATED, BadZipFile, ZipFile

from crm.errors import Unreadable
from crm.i18n import Says, says

FORMAT = 1
MANIFEST = "manifest.json"
# Rows of a school shrink to a tenth or so; what shrinks to less than a two hundredth is a bomb.
RATIO_MAX = 200
MANIFEST_MAX = 1 << 20
LINE_MAX = 1 << 22
CHUNK = 1 << 18


@dataclass(frozen=True, slots=True)
class TableEntry:
    """One table in the file: its columns with their kinds, in the order of the values of a line."""

    name: str
    columns: dict[str, str]
    rows: int
    sha256: str


@dataclass(slots=True)
class Manifest:
    """What the file holds, in an order in which it can be written back."""

    revision: str
    tables: list[TableEntry] = field(default_factory=list)
    format: int = FORMAT


class Writer:
    """Writes one archive at `path`, which is only whole after `close`. Leaving it before that abandons the file."""

    def __init__(self, path: Path, revision: str) -> None:
        self._file = path.open("wb")
        self._zip = ZipFile(self._file, "w", ZIP_DEFLATED, compresslevel=3)
        self._manifest = Manifest(revision)

    def __enter__(self) -> "Writer":
        return self

    def __exit__(self, *_error: object) -> None:
        # Otherwise the zip would try to end itself when it is collected, on a disk that may be full.
        self._zip.fp = None
        with suppress(OSError):
            self._file.close()

    def table(self, name: str, columns: dict[str, str], rows: Iterable[list[Any]]) -> None:
        """Add a table: a line of JSON for each row."""
        digest, count = hashlib.sha256(), 0
        with self._zip.open(_entry(name), "w", force_zip64=True) as out:
            for row in rows:
                line = json.dumps(row, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"
                digest.update(line)
                out.write(line)
                count += 1
        self._manifest.tables.append(TableEntry(name, columns, count, digest.hexdigest()))

    def close(self) -> None:
        """Write the manifest and end the file."""
        self._zip.writestr(MANIFEST, json.dumps(asdict(self._manifest), indent=1))
        self._zip.close()
        self._file.close()


class Reader:
    """An archive that was checked. Get one by `opened`."""

    def __init__(self, path: Path, archive: ZipFile, manifest: Manifest) -> None:
        self.path, self._zip, self.manifest = path, archive, manifest

    def rows(self, table: TableEntry) -> Iterator[list[Any]]:
        """The rows of a table. Raises `Unreadable` at a line that is not as many values as there are columns."""
        with self._zip.open(_entry(table.name)) as lines:
            number = 0
            while line := lines.readline(LINE_MAX):
                number += 1
                try:
                    values = json.loads(line)
                except (ValueError, RecursionError):
                    values = None
                if not isinstance(values, list) or len(values) != len(table.columns):
                    refuse_row(self.path, table.name, number)
                yield values


@contextmanager
def opened(path: Path) -> Iterator[Reader]:
    """The archive at `path`, checked in full. Raises `Unreadable` with the reason when it is not whole."""
    with ExitStack() as stack:
        try:
            archive = stack.enter_context(ZipFile(path))
            manifest = _checked(path, archive)
        except FileNotFoundError:
            raise Unreadable(says("{file} is not there. Check the path.", file=str(path))) from None
        except OSError as error:
            raise Unreadable(
                says("{file} cannot be read: {why}.", file=str(path), why=error.strerror or str(error))
            ) from None
        except (BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, ValueError):
            refuse(path, says("it is damaged or no backup at all"))
        yield Reader(path, archive, manifest)


def refuse_row(path: Path, table: str, row: int) -> NoReturn:
    """Raise `Unreadable` for a row that no backup wrote."""
    refuse(path, says("row {row} of table {table} is not valid", row=row, table=table))


def refuse(path: Path, why: Says) -> NoReturn:
    """Raise `Unreadable` with the reason."""
    raise Unreadable(
        says("{file} cannot be restored: {why}. Nothing was changed. Use another backup.", file=str(path), why=why)
    ) from None


def _checked(path: Path, archive: ZipFile) -> Manifest:
    sizes = {one.filename: one for one in archive.infolist()}
    packed = path.stat().st_size
    if MANIFEST not in sizes or sizes[MANIFEST].file_size > MANIFEST_MAX:
        refuse(path, says("it has no manifest, so it is no backup"))
    if sum(one.file_size for one in sizes.values()) > MANIFEST_MAX + packed * RATIO_MAX:
        refuse(path, says("it would unpack to far more than a backup does"))
    with archive.open(MANIFEST) as stream:
        manifest = _manifest(path, stream.read(MANIFEST_MAX))
    if set(sizes) != {MANIFEST, *(_entry(table.name) for table in manifest.tables)}:
        refuse(path, says("its files are not those that its manifest names"))
    for table in manifest.tables:
        digest, rows = hashlib.sha256(), 0
        with archive.open(_entry(table.name)) as stream:
            while chunk := stream.read(CHUNK):
                digest.update(chunk)
                rows += chunk.count(b"\n")
        if digest.hexdigest() != table.sha256 or rows != table.rows:
            refuse(path, says("table {table} is not as it was written", table=table.name))
    return manifest


def _manifest(path: Path, content: bytes) -> Manifest:
    try:
        read = json.loads(content)
        if read["format"] > FORMAT:
            refuse(path, says("a newer version of this program wrote it; update the program"))
        tables = [
            TableEntry(
                str(one["name"]), {str(k): str(v) for k, v in one["columns"].items()}, int(one["rows"]), one["sha256"]
            )
            for one in read["tables"]
        ]
        return Manifest(str(read["revision"]), tables)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        refuse(path, says("its manifest is not valid"))


def _entry(table: str) -> str:
    return f"tables/{table}.jsonl"
