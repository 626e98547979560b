"""The command line as a shell sees it: exit status, one line of error, one JSON object."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text
from sqlmodel import col, select

from crm.cli.main import main
from crm.domain.accounts import Account
from crm.domain.customers import Customer, CustomerState
from crm.domain.imports import ImportBatch
from crm.services.access.permissions import install_roles
from crm.settings import ROOT
from crm.store import engine as engine_module
from crm.store.session import reading, writing
from tests.builders import NOON, a_consultant, a_private_customer, customers_waiting
from tests.sheets import a_sheet


@dataclass
class Ran:
    """What a command left: exit status, standard output, standard error."""

    status: int
    out: str
    err: str

    @property
    def json(self) -> dict[str, Any]:
        """The one JSON object on standard output."""
        lines = self.out.splitlines()
        assert len(lines) == 1, self.out + self.err
        read: dict[str, Any] = json.loads(lines[0])
        return read


Crm = Callable[..., Ran]


@pytest.fixture
def crm(capsys: pytest.CaptureFixture[str]) -> Crm:
    """Run a command in this process, on this test's database."""

    def run(*arguments: object) -> Ran:
        capsys.readouterr()
        status = main([str(each) for each in arguments])
        seen = capsys.readouterr()
        return Ran(status, seen.out, seen.err)

    return run


@pytest.fixture
def migrated(sqlite_url: str) -> None:
    """A database as `crm migrate` leaves it, which takes longer."""
    with writing() as session:
        install_roles(session)


def shell(*arguments: str, **environment: str) -> Ran:
    """Run a command as a shell does, in a process and an environment of its own."""
    done = subprocess.run(
        [sys.executable, "-m", "crm", *arguments],
        capture_output=True,
        text=True,
        cwd=ROOT,
        env={**os.environ, "LANG": "C.UTF-8", **environment},
        timeout=120,
        check=False,
    )
    return Ran(done.returncode, done.stdout, done.stderr)


def test_migrate_makes_a_database_with_its_roles_and_again_changes_nothing(crm: Crm, tmp_path: Path) -> None:
    first = crm("migrate", "--json")
    second = crm("migrate", "--json")

    assert (first.status, first.json["before"]) == (0, None)
    assert (second.status, second.json["before"]) == (0, first.json["after"])
    assert crm("account", "create", "boss", "--role", "administrator").status == 0


def test_demo_prints_its_sign_ins_and_fills_only_an_empty_database(crm: Crm, database_url: str) -> None:
    filled = crm("demo", "--customers", 30, "--seed", 7, "--json")
    again = crm("demo", "--json")

    assert filled.status == 0
    assert {"name": "admin", "role": "administrator"}.items() <= filled.json["accounts"][0].items()
    assert len({each["role"] for each in filled.json["accounts"]}) >= 5
    assert again.status == 1
    assert "not empty" in again.json["error"]
    assert again.err.count("\n") == 1


def test_a_demo_without_customers_has_the_same_people_for_the_same_seed(tmp_path: Path) -> None:
    arguments = ("demo", "--customers", "0", "--seed", "7", "--json")

    one = shell(*arguments, DATABASE_URL=f"sqlite:///{tmp_path}/one.db")
    two = shell(*arguments, DATABASE_URL=f"sqlite:///{tmp_path}/two.db")

    assert one.status == 0
    assert one.json == two.json


def test_an_account_is_created_disabled_and_given_a_password(crm: Crm, database_url: str) -> None:
    crm("migrate")

    made = crm("account", "create", "Grace", "--role", "administrator", "--json")
    other = crm("account", "create", "second", "--role", "administrator")
    reset = crm("account", "reset-password", "grace", "--json")
    disabled = crm("account", "disable", "grace", "--json")

    assert made.json["name"] == "grace"
    assert made.json["role"] == "administrator"
    assert other.status == 0
    assert reset.json["password"] != made.json["password"]
    assert disabled.status == 0
    with reading() as session:
        assert session.exec(select(Account.active).where(col(Account.name) == "grace")).one() is False


def test_the_last_administrator_stays(crm: Crm, migrated: None) -> None:
    crm("account", "create", "boss", "--role", "administrator")

    refused = crm("account", "disable", "boss")

    assert refused.status == 1
    assert refused.err.count("\n") == 1


def test_assign_shares_out_who_waits(crm: Crm, database_url: str) -> None:
    with writing() as session:
        light, heavy = a_consultant(session, weight=1).id, a_consultant(session, weight=3).id
        customers_waiting(session, 8)

    done = crm("assign", "--json")

    assert done.json == {"assigned": 8, "waiting": 0, "by_consultant": {str(light): 2, str(heavy): 6}}


def test_expire_sends_what_lapsed_to_the_pool_once(crm: Crm, database_url: str) -> None:
    with writing() as session:
        lapsed = a_private_customer(session, a_consultant(session), since=NOON).id

    tried = crm("expire", "--at", "2025-03-07T02:00", "--dry-run", "--json")
    done = crm("expire", "--at", "2025-03-07T02:00", "--json")
    again = crm("expire", "--at", "2025-03-07T02:00", "--json")

    assert tried.json == done.json
    assert done.json == {"no_follow_up": 1, "no_deal": 0, "skipped": 0, "run": "2025-03-07T02:00:00+08:00"}
    assert again.json["no_follow_up"] == 0
    with reading() as session:
        assert session.get_one(Customer, lapsed).state is CustomerState.PUBLIC


def test_doctor_names_what_is_broken(crm: Crm, database_url: str) -> None:
    crm("demo", "--customers", 50)
    healthy = crm("doctor", "--json")
    with writing() as session:
        session.connection().exec_driver_sql("UPDATE assignment SET closed_at = opened_at, outcome = 'released'")

    broken = crm("doctor", "--json")

    assert (healthy.status, healthy.json["healthy"], healthy.json["broken"]) == (0, True, [])
    assert (broken.status, broken.json["healthy"]) == (1, False)
    assert broken.json["broken"]
    assert crm("doctor").status == 1


def test_a_backup_brings_everything_back_and_keeps_what_it_replaces(
    crm: Crm, database_url: str, tmp_path: Path
) -> None:
    crm("demo", "--customers", 20)
    file = tmp_path / "school.backup"
    assert crm("backup", file).status == 0
    with writing() as session:
        session.connection().exec_driver_sql("UPDATE customer SET note = 'changed'")

    restored = crm("restore", file, "--json")

    assert restored.status == 0, restored.err
    with reading() as session:
        assert session.exec(select(Customer).where(col(Customer.note) == "changed")).first() is None

    again = crm("restore", restored.json["kept"])

    assert again.status == 0, again.err
    with reading() as session:
        assert session.exec(select(Customer).where(col(Customer.note) == "changed")).first() is not None


@pytest.mark.parametrize(
    "arguments",
    [
        ["nonsense"],
        ["demo", "--customers", "many"],
        ["demo", "--customers", "-1"],
        ["account", "create", "grace"],
        ["account", "create", "grace", "--role", "wizard"],
        ["account", "disable", "nobody"],
        ["import", "nowhere.xlsx"],
        ["import", "/dev/zero"],
        ["undo-import", "4711"],
        ["undo-import", "99999999999999999999"],
        ["expire", "--at", "yesterday"],
        ["expire", "--at", "0001-01-01"],
        ["expire", "--at", "9999-12-31T23:59:59"],
        ["backup", "/nowhere/at/all.backup"],
        ["restore", "nowhere.backup"],
    ],
)
def test_an_error_is_one_line_and_status_1(crm: Crm, migrated: None, arguments: list[str]) -> None:
    failed = crm(*arguments)

    assert failed.status == 1
    assert failed.out == ""
    assert failed.err.count("\n") == 1
    assert "Traceback" not in failed.err
    assert "unforeseen" not in failed.err


@pytest.mark.parametrize("command", ["doctor", "assign", "expire"])
def test_a_database_behind_is_told_how_to_get_to_head(crm: Crm, command: str) -> None:
    failed = crm(command)

    assert failed.status == 1
    assert "python -m crm migrate" in failed.err


@pytest.mark.parametrize("command", ["migrate", "doctor", "assign", "expire", "demo"])
@pytest.mark.parametrize(
    "url",
    [
        "postgresql://nobody:secret@127.0.0.1:1/thanos",
        "postgresql://nobody:secret@127.0.0.1:secret/thanos",
        "sqlite:////proc/nowhere/thanos.db",
        "sqlite:////etc/hostname",
        "mysql://x",
        "?",
    ],
)
def test_a_database_out_of_reach_is_one_line(crm: Crm, monkeypatch: pytest.MonkeyPatch, command: str, url: str) -> None:
    monkeypatch.setenv("DATABASE_URL", url)

    failed = crm(command)

    assert failed.status == 1
    assert failed.err.count("\n") == 1
    assert "unforeseen" not in failed.err
    assert "secret" not in failed.err


def test_a_sheet_that_comes_through_a_pipe_is_refused_at_once(crm: Crm, migrated: None, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.xlsx")

    failed = crm("import", tmp_path / "pipe.xlsx")

    assert failed.status == 1
    assert "no ordinary file" in failed.err


def test_a_file_name_in_another_encoding_does_no_harm(crm: Crm, database_url: str, tmp_path: Path) -> None:
    crm("migrate")
    # As a spreadsheet from a Chinese Windows is called after it was unpacked elsewhere.
    sheet = tmp_path / os.fsdecode("客户".encode("gbk") + b"\n.xlsx")
    sheet.write_bytes(a_sheet([("张三", 1, 13800138001, 10001)]))

    done = crm("import", sheet, "--json")
    again = crm("import", sheet, "--dry-run")

    assert done.json["imported"] == 1
    assert again.status == 0
    with reading() as session:
        assert session.exec(select(ImportBatch.file_name)).one() == "�ͻ��.xlsx"


def test_a_terminal_that_cannot_show_chinese_does_not_undo_the_answer(tmp_path: Path) -> None:
    shown = shell("--lang", "zh", "migrate", PYTHONIOENCODING="latin-1", THANOS_VAR=str(tmp_path))

    assert shown.status == 0
    assert shown.err == ""


def test_a_wrong_settings_file_is_one_line_and_help_works_all_the_same(tmp_path: Path) -> None:
    file = tmp_path / "settings.toml"
    file.write_text("[rules]\nfolow_up_days = 3\n", "utf-8")

    failed = shell("migrate", THANOS_SETTINGS=str(file))
    helped = shell("migrate", "--help", THANOS_SETTINGS=str(file))

    assert failed.status == 1
    assert failed.err.count("\n") == 1
    assert "Did you mean rules.follow_up_days?" in failed.err
    assert helped.status == 0


def test_an_unforeseen_error_is_one_line_and_its_details_are_kept(crm: Crm, sqlite_url: str, tmp_path: Path) -> None:
    with writing() as session:
        session.connection().exec_driver_sql("ALTER TABLE customer RENAME COLUMN state TO stale")

    failed = crm("assign", "--json")

    assert failed.status == 1
    assert failed.err.count("\n") == 1
    assert failed.json["error"] == failed.err.strip()


def test_the_answers_are_in_the_language_of_the_terminal(crm: Crm, monkeypatch: pytest.MonkeyPatch) -> None:
    chinese = shell("migrate", LANG="zh_CN.UTF-8")
    for name in ("LC_ALL", "LC_MESSAGES"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("LANG", "en_GB.UTF-8")
    english = crm("demo", "--customers", "-1")
    monkeypatch.setenv("LANG", "zh_CN.UTF-8")
    chosen = crm("--lang", "en", "migrate")

    assert english.err.isascii()
    assert not chinese.out.isascii()
    assert chosen.out.isascii()


@pytest.mark.parametrize("asked", [("--lang", "fr"), ("--lang=fr",), ("--lang", "EN")])
def test_a_language_that_there_is_not_is_refused_before_anything_is_done(crm: Crm, asked: tuple[str, ...]) -> None:
    failed = crm(*asked, "demo", "--json")

    assert (failed.status, failed.json) == (1, {"error": f"--lang is {asked[-1][-2:]}. Use zh or en."})


def test_a_language_is_named_with_an_equals_sign_too(crm: Crm) -> None:
    assert "请看" in crm("--lang=zh", "nothing").err


def test_a_template_for_a_folder_that_there_is_not_names_place_and_remedy(
    crm: Crm, database_url: str, tmp_path: Path
) -> None:
    failed = crm("template", tmp_path / "nowhere" / "new.xlsx")

    assert failed.status == 1
    assert failed.err == f"There is no folder {tmp_path / 'nowhere'}. Make it, or name another file.\n"


def test_no_command_works_on_a_database_of_a_newer_version(crm: Crm, database_url: str, tmp_path: Path) -> None:
    sheet = tmp_path / "new.xlsx"
    sheet.write_bytes(a_sheet([["Ann", "13800138000"]], ["Name", "Phone"]))
    with engine_module.engine().begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))

    tried = [
        crm(*arguments, "--json")
        for arguments in (
            ("import", sheet),
            ("undo-import", 1),
            ("assign",),
            ("expire",),
            ("template", tmp_path / "template.xlsx"),
            ("account", "create", "zoe", "--role", "consultant"),
            ("doctor",),
        )
    ]

    assert {(ran.status, ran.json["error"]) for ran in tried} == {
        (
            1,
            "The database was written by a newer version of this program (revision 9999). "
            "Update the program, or restore a backup that this version made.",
        )
    }
    with reading(engine_module.engine()) as session:
        assert session.exec(select(ImportBatch.id)).all() == []
        assert session.exec(select(Account.id).where(Account.name == "zoe")).all() == []
