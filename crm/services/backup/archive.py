"""The file of a backup: a zip with one file of JSON lines a table, and a manifest with counts and digests.

What students handed in is beside the tables, each file as it is, and listed in JSON lines of its own.

It knows nothing of SQLite or PostgreSQL, so what one wrote the other reads. Whatever is read is checked
in full, digests included, before the first row is handed out.
"""

import hashlib
import json
import zlib
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple, NoReturn
from zipfile import ZIP_DEFLATED, BadZipFile, ZipFile, ZipInfo

from crm.errors import Unreadable
from crm.i18n import Says, says
from crm.store.homework_files import NAME

FORMAT = 2
"""Since 2 there may be handed-in files. An archive without any is still of 1, for programs that know no other."""
MANIFEST = "manifest.json"
FILES = "homework.jsonl"
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
    """What the file holds, in an order in which it can be written back. `files` lists what was handed in, if any."""

    revision: str
    tables: list[TableEntry] = field(default_factory=list)
    format: int = 1
    files: TableEntry | None = None


class FileEntry(NamedTuple):
    """One handed-in file: the name that its row has, its size in bytes, and its digest."""

    name: str
    size: int
    sha256: str


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
        self._manifest.tables.append(self._lines(name, _entry(name), columns, rows))

    def files(self, found: Iterable[tuple[str, Path]]) -> int:
        """Add handed-in files, by the name that each row has. Returns how many are in; one that is gone is left out."""
        listed = [entry for name, path in found if (entry := self._one(name, path)) is not None]
        if listed:
            columns = {"name": "text", "size": "int", "sha256": "text"}
            self._manifest.files = self._lines("homework", FILES, columns, map(list, listed))
            self._manifest.format = FORMAT
        return len(listed)

    def _one(self, name: str, path: Path) -> FileEntry | None:
        digest, size = hashlib.sha256(), 0
        try:
            source = path.open("rb")
        except FileNotFoundError:
            return None
        # Not packed any further: what people hand in is packed already.
        with source, self._zip.open(ZipInfo(_file_entry(name)), "w", force_zip64=True) as out:
            while chunk := source.read(CHUNK):
                digest.update(chunk)
                size += len(chunk)
                out.write(chunk)
        return FileEntry(name, size, digest.hexdigest())

    def _lines(self, name: str, entry: str, columns: dict[str, str], rows: Iterable[list[Any]]) -> TableEntry:
        digest, count = hashlib.sha256(), 0
        with self._zip.open(entry, "w", force_zip64=True) as out:
            for row in rows:
                line = json.dumps(row, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"
                digest.update(line)
                out.write(line)
                count += 1
        return TableEntry(name, columns, count, digest.hexdigest())

    def close(self) -> None:
        """Write the manifest and end the file."""
        self._zip.writestr(MANIFEST, json.dumps(asdict(self._manifest), indent=1))
        self._zip.close()
        self._file.close()


class Reader:
    """An archive that was checked. Get one by `opened`."""

    def __init__(self, path: Path, archive: ZipFile, manifest: Manifest) -> None:
        self.path, self._zip, self.manifest = path, archive, manifest

    def files(self) -> Iterator[tuple[FileEntry, Iterator[bytes]]]:
        """The handed-in files, each with its content in parts."""
        for one in _listed(self.path, self._zip, self.manifest):
            with self._zip.open(_file_entry(one.name)) as stream:
                yield one, iter(partial(stream.read, CHUNK), b"")

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
    expected = {MANIFEST, *(_entry(table.name) for table in manifest.tables)}
    extra: set[str] = set()
    if manifest.files is not None:
        expected.add(FILES)
        extra = {name for name in sizes if name.startswith(_file_entry(""))}
    if set(sizes) - extra != expected:
        refuse(path, says("its files are not those that its manifest names"))
    for table in manifest.tables:
        _require_as_written(path, archive, table, _entry(table.name))
    if manifest.files is not None:
        _require_as_written(path, archive, manifest.files, FILES)
        handed_in = list(_listed(path, archive, manifest))
        if extra != {_file_entry(one.name) for one in handed_in} or len(extra) != len(handed_in):
            refuse(path, says("its files are not those that its manifest names"))
        for one in handed_in:
            digest, size, _lines = _digest(archive, _file_entry(one.name))
            if (digest, size) != (one.sha256, one.size):
                refuse(path, says("a file that was handed in is not as it was written"))
    return manifest


def _require_as_written(path: Path, archive: ZipFile, table: TableEntry, entry: str) -> None:
    digest, _size, rows = _digest(archive, entry)
    if digest != table.sha256 or rows != table.rows:
        refuse(path, says("table {table} is not as it was written", table=table.name))


def _digest(archive: ZipFile, entry: str) -> tuple[str, int, int]:
    """The digest of an entry, its bytes and its lines."""
    digest, size, lines = hashlib.sha256(), 0, 0
    with archive.open(entry) as stream:
        while chunk := stream.read(CHUNK):
            digest.update(chunk)
            size += len(chunk)
            lines += chunk.count(b"\n")
    return digest.hexdigest(), size, lines


def _listed(path: Path, archive: ZipFile, manifest: Manifest) -> Iterator[FileEntry]:
    """The handed-in files that the archive lists. Raises `Unreadable` for a line, or a name, that no backup wrote."""
    if manifest.files is None:
        return
    with archive.open(FILES) as lines:
        number = 0
        while line := lines.readline(LINE_MAX):
            number += 1
            try:
                one = FileEntry(*json.loads(line))
                known = NAME.fullmatch(one.name) is not None and type(one.size) is int
            except (ValueError, TypeError, RecursionError):
                known = False
            if not known:
                refuse_row(path, manifest.files.name, number)
            yield one


def _manifest(path: Path, content: bytes) -> Manifest:
    try:
        read = json.loads(content)
        if read["format"] > FORMAT:
            refuse(path, says("a newer version of this program wrote it; update the program"))
        files = read.get("files")
        return Manifest(
            str(read["revision"]),
            [_table_entry(one) for one in read["tables"]],
            int(read["format"]),
            None if files is None else _table_entry(files),
        )
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        refuse(path, says("its manifest is not valid"))


def _table_entry(read: Any) -> TableEntry:
    columns = {str(key): str(value) for key, value in read["columns"].items()}
    return TableEntry(str(read["name"]), columns, int(read["rows"]), read["sha256"])


def _entry(table: str) -> str:
    return f"tables/{table}.jsonl"


def _file_entry(name: str) -> str:
    return f"homework/{name}"
