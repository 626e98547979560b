"""Backup and restore: everything, at one moment, on either engine; a bad file changes nothing."""

import hashlib
import json
import os
import resource
import shutil
import signal
import subprocess
import sys
import threading
import time
import zipfile
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, func, make_url, select, text
from sqlmodel import SQLModel

from crm.errors import Refused, ThanosError, Unavailable, Unreadable
from crm.services.backup import backup, restore
from crm.services.demo import fill
from crm.store import homework_files
from crm.store.engine import make_engine
from crm.store.migrate import to_head
from crm.store.session import writing
from tests import builders as a
from tests import servers

NOW = datetime(2026, 5, 20, 3, 30, tzinfo=UTC)
NewDatabase = Callable[..., str]
Filled = Callable[..., None]
Schools = dict[tuple[str, int], str]
_numbers = count(1)


@pytest.fixture
def new_database(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[NewDatabase]:
    """`new_database("sqlite" or "postgres")`: the address of a database without any table, or like another one."""
    made: list[str] = []

    def make(kind: str, like: str = "template1") -> str:
        if kind == "sqlite":
            return f"sqlite:///{tmp_path}/new{next(_numbers)}.db"
        server: servers.Postgres = request.getfixturevalue("postgres_server")
        made.append(f"backup_{next(_numbers)}")
        server.execute(f"CREATE DATABASE {made[-1]} TEMPLATE {like} STRATEGY FILE_COPY")
        return server.url(made[-1])

    yield make
    for name in made:
        request.getfixturevalue("postgres_server").execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def url(request: pytest.FixtureRequest, sqlite_url: str, new_database: NewDatabase) -> str:
    """A database at head, without a row, on both engines."""
    return sqlite_url if request.param == "sqlite" else new_database("postgres", "template")


@pytest.fixture(scope="module")
def schools(tmp_path_factory: pytest.TempPathFactory) -> Schools:
    """Where each school is that was filled, and may be copied: by engine and customers, a file or a database."""
    return {}


@pytest.fixture
def filled(request: pytest.FixtureRequest, schools: Schools, tmp_path_factory: pytest.TempPathFactory) -> Filled:
    """`filled(url, 60)`: an empty database becomes a demo school, which is made once and copied from then on."""

    def fill_in(url: str, customers: int = 60) -> None:
        where = make_url(url)
        place = str(where.database)
        known = schools.get((where.drivername, customers))
        if not known:
            using(url, lambda engine: fill(engine, customers, 1, NOW))
        if where.drivername == "sqlite":
            kept = known or f"{tmp_path_factory.mktemp('school')}/school.db"
            shutil.copyfile(*((kept, place) if known else (place, kept)))
        else:
            kept = known or f"school_{customers}"
            target, like = (place, kept) if known else (kept, place)
            server: servers.Postgres = request.getfixturevalue("postgres_server")
            server.execute(
                f"DROP DATABASE IF EXISTS {target} WITH (FORCE)",
                f"CREATE DATABASE {target} TEMPLATE {like} STRATEGY FILE_COPY",
            )
        schools[where.drivername, customers] = kept

    return fill_in


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "school.thanos"


def using(url: str, work: Callable[[Engine], Any]) -> Any:
    engine = make_engine(url)
    try:
        return work(engine)
    finally:
        engine.dispose()


def content(url: str) -> dict[str, list[Any]]:
    """Every row of every table, as the models read it."""

    def read(engine: Engine) -> dict[str, list[Any]]:
        with engine.connect() as connection:
            return {
                table.name: [tuple(row) for row in connection.execute(select(table).order_by(*table.primary_key))]
                for table in SQLModel.metadata.sorted_tables
            }

    return using(url, read)


def rewritten(file: Path, change: Callable[[dict[str, bytes]], None]) -> None:
    """The archive with other content, whose digests and counts are right all the same."""
    with zipfile.ZipFile(file) as archive:
        entries = {name: archive.read(name) for name in archive.namelist()}
    change(entries)
    manifest = json.loads(entries["manifest.json"])
    for table in manifest["tables"]:
        body = entries.get(f"tables/{table['name']}.jsonl", b"")
        table["sha256"], table["rows"] = hashlib.sha256(body).hexdigest(), body.count(b"\n")
    entries["manifest.json"] = json.dumps(manifest).encode()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, body in entries.items():
            archive.writestr(name, body)


@pytest.mark.parametrize("target", ["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def test_what_was_backed_up_comes_back_on_either_engine(
    url: str, target: str, new_database: NewDatabase, file: Path, filled: Filled
) -> None:
    filled(url)
    copy = new_database(target)

    backup(url, file)
    restore(copy, file)

    assert content(copy) == content(url)
    assert len(content(copy)["customer"]) == 60


def test_after_a_restore_new_rows_get_keys_of_their_own(
    url: str, new_database: NewDatabase, file: Path, filled: Filled
) -> None:
    filled(url)
    backup(url, file)
    restore(url, file, replace=True)

    def add(engine: Engine) -> int | None:
        with writing(engine) as session:
            return a.a_customer(session, phone="13900000001").id

    assert using(url, add) == 61


def test_a_backup_while_others_write_is_of_one_moment(
    url: str, new_database: NewDatabase, file: Path, filled: Filled
) -> None:
    filled(url, 600)
    begun, done = threading.Event(), threading.Event()

    def write() -> None:
        engine = make_engine(url)
        for number in count(1):
            with engine.begin() as connection:
                # The one table is written first in a backup, the other last.
                connection.execute(text(f"INSERT INTO course VALUES ({100 + number}, 'c{number}', 1, true, 1)"))
                connection.execute(
                    text(
                        "INSERT INTO follow_up (customer_id, consultant_id, at, channel, note)"
                        " VALUES (1, 3, '2026-05-20 00:00:00.000000', 'phone', 'while you wait')"
                    )
                )
            begun.set()
            if done.is_set():
                break
        engine.dispose()

    writer = threading.Thread(target=write)
    writer.start()
    begun.wait(10)
    try:
        backup(url, file)
    finally:
        done.set()
        writer.join()
    copy = new_database("sqlite")
    restore(copy, file)

    courses = sum(row.id > 100 for row in _rows(copy, "course"))
    follow_ups = sum(row.note == "while you wait" for row in _rows(copy, "follow_up"))
    assert courses == follow_ups > 0
    assert courses < sum(row.id > 100 for row in _rows(url, "course"))


def _rows(url: str, table: str) -> list[Any]:
    def read(engine: Engine) -> list[Any]:
        with engine.connect() as connection:
            return list(connection.execute(select(SQLModel.metadata.tables[table])))

    found: list[Any] = using(url, read)
    return found


def test_only_its_owner_can_read_a_backup_and_none_is_overwritten(url: str, file: Path) -> None:
    backup(url, file)
    first = file.read_bytes()

    with pytest.raises(Refused, match="exists already"):
        backup(url, file)

    assert file.stat().st_mode & 0o777 == 0o600
    assert file.read_bytes() == first
    assert [one.name for one in file.parent.iterdir() if one.name.endswith(".part")] == []


def test_a_database_in_use_is_only_replaced_when_that_was_said(url: str, file: Path, filled: Filled) -> None:
    filled(url)
    backup(url, file)
    using(url, _forget_a_name)
    changed = content(url)

    with pytest.raises(Refused, match="--replace"):
        restore(url, file)
    refused = content(url)
    restore(url, file, replace=True)

    assert refused == changed
    assert content(url) != changed
    assert content(url)["customer"][0][1] != "Nobody"


def _forget_a_name(engine: Engine) -> None:
    with engine.begin() as connection:
        connection.execute(text("UPDATE customer SET name = 'Nobody' WHERE id = 1"))


def test_sessions_of_the_time_of_the_backup_do_not_come_back_to_life(url: str, file: Path, filled: Filled) -> None:
    filled(url, 0)

    def sign_in(engine: Engine) -> None:
        with engine.begin() as connection:
            connection.execute(
                text(
                    "INSERT INTO sign_in (account_id, session_epoch, created_at, seen_at, expires_at, address, browser)"
                    " VALUES (1, 0, '2026-05-20 01:00:00.000000', '2026-05-20 02:00:00.000000',"
                    " '2026-05-20 12:00:00.000000', '', '')"
                )
            )

    using(url, sign_in)
    backup(url, file)

    restore(url, file, replace=True)

    assert [row.ended_at is not None for row in _rows(url, "sign_in")] == [True]


@pytest.mark.parametrize("part", [0.0, 0.3, 0.9, 0.999])
def test_a_truncated_file_changes_nothing(url: str, file: Path, part: float, filled: Filled) -> None:
    filled(url)
    backup(url, file)
    before = content(url)
    whole = file.read_bytes()
    file.write_bytes(whole[: int(len(whole) * part)])

    with pytest.raises(Unreadable, match="damaged"):
        restore(url, file, replace=True)

    assert content(url) == before


def test_a_file_with_another_byte_is_damaged(new_database: NewDatabase, file: Path, filled: Filled) -> None:
    url = new_database("sqlite")
    to_head(url)
    filled(url)
    backup(url, file)
    whole = bytearray(file.read_bytes())
    whole[len(whole) // 2] ^= 1
    file.write_bytes(whole)

    with pytest.raises(Unreadable):
        restore(url, file, replace=True)


def _with_homework(url: str, filled: Filled, content: bytes = b"%PDF-1.7 mine") -> str:
    """A school of two days of homework, one handed in as a file, the other as one that is gone. The file's name."""
    filled(url, 20)
    name = homework_files.keep(content)

    def hand_in(engine: Engine) -> None:
        with engine.begin() as connection:
            first, second = connection.execute(text("SELECT id FROM study_record ORDER BY id LIMIT 2")).scalars()
            given = text("UPDATE study_record SET homework_file = :name, homework_file_name = 'a.pdf' WHERE id = :key")
            connection.execute(given, {"name": name, "key": first})
            connection.execute(given, {"name": "x" * 43, "key": second})

    using(url, hand_in)
    return name


def test_what_students_handed_in_is_in_the_backup_and_comes_back(
    url: str, new_database: NewDatabase, file: Path, filled: Filled
) -> None:
    name = _with_homework(url, filled)

    assert backup(url, file) == (1, 1)
    kept = homework_files.path_of(name)
    assert kept is not None
    kept.unlink()
    copy = new_database("sqlite")
    assert restore(copy, file) == 1

    assert kept.read_bytes() == b"%PDF-1.7 mine"
    assert kept.stat().st_mode & 0o777 == 0o600
    assert content(copy) == content(url)


def test_a_restore_that_was_broken_off_in_a_file_is_done_again(
    url: str, new_database: NewDatabase, file: Path, filled: Filled
) -> None:
    name = _with_homework(url, filled)
    backup(url, file)
    kept = homework_files.path_of(name)
    assert kept is not None
    kept.unlink()

    def broken_off() -> Iterator[bytes]:
        yield b"%PDF"
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        homework_files.put_back(name, 13, broken_off())
    assert restore(new_database("sqlite"), file) == 1

    assert kept.read_bytes() == b"%PDF-1.7 mine"
    long_ago = time.time() - 2 * homework_files.RESTING_SECONDS
    for one in kept.parent.iterdir():
        os.utime(one, (long_ago, long_ago))
    homework_files.forget({name})
    assert list(kept.parent.iterdir()) == [kept]


def test_a_backup_without_handed_in_files_is_as_older_programs_wrote_it(new_database: NewDatabase, file: Path) -> None:
    url = new_database("sqlite")
    to_head(url)

    backup(url, file)

    with zipfile.ZipFile(file) as archive:
        assert json.loads(archive.read("manifest.json"))["format"] == 1
        assert not [one for one in archive.namelist() if "homework" in one]

    def older(entries: dict[str, bytes]) -> None:
        manifest = json.loads(entries["manifest.json"])
        del manifest["files"]
        entries["manifest.json"] = json.dumps(manifest).encode()

    rewritten(file, older)
    assert restore(url, file, replace=True) == 0


def _another_file(entries: dict[str, bytes]) -> None:
    entries[next(one for one in entries if one.startswith("homework/"))] = b"theirs"


def _one_more_file(entries: dict[str, bytes]) -> None:
    entries["homework/../../evil"] = b"x"


def _no_name(entries: dict[str, bytes]) -> None:
    entries["homework.jsonl"] = b'["../../evil",1,""]\n'
    manifest = json.loads(entries["manifest.json"])
    manifest["files"]["sha256"] = hashlib.sha256(entries["homework.jsonl"]).hexdigest()
    entries["manifest.json"] = json.dumps(manifest).encode()


def test_a_backup_whose_files_were_changed_changes_nothing(
    new_database: NewDatabase, file: Path, filled: Filled
) -> None:
    url = new_database("sqlite")
    to_head(url)
    name = _with_homework(url, filled)
    backup(url, file)
    whole, before, kept = file.read_bytes(), content(url), homework_files.path_of(name)
    assert kept is not None
    kept.unlink()

    for change, sentence in (
        (_another_file, "handed in is not as it was written"),
        (_one_more_file, "not those that its manifest names"),
        (_no_name, "row 1 of table homework is not valid"),
    ):
        file.write_bytes(whole)
        rewritten(file, change)
        with pytest.raises(Unreadable, match=sentence):
            restore(url, file, replace=True)

    assert content(url) == before
    assert list(kept.parent.iterdir()) == []


def _zeros(entries: dict[str, bytes]) -> None:
    entries["tables/course.jsonl"] = b"0" * 100_000_000


def _stranger(entries: dict[str, bytes]) -> None:
    entries["../../evil"] = b"x"


def _bad_kind(entries: dict[str, bytes]) -> None:
    entries["tables/course.jsonl"] = b'["one","x",1,true,1]\n'


def _short_row(entries: dict[str, bytes]) -> None:
    entries["tables/course.jsonl"] = b"[1]\n"


def _no_json(entries: dict[str, bytes]) -> None:
    entries["tables/course.jsonl"] = b"[" * 100_000 + b"\n"


def _broken_check(entries: dict[str, bytes]) -> None:
    entries["tables/course.jsonl"] = b'[1,"x",-5,true,1]\n'


def _orphan(entries: dict[str, bytes]) -> None:
    entries["tables/employee.jsonl"] = b'[1,"x",4711,null,null,null,null,true,1]\n'


def _no_table(entries: dict[str, bytes]) -> None:
    manifest = json.loads(entries["manifest.json"])
    manifest["tables"] = [one for one in manifest["tables"] if one["name"] != "course"]
    entries["manifest.json"] = json.dumps(manifest).encode()
    del entries["tables/course.jsonl"]


def _system_table(entries: dict[str, bytes]) -> None:
    entries["manifest.json"] = entries["manifest.json"].replace(b'"course"', b'"alembic_version"')
    entries["tables/alembic_version.jsonl"] = entries.pop("tables/course.jsonl")


def _newer_schema(entries: dict[str, bytes]) -> None:
    entries["manifest.json"] = json.dumps(json.loads(entries["manifest.json"]) | {"revision": "9999"}).encode()


def _newer_format(entries: dict[str, bytes]) -> None:
    entries["manifest.json"] = json.dumps(json.loads(entries["manifest.json"]) | {"format": 3}).encode()


HOSTILE: dict[str, tuple[Callable[[dict[str, bytes]], None], str]] = {
    "a bomb": (_zeros, "unpack to far more"),
    "an entry outside": (_stranger, "not those that its manifest names"),
    "a text for a number": (_bad_kind, "row 1 of table course is not valid"),
    "a row too short": (_short_row, "row 1 of table course is not valid"),
    "a row that is no JSON": (_no_json, "row 1 of table course is not valid"),
    "a row that breaks a check": (_broken_check, "table course breaks a rule"),
    "a row that refers to nobody": (_orphan, "refers to rows that are gone|breaks a rule"),
    "a table missing": (_no_table, "its tables are not those of its revision"),
    "a table of the system": (_system_table, "its tables are not those of its revision"),
    "a newer schema": (_newer_schema, "newer version"),
    "a newer format": (_newer_format, "newer version"),
}


@pytest.mark.parametrize("kind", HOSTILE)
def test_a_hostile_or_newer_file_changes_nothing(url: str, file: Path, kind: str, filled: Filled) -> None:
    filled(url, 20)
    backup(url, file)
    before = content(url)
    change, sentence = HOSTILE[kind]
    rewritten(file, change)

    with pytest.raises(ThanosError, match=sentence):
        restore(url, file, replace=True)

    assert content(url) == before


@pytest.mark.parametrize("body", [b"", b"no zip at all", b"PK\x05\x06" + bytes(18)])
def test_a_file_that_is_no_backup_says_so(new_database: NewDatabase, file: Path, body: bytes) -> None:
    file.write_bytes(body)

    with pytest.raises(Unreadable, match="no backup"):
        restore(new_database("sqlite"), file)


def test_a_file_that_is_not_there_says_so(new_database: NewDatabase, file: Path) -> None:
    with pytest.raises(Unreadable, match="is not there"):
        restore(new_database("sqlite"), file)


def test_a_database_that_is_not_up_to_date_is_not_backed_up(new_database: NewDatabase, file: Path) -> None:
    with pytest.raises(Unavailable, match="crm migrate"):
        backup(new_database("sqlite"), file)

    assert not file.exists()


def test_without_room_on_the_disk_there_is_one_line_and_no_half_file(
    new_database: NewDatabase, file: Path, filled: Filled
) -> None:
    url = new_database("sqlite")
    to_head(url)
    filled(url, 300)
    code = (
        "import sys; from pathlib import Path; from crm.errors import ThanosError\n"
        "from crm.services.backup import backup\n"
        "try: backup(sys.argv[1], Path(sys.argv[2]))\n"
        "except ThanosError as error: sys.exit(str(error))"
    )

    def with_little_room() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, 50_000))

    ran = subprocess.run(
        [sys.executable, "-c", code, url, str(file)], preexec_fn=with_little_room, capture_output=True, text=True
    )

    assert ran.returncode == 1
    assert ran.stderr.count("\n") == 1
    assert "cannot be written" in ran.stderr
    assert ran.stderr.strip().endswith("No backup was written.")
    assert [one.name for one in file.parent.iterdir() if "school" in one.name] == []


def test_the_counts_of_a_restored_school_are_those_of_its_manifest(url: str, file: Path, filled: Filled) -> None:
    filled(url)
    backup(url, file)
    with zipfile.ZipFile(file) as archive:
        manifest = json.loads(archive.read("manifest.json"))

    restore(url, file, replace=True)

    for table in manifest["tables"]:
        assert len(_rows(url, table["name"])) == table["rows"]
    assert using(url, _customers) == 60


def _customers(engine: Engine) -> int:
    with engine.connect() as connection:
        return connection.execute(select(func.count()).select_from(SQLModel.metadata.tables["customer"])).scalar_one()
