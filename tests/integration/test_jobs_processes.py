"""The loop in real processes: two at once, one killed, one told to end, a database that comes late."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine
from sqlmodel import select

from crm.domain.customers import Customer, CustomerState
from crm.domain.records import JobOutcome, JobRun, NoticeState, Notification
from crm.i18n import Says, says
from crm.services.notices import notices
from crm.settings import ROOT
from crm.store.migrate import to_head
from crm.store.session import reading, writing
from jobs.__main__ import main
from jobs.loop import wall_clock
from tests import servers
from tests.builders import a_consultant, a_private_customer, an_employee
from tests.integration.jobs_of_tests import STEPS
from tests.smtp_and_http import gateway, mail_server

PATIENCE = 60.0


class Process:
    """A process of this Python, and all that it said."""

    def __init__(self, folder: Path, *arguments: str) -> None:
        self._log = folder / f"process-{time.monotonic_ns()}.txt"
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", *arguments],
                cwd=ROOT,
                env={**os.environ, "PYTHONUNBUFFERED": "1", "LC_ALL": "C.UTF-8"},
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        self.pid = self._process.pid

    @property
    def said(self) -> str:
        return self._log.read_text("utf-8")

    def wait(self) -> int:
        """Its exit status."""
        return self._process.wait(PATIENCE)

    def end(self) -> int:
        """SIGTERM; its exit status."""
        self._process.send_signal(signal.SIGTERM)
        return self.wait()

    def kill(self) -> None:
        """As a power cut would."""
        self._process.kill()
        self._process.wait()


Start = Callable[..., Process]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Starts processes, and ends those that are left. What they said is shown with a failure."""
    started: list[Process] = []

    def begin(*arguments: str) -> Process:
        started.append(Process(tmp_path, *arguments))
        return started[-1]

    yield begin
    for process in started:
        process.kill()
        sys.stdout.write(process.said)


def until(true: Callable[[], object], what: str) -> None:
    """Wait for it, or fail by its name."""
    end = time.monotonic() + PATIENCE
    while not true():
        assert time.monotonic() < end, f"not within {PATIENCE} s: {what}"
        time.sleep(0.05)


def lines(log: Path, word: str) -> list[str]:
    text = log.read_text() if log.exists() else ""
    return [line for line in text.splitlines() if line.split()[0] == word]


def runs(job: str) -> list[JobRun]:
    with reading() as session:
        return list(session.exec(select(JobRun).where(JobRun.job == job).order_by(JobRun.id)))  # type: ignore[arg-type]


def test_two_processes_at_once_run_each_due_date_once_and_a_failing_neighbour_harms_nobody(
    engine: Engine, tmp_path: Path, start: Start
) -> None:
    log = tmp_path / "log"
    both = [start("tests.integration.jobs_of_tests", str(log), "tick", "fail") for _ in range(2)]

    until(lambda: len(lines(log, "tick")) >= 5, "five ticks")
    assert [process.end() for process in both] == [0, 0]

    said = "".join(process.said for process in both)

    due = [line.split()[1] for line in lines(log, "tick")]
    assert len(due) == len(set(due))
    assert {run.outcome for run in runs("tick")} == {JobOutcome.DONE}
    assert {run.outcome for run in runs("fail")} == {JobOutcome.FAILED}
    [why] = {str(Says.loaded(run.account)) for run in runs("fail")}
    assert re.fullmatch(r"Unexpected ZeroDivisionError in tests/integration/jobs_of_tests\.py:\d+\.", why)
    assert why in said
    assert "Traceback" not in said


def test_a_killed_process_loses_its_run_to_the_one_that_stands_by(engine: Engine, tmp_path: Path, start: Start) -> None:
    log = tmp_path / "log"
    first = start("tests.integration.jobs_of_tests", str(log), "steps")
    until(lambda: lines(log, "step"), "the first step")
    second = start("tests.integration.jobs_of_tests", str(log), "steps")

    first.kill()
    until(lambda: lines(log, "end"), "the end of the run")
    until(lambda: runs("steps")[0].outcome is JobOutcome.DONE, "its record")

    [run] = runs("steps")
    begun = [line.split()[1:] for line in lines(log, "begin")]
    assert [pid for _, pid in begun] == [str(first.pid), str(second.pid)]
    assert len({due for due, _ in begun}) == 1
    assert run.attempts == 2


def test_a_process_told_to_end_finishes_its_step_and_the_next_one_goes_on_at_once(
    engine: Engine, tmp_path: Path, start: Start
) -> None:
    log = tmp_path / "log"
    first = start("tests.integration.jobs_of_tests", str(log), "steps")
    until(lambda: lines(log, "step"), "the first step")

    assert first.end() == 0

    assert "steps: stopped between two steps, to be continued" in first.said
    steps, stepped = lines(log, "step"), lines(log, "stepped")
    assert 1 <= len(stepped) == len(steps) < STEPS
    start("tests.integration.jobs_of_tests", str(log), "steps")
    until(lambda: lines(log, "end"), "the end of the run")
    until(lambda: runs("steps")[0].outcome is JobOutcome.DONE, "its record")
    assert [run.attempts for run in runs("steps")] == [1]


def test_a_database_that_is_not_there_yet_is_waited_for_with_one_line(
    tmp_path: Path, start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = f"sqlite:///{tmp_path / 'late.db'}"
    monkeypatch.setenv("DATABASE_URL", url)
    log = tmp_path / "log"
    process = start("tests.integration.jobs_of_tests", str(log), "tick")
    until(lambda: "python -m crm migrate" in process.said, "the line")
    time.sleep(2)

    to_head(url)
    until(lambda: lines(log, "tick"), "a tick")
    assert process.end() == 0

    assert process.said.splitlines()[:2] == [
        "The database is not up to date. Run: python -m crm migrate",
        "The database is back.",
    ]


@pytest.mark.postgres
def test_a_postgres_that_dies_in_the_middle_is_waited_for_with_one_line(
    postgres_server: servers.Postgres, tmp_path: Path, start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = servers.Postgres()
    try:
        monkeypatch.setenv("DATABASE_URL", own.url())
        to_head(own.url())
        log = tmp_path / "log"
        process = start("tests.integration.jobs_of_tests", str(log), "tick")
        until(lambda: len(lines(log, "tick")) >= 2, "two ticks")

        own.stop()
        until(lambda: "cannot be reached" in process.said, "the line")
        time.sleep(3)
        before = len(lines(log, "tick"))
        own.start()
        until(lambda: len(lines(log, "tick")) > before, "a tick after it")
        assert process.end() == 0
    finally:
        own.close()

    due = [line.split()[1] for line in lines(log, "tick")]
    assert len(due) == len(set(due))
    assert process.said.count("The database cannot be reached.") == 1
    assert process.said.count("The database is back.") == 1
    assert "Traceback" not in process.said


def test_the_jobs_process_expires_customers_and_sends_the_notice_of_it(
    engine: Engine, start: Start, use_settings: Callable[[str], None]
) -> None:
    with mail_server() as post:
        use_settings(f'[notices]\npause_seconds = 1\n[[notices.channels]]\nname = "mail"\nurl = "{post.url}"\n')
        with writing() as session:
            loser = a_consultant(session, email="li@example.com")
            a_private_customer(session, loser)

        process = start("jobs")
        until(lambda: post.received, "the email")
        assert process.end() == 0

        assert "expire-customers: No follow-up: 1. No deal: 0. Passed over: 0." in process.said
        with reading() as session:
            assert session.exec(select(Customer.state)).one() is CustomerState.PUBLIC
            sent = session.exec(select(Notification).where(Notification.channel == "mail")).one()
            run = session.exec(select(JobRun).where(JobRun.job == "expire-customers")).one()
        # Told when the late run came to it, not at the 02:00 that it stands for.
        assert run.started_at <= sent.created_at and run.due_at < run.started_at
        assert post.received[0][0] == ["li@example.com"]
        assert post.received[0][1]["Subject"] == "1 customer went to the public pool"
        assert sent.state is NoticeState.SENT


def test_a_process_that_is_killed_while_sending_leaves_the_notice_uncertain_and_sends_it_once(
    engine: Engine, start: Start, use_settings: Callable[[str], None]
) -> None:
    with gateway() as web:
        web.delay = 3
        use_settings(
            "[notices]\ntimeout_seconds = 5\n"
            f'[[notices.channels]]\nname = "sms"\nurl = "{web.url("/sms?:to={mobile}")}"\n'
        )
        with writing() as session:
            account = an_employee(session, mobile="13800138000").account_id
            notices.tell(session, [account or 0], says("Hello"), says(""), "", wall_clock())

        process = start("jobs", "run", "send-notifications")
        until(lambda: web.received, "the request")
        process.kill()

        with reading() as session:
            left = session.exec(select(Notification).where(Notification.channel == "sms")).one()
        assert left.state is NoticeState.SENDING
        assert left.next_try_at is not None
        assert len(web.received) == 1


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["run", "expire-custmers"], "There is no job 'expire-custmers'. Did you mean 'expire-customers'?"),
        (["run"], "Missing argument 'name'."),
        (["lst"], "No such command 'lst'. Did you mean 'list'?"),
    ],
)
def test_a_wrong_command_is_one_line_and_status_1(
    sqlite_url: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    arguments: list[str],
    line: str,
) -> None:
    monkeypatch.setenv("LC_ALL", "C.UTF-8")

    assert main(arguments) == 1
    assert capsys.readouterr() == ("", line + "\n")


def test_a_channel_that_cannot_work_is_named_at_the_start(start: Start, use_settings: Callable[[str], None]) -> None:
    use_settings('[[notices.channels]]\nname = "sms"\nurl = "smss://example.com/{mobile}"\n')

    process = start("jobs")

    assert process.wait() == 1
    assert process.said.strip() == (
        "notices.channels: the url of 'sms' is no address that Apprise knows. See docs/notifications.md for examples."
    )
