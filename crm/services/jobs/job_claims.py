"""Taking runs of jobs: the protocol by which each due date happens exactly once, whatever number of processes look.

A run is taken by writing its row: (job, due date) is unique, and so is the one running run of a job.
Whoever's write goes through does the work; everybody else sees that it is taken. A runner whose heart
stopped loses its run to whoever asks next.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import CursorResult, delete, func, select, text, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, SQLModel, col

from crm.domain.records import JobOutcome, JobPlan, JobRun
from crm.i18n import Says, says
from crm.rbac.store import holders
from crm.services.jobs.job_names import title
from crm.services.notices import notices
from crm.store.session import is_postgres

HEART_STOPS = timedelta(seconds=30)
TRIES = 5
FIRST_PAUSE = timedelta(minutes=1)
KEPT = timedelta(days=400)
_ROWS = SQLModel.metadata.tables["job_run"]
# In the very words of the partial index, so that both engines use it.
UNFINISHED = text("outcome IN ('asked', 'running')")


@dataclass(frozen=True, slots=True)
class Run:
    """A run that was taken: by `runner`, for the `attempt`-th time."""

    id: int
    job: str
    due_at: datetime
    attempt: int
    runner: str


@dataclass(frozen=True, slots=True)
class Plan:
    """What the page shows of a job."""

    job: str
    about: Says
    rhythm: Says
    next_due_at: datetime


@dataclass(frozen=True, slots=True)
class Ended:
    """How a run ended: `outcome` is `running` if it was handed back or its end could not be recorded."""

    job: str
    due_at: datetime
    outcome: JobOutcome
    account: Says


def declare(session: Session, declared: Sequence[Plan], runner: str, now: datetime) -> None:
    """Write the jobs that there are, for the page, and the heartbeat of whoever declares them."""
    known = {plan.job: plan for plan in session.scalars(select(JobPlan))}
    for job in known.keys() - {plan.job for plan in declared}:
        session.delete(known[job])
    for plan in declared:
        row = known.get(plan.job) or JobPlan(
            job=plan.job, about="", rhythm="", next_due_at=now, alive_at=now, runner=runner
        )
        row.about, row.rhythm = plan.about.stored(), plan.rhythm.stored()
        row.next_due_at, row.alive_at, row.runner = plan.next_due_at, now, runner
        session.add(row)


def beat(session: Session, held: Iterable[Run], due: Mapping[str, datetime], runner: str, now: datetime) -> None:
    """The heartbeat: these runs are being worked on, and these are the next due dates."""
    for run in held:
        session.execute(_mine(run).values(alive_at=now))
    for job, next_due_at in due.items():
        session.execute(
            update(JobPlan).where(col(JobPlan.job) == job).values(next_due_at=next_due_at, alive_at=now, runner=runner)
        )


def unfinished(session: Session, now: datetime) -> set[str]:
    """The jobs with a run that somebody asked for or that a dead runner left behind."""
    found = session.execute(select(col(JobRun.job), col(JobRun.outcome), col(JobRun.alive_at)).where(UNFINISHED))
    return {job for job, outcome, alive_at in found if outcome is JobOutcome.ASKED or alive_at < now - HEART_STOPS}


def ask(session: Session, job: str, account_id: int | None, now: datetime) -> int | None:
    """Ask for a run by hand, on behalf of that account. Returns its row's id, or None: one is asked for already."""
    return _insert(session, _values(job, now, now, "", JobOutcome.ASKED) | {"asked_by_id": account_id})


def take(session: Session, job: str, dates: Sequence[datetime], runner: str, now: datetime) -> Run | None:
    """The next run of the job for this runner, or None: nothing is due, or somebody else has it.

    First what a dead runner left, then what somebody asked for, then the oldest of `dates` (in order) after
    the newest that is recorded; of a job that has none recorded only the latest. At last the latest date
    again, if it failed and its pause is over.
    """
    for row in session.scalars(select(JobRun).where(col(JobRun.job) == job, UNFINISHED).order_by(col(JobRun.id))):
        if row.outcome is JobOutcome.RUNNING:
            return _take_over(session, row, runner, now) if row.alive_at < now - HEART_STOPS else None
        return _start(session, row, runner, now)
    recorded = set(
        session.scalars(select(col(JobRun.due_at)).where(col(JobRun.job) == job, col(JobRun.due_at).in_(dates)))
    )
    newest = max(recorded, default=None)
    missing = dates[-1:] if newest is None else [date for date in dates if date > newest]
    for date in missing[:1]:
        return take_this(session, job, date, runner, now)
    failed = session.scalar(
        select(JobRun).where(
            col(JobRun.job) == job,
            col(JobRun.due_at) == newest,
            col(JobRun.outcome) == JobOutcome.FAILED,
            col(JobRun.attempts) < TRIES,
        )
    )
    if failed is None or (failed.finished_at or now) + pause(failed.attempts) > now:
        return None
    return _start(session, failed, runner, now)


def take_this(session: Session, job: str, due_at: datetime, runner: str, now: datetime) -> Run | None:
    """This due date of the job, unless it was taken before or another run of the job is going on."""
    made = _insert(session, _values(job, due_at, now, runner, JobOutcome.RUNNING))
    return Run(made, job, due_at, 1, runner) if made else None


def pause(attempts: int) -> timedelta:
    """How long a run rests after so many failed attempts: 1, 2, 4, 8 minutes."""
    return FIRST_PAUSE * int(2 ** (attempts - 1))


def finish(session: Session, run: Run, outcome: JobOutcome, account: Says | None, now: datetime) -> bool:
    """Record how the run ended. False: it was taken over meanwhile, and nothing is written.

    Who may run jobs is told of a failure after which nobody tries again.
    """
    ended = session.execute(
        _mine(run).values(
            outcome=outcome, finished_at=now, alive_at=now, account=account.stored() if account is not None else ""
        )
    )
    if _count(ended) != 1:
        return False
    if outcome is JobOutcome.FAILED and run.attempt >= TRIES:
        _tell(session, run.job, account or Says(""), now)
    return True


def ended(session: Session, run: Run) -> Ended:
    """How the run ended, as recorded."""
    row = session.get_one(JobRun, run.id)
    return Ended(row.job, row.due_at, row.outcome, Says.loaded(row.account))


def hand_back(session: Session, run: Run, now: datetime) -> None:
    """Leave the run, not finished, to whoever asks next: as a dead runner would, but without the wait."""
    session.execute(_mine(run).values(alive_at=now - 2 * HEART_STOPS, attempts=run.attempt - 1))


def forget_like(session: Session, run: Run, now: datetime) -> None:
    """Forget earlier runs of a frequent job that ended just like this one, so that it fills no table.

    A failure takes over the attempts of those that it follows without a success between: no date of such a job is
    tried for long, so whoever may run jobs is told once that many dates failed.
    """
    ended = session.get(JobRun, run.id)
    if ended is None:
        return
    alike = delete(JobRun).where(
        col(JobRun.job) == run.job,
        col(JobRun.outcome) == ended.outcome,
        col(JobRun.account) == ended.account,
        col(JobRun.due_at) < run.due_at,
        col(JobRun.asked_by_id).is_(None),
    )
    gone = session.execute(alike.returning(col(JobRun.due_at), col(JobRun.attempts))).all()
    if ended.outcome is not JobOutcome.FAILED or not gone:
        return
    went_well = session.scalar(
        select(func.max(col(JobRun.due_at))).where(col(JobRun.job) == run.job, col(JobRun.outcome) == JobOutcome.DONE)
    )
    before = sum(row.attempts for row in gone if went_well is None or row.due_at > went_well)
    ended.attempts += before
    if before < TRIES <= ended.attempts and run.attempt < TRIES:
        _tell(session, run.job, Says.loaded(ended.account), now)


def prune(session: Session, now: datetime) -> int:
    """Forget finished runs older than 400 days. Returns how many."""
    gone = session.execute(delete(JobRun).where(col(JobRun.due_at) < now - KEPT, col(JobRun.finished_at).is_not(None)))
    return _count(gone)


def _take_over(session: Session, row: JobRun, runner: str, now: datetime) -> Run | None:
    seen = row.alive_at
    why = says("Its process died {count} times in the middle of it.", count=row.attempts)
    if row.attempts < TRIES:
        values: dict[str, Any] = {"runner": runner, "alive_at": now, "started_at": now, "attempts": row.attempts + 1}
    else:
        values = {"outcome": JobOutcome.FAILED, "finished_at": now, "account": why.stored()}
    won = session.execute(
        update(JobRun)
        .where(col(JobRun.id) == row.id, col(JobRun.outcome) == JobOutcome.RUNNING, col(JobRun.alive_at) == seen)
        .values(**values),
        execution_options={"synchronize_session": False},
    )
    if _count(won) != 1:
        return None
    if row.attempts >= TRIES:
        _tell(session, row.job, why, now)
        return None
    return Run(row.id or 0, row.job, row.due_at, row.attempts + 1, runner)


def _tell(session: Session, job: str, account: Says, now: datetime) -> None:
    who = session.scalars(holders("jobs.run"))
    notices.tell(session, who, says("The job {job} failed for good", job=title(job)), account, "/jobs", now)


def _start(session: Session, row: JobRun, runner: str, now: datetime) -> Run | None:
    """Start a run that was asked for, or failed before."""
    attempt = row.attempts + (row.outcome is JobOutcome.FAILED)
    try:
        with session.begin_nested():
            won = session.execute(
                update(JobRun)
                .where(
                    col(JobRun.id) == row.id, col(JobRun.outcome) == row.outcome, col(JobRun.attempts) == row.attempts
                )
                .values(
                    outcome=JobOutcome.RUNNING,
                    runner=runner,
                    started_at=now,
                    alive_at=now,
                    finished_at=None,
                    attempts=attempt,
                    account="",
                ),
                execution_options={"synchronize_session": False},
            )
    except IntegrityError:
        # Another process began a run of this job in this very moment.
        return None
    return Run(row.id or 0, row.job, row.due_at, attempt, runner) if _count(won) == 1 else None


def _insert(session: Session, values: Mapping[str, Any]) -> int | None:
    """The new row's id, or None if a unique pair was there first."""
    made = (postgresql if is_postgres(session) else sqlite).insert(_ROWS).values(**values).on_conflict_do_nothing()
    found = session.connection().execute(made.returning(_ROWS.c.id)).scalar()
    return None if found is None else int(found)


def _values(job: str, due_at: datetime, now: datetime, runner: str, outcome: JobOutcome) -> dict[str, Any]:
    return {
        "job": job,
        "due_at": due_at,
        "started_at": now,
        "alive_at": now,
        "outcome": outcome,
        "runner": runner,
        "attempts": 1,
        "account": "",
    }


def _mine(run: Run) -> Any:
    """An update of the run, as long as it is this runner's."""
    return (
        update(JobRun)
        .where(
            col(JobRun.id) == run.id,
            col(JobRun.outcome) == JobOutcome.RUNNING,
            col(JobRun.runner) == run.runner,
            col(JobRun.attempts) == run.attempt,
        )
        .execution_options(synchronize_session=False)
    )


def _count(result: Any) -> int:
    assert isinstance(result, CursorResult)
    return int(result.rowcount)
