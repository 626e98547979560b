"""The commands: work, list, run. Imported only when the reader's language is known."""

import json
import logging
import signal
from typing import Annotated, Any

import typer

from crm.domain.records import JobOutcome
from crm.i18n import _, local_time, show
from crm.services.jobs import job_runs
from crm.services.notices import outbox
from crm.settings import settings
from crm.store.session import reading
from jobs.job import check, named
from jobs.loop import Loop, this_process, wall_clock
from jobs.plan import JOBS

Json = Annotated[bool, typer.Option("--json", help=_("Print one JSON object instead of text."))]
NAME = _("The job's name, as `list` shows it.")

app = typer.Typer(
    help=_("The jobs process. Without a command it works until it is stopped."),
    invoke_without_command=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)


@app.callback()
def work(context: typer.Context) -> None:
    """Checks the list of jobs; without a command, works until stopped."""
    check(JOBS)
    if context.invoked_subcommand is not None:
        return
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s", datefmt="%Y-%m-%d %H:%M:%S")
    logging.getLogger("schedule").setLevel(logging.WARNING)
    outbox.check_channels()
    loop = Loop(JOBS, this_process())
    _stop_on_signals(loop)
    loop.run()


@app.command("list", help=_("The schedule: what runs when, and how it ended last."))
def listed(*, as_json: Json = False) -> int:
    """Prints the schedule."""
    now, zone = wall_clock(), settings().zone
    with reading() as session:
        last = job_runs.last_ended(session)
    rows: list[dict[str, Any]] = []
    for job in JOBS:
        due, ended = job.rhythm.next(now, zone), last.get(job.name)
        rows.append(
            {
                "name": job.name,
                "about": str(job.about),
                "rhythm": str(job.rhythm.says),
                "next_due_at": due.isoformat(),
                "last_due_at": ended.due_at.isoformat() if ended else None,
                "last_outcome": ended.outcome.value if ended else None,
                "last_account": str(ended.account) if ended else None,
            }
        )
        if not as_json:
            typer.echo(f"{job.name}: {job.about}")
            typer.echo(
                "    " + _("{rhythm}, next {due}", rhythm=job.rhythm.says, due=f"{local_time(due):%Y-%m-%d %H:%M:%S}")
            )
            if ended:
                typer.echo("    " + _("last: {outcome}. {account}", outcome=ended.outcome.label, account=ended.account))
    if as_json:
        typer.echo(json.dumps({"jobs": rows}, ensure_ascii=False))
    return 0


@app.command("run", help=_("Run one job now. A daily one stands for its last due date."))
def run(name: Annotated[str, typer.Argument(help=NAME)], *, as_json: Json = False) -> int:
    """Runs one job in this process; exit status 1 if it failed."""
    job = named(JOBS, name)
    loop = Loop((job,), this_process())
    _stop_on_signals(loop)
    ended = loop.run_now(job)
    if as_json:
        data = {
            "job": ended.job,
            "due_at": ended.due_at.isoformat(),
            "outcome": ended.outcome.value,
            "account": str(ended.account),
        }
        typer.echo(json.dumps(data, ensure_ascii=False))
    elif ended.outcome is JobOutcome.DONE:
        done = show(ended.account) or _("Nothing to do.")
        typer.echo(f"{job.name}: {done}")
    elif ended.outcome is JobOutcome.RUNNING:
        typer.echo(_("{job} was stopped between two steps. The jobs process goes on with it.", job=job.name), err=True)
    return 0 if ended.outcome is JobOutcome.DONE else 1


def _stop_on_signals(loop: Loop) -> None:
    """The first signal ends the loop after the current steps, a second one ends the process at once."""

    def stop(number: int, _frame: object) -> None:
        signal.signal(number, signal.SIG_DFL)
        loop.stop()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, stop)
