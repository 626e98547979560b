"""`python -m jobs`: the loop. `list`: the schedule. `run NAME`: one job now."""

import json
import logging
import signal
import sys
from collections.abc import Callable
from typing import Annotated, Any

import typer

from crm.domain.records import JobOutcome
from crm.errors import ThanosError
from crm.i18n import local_time, set_reader
from crm.services import job_runs, outbox
from crm.settings import settings
from crm.store.session import reading
from jobs.job import check, named
from jobs.loop import Loop, this_process, wall_clock
from jobs.plan import JOBS

cli = typer.Typer(
    help="The jobs process. Without a command: work until stopped.",
    add_completion=False,
    pretty_exceptions_enable=False,
)
Json = Annotated[bool, typer.Option("--json", help="One JSON object on standard output.")]


@cli.callback(invoke_without_command=True)
def work(context: typer.Context) -> None:
    """The jobs process. Without a command: work until stopped."""
    check(JOBS)
    set_reader(settings().school.language, settings().zone)
    level = logging.WARNING if context.invoked_subcommand else logging.INFO
    logging.basicConfig(level=level, format="%(asctime)s %(name)s: %(message)s", datefmt="%Y-%m-%d %H:%M:%S")
    logging.getLogger("schedule").setLevel(logging.WARNING)
    if context.invoked_subcommand is None:
        outbox.check_channels()
        loop = Loop(JOBS, this_process())
        _stop_on_signals(loop)
        loop.run()


@cli.command("list")
def show(as_json: Json = False) -> None:
    """The schedule, the next due dates, and how each job ended last."""
    now, zone = wall_clock(), settings().zone
    with reading() as session:
        last = job_runs.last_ended(session)
    rows: list[dict[str, Any]] = []
    for job in JOBS:
        ended = last.get(job.name)
        rows.append(
            {
                "name": job.name,
                "about": str(job.about),
                "rhythm": str(job.rhythm.says),
                "next_due_at": job.rhythm.next(now, zone).isoformat(),
                "last_due_at": ended.due_at.isoformat() if ended else None,
                "last_outcome": str(ended.outcome) if ended else None,
                "last_account": str(ended.account) if ended else None,
            }
        )
    if as_json:
        print(json.dumps({"jobs": rows}, ensure_ascii=False))
        return
    width = max(len(job.name) for job in JOBS)
    for job, row in zip(JOBS, rows, strict=True):
        due = f"{local_time(job.rhythm.next(now, zone)):%Y-%m-%d %H:%M:%S}"
        print(f"{job.name:{width}}  {row['rhythm']:18}  next {due}  {row['about']}")
        if row["last_outcome"]:
            print(f"{'':{width}}  last {row['last_outcome']}  {row['last_account']}")


@cli.command()
def run(
    name: Annotated[str, typer.Argument(help="The job's name, as `list` shows it.")], as_json: Json = False
) -> None:
    """Run one job now, whatever its schedule says; a daily one stands for its last due date."""
    job = named(JOBS, name)
    loop = Loop((job,), this_process())
    _stop_on_signals(loop)
    ended = loop.run_now(job)
    if as_json:
        print(
            json.dumps(
                {
                    "job": ended.job,
                    "due_at": ended.due_at.isoformat(),
                    "outcome": str(ended.outcome),
                    "account": str(ended.account),
                },
                ensure_ascii=False,
            )
        )
    elif ended.outcome is JobOutcome.DONE:
        print(f"{job.name}: {ended.account or ended.outcome.label}")
    if ended.outcome is not JobOutcome.DONE:
        raise typer.Exit(1)


def _stop_on_signals(loop: Loop) -> None:
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: loop.stop())


def main(begin: Callable[..., Any] = cli) -> int:
    """Exit status 0, or 1 and a one-line error."""
    try:
        return int(begin(standalone_mode=False) or 0)
    except ThanosError as error:
        print(error, file=sys.stderr)
    except typer.TyperException as error:
        print(error.format_message(), file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
