"""The loop: `schedule` ticks, the database remembers.

The main thread looks for what is due and keeps the heart beating; each run has a thread of its own, one
a job, so that a slow or failing job holds up no other. Which process works is decided by
`crm.services.jobs.job_claims`, where every run is taken by a conditional write.
"""

import logging
import os
import platform
import threading
import time
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import schedule
from sqlalchemy.exc import SQLAlchemyError

from crm.domain.records import JobOutcome
from crm.errors import Refused, ThanosError, Unavailable
from crm.i18n import Says, says, set_reader
from crm.services.jobs import job_claims
from crm.services.jobs.job_claims import Ended, Plan, Run
from crm.services.jobs.rhythm import Every
from crm.settings import ROOT, settings
from crm.store.session import reading, writing
from jobs.job import Job, StopNow, Turn

log = logging.getLogger("jobs")

LOOK_SECONDS = 1
BEAT_SECONDS = 5
ASK_AGAIN = timedelta(seconds=60)


def wall_clock() -> datetime:
    """Now, in UTC."""
    return datetime.now(UTC)


def this_process() -> str:
    """A name for this process that no other has had: host, number and moment of start."""
    return f"{platform.node()[:60]}:{os.getpid()}:{time.time_ns() // 1_000_000:x}"


@dataclass
class Loop:
    """One jobs process. `run` returns after `stop` was called and the current steps are finished."""

    jobs: Sequence[Job]
    runner: str
    clock: Callable[[], datetime] = wall_clock
    _stop: threading.Event = field(default_factory=threading.Event)
    _at_work: dict[str, tuple[Run, threading.Thread]] = field(default_factory=dict)
    _ask_at: dict[str, datetime] = field(default_factory=dict)
    _declared: bool = False
    _database_away: bool = False

    def stop(self) -> None:
        """Take nothing new, finish the current step of what is going on, and end."""
        self._stop.set()

    def run(self) -> None:
        """Work until stopped. A database that is away is waited for."""
        ticker = schedule.Scheduler()
        self._wind(ticker)
        while not self._stop.is_set():
            ticker.run_pending()
            idle = ticker.idle_seconds or 0
            if idle > BEAT_SECONDS:
                # `schedule` counts on the wall clock of this machine, and that was put back.
                self._wind(ticker)
            self._stop.wait(max(0.05, min(idle, LOOK_SECONDS)))
        self._wait_for_all()

    def _wind(self, ticker: schedule.Scheduler) -> None:
        ticker.clear()
        ticker.every(LOOK_SECONDS).seconds.do(self.look)
        ticker.every(BEAT_SECONDS).seconds.do(self.beat)
        ticker.run_all()

    def look(self) -> None:
        """Take whatever is due and start it. Says one line when the database goes away, and one when it is back."""
        try:
            self._look()
        except (Unavailable, SQLAlchemyError) as error:
            if not self._database_away:
                log.warning("%s", error if isinstance(error, Unavailable) else "The database cannot be reached.")
            self._database_away = True

    def _look(self) -> None:
        if not self._declared:
            self.declare()
            self._declared = True
        now, zone = self.clock(), settings().zone
        self._at_work = {name: held for name, held in self._at_work.items() if held[1].is_alive()}
        with reading() as session:
            waiting = job_claims.unfinished(session, now)
        if self._database_away:
            log.info("The database is back.")
            self._database_away = False
        for job in self.jobs:
            if self._stop.is_set() or job.name in self._at_work:
                continue
            if job.name not in waiting and now < self._ask_at.get(job.name, now):
                continue
            with writing() as session:
                run = job_claims.take(session, job.name, job.rhythm.recent(now, zone), self.runner, now)
            if run is not None:
                self._start(job, run)
            if isinstance(job.rhythm, Every):
                self._ask_at[job.name] = job.rhythm.next(now, zone)
            elif run is None:
                # Nothing is due, or it failed and rests, or another process has it: ask again in a while.
                self._ask_at[job.name] = min(job.rhythm.next(now, zone), now + ASK_AGAIN)

    def beat(self) -> None:
        """Show that this process is alive, and its runs with it."""
        now, zone = self.clock(), settings().zone
        held = [run for run, thread in self._at_work.values() if thread.is_alive()]
        due = {job.name: job.rhythm.next(now, zone) for job in self.jobs}
        try:
            with writing() as session:
                job_claims.beat(session, held, due, self.runner, now)
        except (Unavailable, SQLAlchemyError):
            # `look` says so.
            return

    def declare(self) -> None:
        """Write the list of jobs for the page. Raises `Unavailable`."""
        now, zone = self.clock(), settings().zone
        plans = [Plan(job.name, job.about, job.rhythm.says, job.rhythm.next(now, zone)) for job in self.jobs]
        with writing() as session:
            job_claims.declare(session, plans, self.runner, now)

    def run_now(self, job: Job) -> Ended:
        """Run the job at once, in this process, whether it is due or not. Raises `Refused` if it runs already."""
        now = self.clock()
        with writing() as session:
            run = job_claims.take_this(session, job.name, now, self.runner, now)
        if run is None:
            raise Refused(says("{job} is running already. Try again when it has ended.", job=job.name))
        self._start(job, run)
        self._wait_for_all()
        with reading() as session:
            return job_claims.ended(session, run)

    def _wait_for_all(self) -> None:
        while threads := [thread for _, thread in self._at_work.values() if thread.is_alive()]:
            threads[0].join(LOOK_SECONDS)
            self.beat()

    def _start(self, job: Job, run: Run) -> None:
        thread = threading.Thread(target=self._work, args=(job, run), name=job.name, daemon=True)
        self._at_work[job.name] = (run, thread)
        thread.start()

    def _work(self, job: Job, run: Run) -> None:
        """Run the body and record how it ended. Whatever goes wrong in it stays in it."""
        zone = settings().zone
        set_reader(settings().school.language, zone)
        account: Says | None
        outcome = JobOutcome.DONE
        try:
            account = job.body(Turn(job.rhythm.latest(run.due_at, zone), self.clock, self._stop.is_set))
        except StopNow:
            self._record(job, run, None, None)
            return
        except ThanosError as error:
            outcome, account = JobOutcome.FAILED, error.says
        except Exception as error:
            outcome, account = JobOutcome.FAILED, _unexpected(error)
        self._record(job, run, outcome, account)

    def _record(self, job: Job, run: Run, outcome: JobOutcome | None, account: Says | None) -> None:
        now = self.clock()
        try:
            with writing() as session:
                if outcome is None:
                    job_claims.hand_back(session, run, now)
                    log.info("%s: stopped between two steps, to be continued", job.name)
                    return
                recorded = job_claims.finish(session, run, outcome, account, now)
                if recorded and isinstance(job.rhythm, Every) and (account is None or outcome is JobOutcome.FAILED):
                    job_claims.forget_like(session, run, now)
        except (Unavailable, SQLAlchemyError):
            # The run stays as of a dead runner, and is taken again when the database is back.
            return
        if outcome is JobOutcome.FAILED:
            log.error("%s failed: %s", job.name, account)
        elif account is not None:
            log.info("%s: %s", job.name, account)


def _unexpected(error: Exception) -> Says:
    """What went wrong and where, but no values: they may be somebody's."""
    places = [frame for frame in traceback.extract_tb(error.__traceback__) if Path(frame.filename).is_relative_to(ROOT)]
    ours = [frame for frame in places if ".venv" not in frame.filename]
    if not ours:
        return says("Unexpected {kind}.", kind=type(error).__name__)
    place = f"{Path(ours[-1].filename).relative_to(ROOT)}:{ours[-1].lineno}"
    return says("Unexpected {kind} in {place}.", kind=type(error).__name__, place=place)
