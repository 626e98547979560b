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
from crm.services import notices
from crm.settings import ROOT
from crm.store.migrate import to_head
from crm.store.session import reading, writing
from jobs.loop import wall_clock
from tests.builders import a_consultant, a_private_customer, an_employee
from tests.integration.jobs_of_tests import STEPS
from tests.smtp_and_http import gateway, mail_server

PATIENCE = 40.0
Process = subprocess.Popen[str]
Start = Callable[..., Process]


@pytest.fixture
def start() -> Iterator[Start]:
    """Starts processes of this Python, and ends those that are left."""
    started: list[Process] = []

    def begin(*arguments: str, **environment: str) -> Process:
        process = subprocess.Popen(
            [sys.executable, "-m", *arguments],
            cwd=ROOT,
            env={**os.environ, "PYTHONUNBUFFERED": "1", **environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        started.append(process)
        return process

    yield begin
    for process in started:
        process.kill()
        # Shown with the failure, if there is one.
        sys.stdout.write(process.communicate()[0] or "")


def until(true: Callable[[], object], what: str) -> None:
    """Wait for it, or fail by its name."""
    end = time.monotonic() + PATIENCE
    while not true():
        assert time.monotonic() < end, f"not within {PATIENCE} s: {what}"
        time.sleep(0.05)


def end_of(process: Process) -> tuple[int, str]:
    """SIGTERM; its exit status and all it said."""
    process.send_signal(signal.SIGTERM)
    said, _ = process.communicate(timeout=PATIENCE)
    return process.returncode, said


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
    said = "".join(end_of(process)[1] for process in both)

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

    first.send_signal(signal.SIGKILL)
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

    status, said = end_of(first)

    assert status == 0
    assert "steps: stopped between two steps, to be continued" in said
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
    time.sleep(4)

    to_head(url)
    until(lambda: lines(log, "tick"), "a tick")
    status, said = end_of(process)

    assert status == 0
    assert said.count("python -m crm migrate") == 1
    assert "Traceback" not in said


def test_a_postgres_that_goes_away_is_waited_for(tmp_path: Path, start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://nobody@127.0.0.1:1/nowhere")
    process = start("jobs")
    time.sleep(4)

    status, said = end_of(process)

    assert status == 0
    assert len(said.splitlines()) == 1
    assert said.strip().endswith("The database cannot be reached. Nothing was written. Try again in a moment.")


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
        status, said = end_of(process)

        assert status == 0
        assert "expire-customers: No follow-up: 1. No deal: 0. Passed over: 0." in said
        with reading() as session:
            assert session.exec(select(Customer.state)).one() is CustomerState.PUBLIC
            sent = session.exec(select(Notification).where(Notification.channel == "mail")).one()
        assert post.received[0][0] == ["li@example.com"]
        assert post.received[0][1]["Subject"] == "1 customer went to the public pool"
        assert sent.state in (NoticeState.SENT, NoticeState.SENDING)


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
    sqlite_url: str, start: Start, arguments: list[str], line: str
) -> None:
    process = start("jobs", *arguments, DATABASE_URL=sqlite_url)

    said, _ = process.communicate(timeout=PATIENCE)

    assert (process.returncode, said.strip().splitlines()[-1]) == (1, line)


def test_a_channel_that_cannot_work_is_named_at_the_start(
    sqlite_url: str, start: Start, use_settings: Callable[[str], None]
) -> None:
    use_settings('[[notices.channels]]\nname = "sms"\nurl = "smss://example.com/{mobile}"\n')

    process = start("jobs", DATABASE_URL=sqlite_url)

    said, _ = process.communicate(timeout=PATIENCE)
    assert process.returncode == 1
    assert said.strip() == (
        "notices.channels: the url of 'sms' is no address that Apprise knows. See docs/notifications.md for examples."
    )
