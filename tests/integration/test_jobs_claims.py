"""Each due date exactly once: what two runners that look at the same time may take."""

from datetime import datetime, timedelta
from threading import Barrier, Thread

import pytest
from sqlalchemy import Engine
from sqlmodel import select

from crm.domain.records import JobOutcome, JobPlan, JobRun, Notification
from crm.errors import NotAllowed
from crm.i18n import Says, says
from crm.rbac import Actor, Reach
from crm.services.access import accounts
from crm.services.access.permissions import SYSTEM, install_roles
from crm.services.jobs import job_claims, job_runs
from crm.services.jobs.job_claims import HEART_STOPS, TRIES, Plan, Run
from crm.store.session import reading, writing
from tests.builders import NOON

DAYS = tuple(NOON - timedelta(days=back) for back in (3, 2, 1, 0))
A, B = "one:1", "other:2"
LATER = HEART_STOPS + timedelta(seconds=1)


def take(runner: str = A, now: datetime = NOON, dates: tuple[datetime, ...] = DAYS, job: str = "tidy") -> Run | None:
    with writing() as session:
        return job_claims.take(session, job, dates, runner, now)


def taken(runner: str = A, now: datetime = NOON, dates: tuple[datetime, ...] = DAYS, job: str = "tidy") -> Run:
    run = take(runner, now, dates, job)
    assert run is not None
    return run


def finish(run: Run, outcome: JobOutcome = JobOutcome.DONE, account: Says | None = None, now: datetime = NOON) -> bool:
    with writing() as session:
        return job_claims.finish(session, run, outcome, account, now)


def recorded() -> list[JobRun]:
    with reading() as session:
        return list(session.exec(select(JobRun).order_by(JobRun.id)))  # type: ignore[arg-type]


def test_a_job_that_never_ran_takes_only_the_latest_date(engine: Engine) -> None:
    finish(taken())

    assert take() is None
    assert [run.due_at for run in recorded()] == [DAYS[-1]]


def test_missed_dates_are_caught_up_each_once_and_in_order(engine: Engine) -> None:
    finish(taken(now=DAYS[0], dates=DAYS[:1]))

    caught_up = []
    while run := take():
        caught_up.append(run.due_at)
        finish(run)

    assert caught_up == list(DAYS[1:])


def test_only_one_run_of_a_job_goes_on_at_a_time(engine: Engine) -> None:
    finish(taken(now=DAYS[0], dates=DAYS[:1]))
    first = taken(A)

    while_it_runs = take(B)
    finish(first)
    after_it = take(B)

    assert while_it_runs is None
    assert after_it is not None
    assert after_it.due_at == DAYS[2]


def test_of_twenty_that_look_at_the_same_moment_one_takes_it(engine: Engine) -> None:
    won: list[Run] = []
    start = Barrier(20)

    def look(runner: str) -> None:
        start.wait()
        run = take(runner)
        if run:
            won.append(run)

    threads = [Thread(target=look, args=(f"runner:{number}",)) for number in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(won) == 1
    assert [run.runner for run in recorded()] == [won[0].runner]


def test_a_run_whose_runner_lives_is_left_to_it(engine: Engine) -> None:
    run = taken(A)
    with writing() as session:
        job_claims.beat(session, [run], {}, A, NOON + LATER)

    assert take(B, NOON + LATER + timedelta(seconds=1)) is None


def test_a_run_whose_heart_stopped_is_taken_over_once(engine: Engine) -> None:
    taken(A)

    over = take(B, NOON + LATER)
    again = take(A, NOON + LATER)

    assert over is not None
    assert (over.due_at, over.attempt, over.runner) == (DAYS[-1], 2, B)
    assert again is None


def test_whoever_lost_a_run_cannot_finish_it(engine: Engine) -> None:
    lost = taken(A)
    over = taken(B, NOON + LATER)

    late = finish(lost, account=says("I was first"))
    rightful = finish(over, account=says("done"))

    assert (late, rightful) == (False, True)
    assert [Says.loaded(run.account) for run in recorded()] == [says("done")]


def test_a_run_that_kills_its_process_every_time_is_given_up_and_told(engine: Engine) -> None:
    with writing() as session:
        install_roles(session)
    now = NOON
    while take(A, now):
        now += LATER

    assert [(run.outcome, run.attempts) for run in recorded()] == [(JobOutcome.FAILED, TRIES)]
    assert str(Says.loaded(recorded()[0].account)) == f"Its process died {TRIES} times in the middle of it."


def test_a_failed_date_is_tried_again_after_pauses_of_growing_length_and_then_told(engine: Engine) -> None:
    with writing() as session:
        install_roles(session)
        accounts.create(session, SYSTEM, "boss", "administrator", None, "Boss", None, NOON)
    tried = []
    for minute in range(60):
        now = NOON + timedelta(minutes=minute)
        if run := take(now=now):
            tried.append(minute)
            finish(run, JobOutcome.FAILED, says("The disk is full."), now)

    assert tried == [0, 1, 3, 7, 15]
    with reading() as session:
        [told] = session.exec(select(Notification))
    assert (str(Says.loaded(told.title)), str(Says.loaded(told.body))) == (
        "The job tidy failed for good",
        "The disk is full.",
    )


def test_an_old_failure_is_not_tried_again_once_a_later_date_ran(engine: Engine) -> None:
    finish(taken(now=DAYS[2], dates=DAYS[:3]), JobOutcome.FAILED, now=DAYS[2])

    finish(taken(now=NOON))

    assert take(now=NOON + timedelta(hours=1)) is None


def test_a_run_handed_back_is_taken_at_once_and_costs_no_attempt(engine: Engine) -> None:
    run = taken(A)
    with writing() as session:
        job_claims.hand_back(session, run, NOON)

    with reading() as session:
        waiting = job_claims.unfinished(session, NOON)
    next_one = take(B)

    assert waiting == {"tidy"}
    assert next_one is not None
    assert (next_one.due_at, next_one.attempt) == (run.due_at, 1)


def test_a_frequent_job_leaves_one_row_of_quiet_runs_and_all_that_did_something(engine: Engine) -> None:
    for second in range(100):
        now = NOON + timedelta(seconds=second)
        run = taken(now=now, dates=(now,))
        finish(run, account=says("Sent: {n}.", n=second) if second % 25 == 0 else None, now=now)
        with writing() as session:
            job_claims.forget_like(session, run, now)

    assert [str(Says.loaded(run.account)) for run in recorded()] == [
        "Sent: 0.",
        "Sent: 25.",
        "Sent: 50.",
        "Sent: 75.",
        "",
    ]


def test_a_frequent_job_that_fails_date_after_date_is_told_once_until_it_went_well_again(engine: Engine) -> None:
    with writing() as session:
        install_roles(session)
        accounts.create(session, SYSTEM, "boss", "administrator", None, "Boss", None, NOON)

    def runs(minutes: range, outcome: JobOutcome) -> list[str]:
        for minute in minutes:
            now = NOON + timedelta(minutes=minute)
            run = taken(now=now, dates=(now,))
            finish(run, outcome, says("The disk is full.") if outcome is JobOutcome.FAILED else None, now)
            with writing() as session:
                job_claims.forget_like(session, run, now)
        with reading() as session:
            return [str(Says.loaded(one.body)) for one in session.exec(select(Notification))]

    failed, done = JobOutcome.FAILED, JobOutcome.DONE
    assert runs(range(TRIES - 1), failed) == []
    assert runs(range(TRIES - 1, 20), failed) == ["The disk is full."]
    assert [one.attempts for one in recorded()] == [20]
    assert len(runs(range(20, 21), done)) == 1
    assert len(runs(range(21, 20 + TRIES), failed)) == 1
    assert len(runs(range(20 + TRIES, 40), failed)) == 2


def plan_ids() -> list[int]:
    plans = [Plan(name, says("about"), says("now and then"), NOON) for name in ("tidy", "sweep")]
    with writing() as session:
        job_claims.declare(session, plans, A, NOON)
    with reading() as session:
        return [plan.id or 0 for plan in session.exec(select(JobPlan).order_by(JobPlan.id))]  # type: ignore[arg-type]


def test_a_run_asked_for_by_hand_is_taken_next_and_asking_twice_is_asking_once(engine: Engine) -> None:
    tidy, _ = plan_ids()
    finish(taken())
    asked_at = NOON + timedelta(seconds=10)

    with writing() as session:
        first = job_runs.run_now(session, SYSTEM, [tidy], asked_at)
    with writing() as session:
        second = job_runs.run_now(session, SYSTEM, [tidy], asked_at + timedelta(milliseconds=300))

    assert first == {tidy: None}
    assert second == {tidy: says("It runs already, or was asked for.")}
    assert taken(A, asked_at).due_at == asked_at
    assert take(B, asked_at) is None


def test_asking_needs_the_permission(engine: Engine) -> None:
    tidy, _ = plan_ids()
    viewer = Actor(None, "viewer", {"jobs.view": Reach.ALL})

    with writing() as session, pytest.raises(NotAllowed):
        job_runs.run_now(session, viewer, [tidy], NOON)

    assert recorded() == []


def test_a_job_that_is_no_longer_declared_disappears_from_the_page(engine: Engine) -> None:
    plan_ids()

    with writing() as session:
        job_claims.declare(session, [Plan("sweep", says("better"), says("often"), NOON)], B, NOON)

    with reading() as session:
        left = session.exec(select(JobPlan)).all()
    assert [(plan.job, str(Says.loaded(plan.about)), plan.runner) for plan in left] == [("sweep", "better", B)]


def test_the_page_knows_whether_any_process_is_alive(engine: Engine) -> None:
    plan_ids()

    with reading() as session:
        alive = [job_runs.alive(session, NOON + after) for after in (timedelta(0), LATER)]

    assert alive == [True, False]
