"""Jobs as people see them: what runs when, what became of it, and asking for a run by hand.

The list of jobs is in `jobs/`; what is to be shown of it, the jobs process writes down when it starts.
How a run is taken is in `crm.services.jobs.job_claims`.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy import func, select
from sqlmodel import Session, col
from sqlmodel import select as select_rows
from sqlmodel.sql.expression import SelectOfScalar

from crm.domain.records import JobOutcome, JobPlan, JobRun
from crm.errors import deny
from crm.i18n import Says, says
from crm.rbac import Actor
from crm.services.access import audit
from crm.services.customers.scopes import of_nobody
from crm.services.jobs.job_claims import HEART_STOPS, UNFINISHED, Ended, ask
from crm.services.jobs.job_names import TITLES


def plans(_session: Session, actor: Actor) -> SelectOfScalar[JobPlan]:
    """The jobs, as the jobs process declared them when it last started. Empty until it first did."""
    actor.require("jobs.view")
    return select_rows(JobPlan).where(of_nobody(col(JobPlan.id)).where(actor, "jobs.view"))


def runs(_session: Session, actor: Actor) -> SelectOfScalar[JobRun]:
    """The runs that are kept: all of daily jobs for 400 days; of frequent ones those that did something."""
    actor.require("jobs.view")
    return select_rows(JobRun).where(of_nobody(col(JobRun.id)).where(actor, "jobs.view"))


def alive(session: Session, now: datetime) -> bool:
    """Whether any jobs process is at work: its heart beat within the last half minute."""
    last = session.scalar(select(func.max(col(JobPlan.alive_at))))
    return last is not None and last >= now - HEART_STOPS


def run_now(session: Session, actor: Actor, ids: Sequence[int], now: datetime) -> Mapping[int, Says | None]:
    """Ask the jobs process to run these plans' jobs, within seconds. Per id: None, or why not.

    Asking twice is asking once.
    """
    actor.require("jobs.run")
    mine = of_nobody(col(JobPlan.id)).where(actor, "jobs.run")
    named = {plan.id: plan for plan in session.scalars(select(JobPlan).where(col(JobPlan.id).in_(ids), mine))}
    unfinished = set(session.scalars(select(col(JobRun.job)).where(UNFINISHED)))
    answers: dict[int, Says | None] = {}
    for each in ids:
        plan = named.get(each)
        if plan is None:
            deny("jobs.run", each)
            answers[each] = says("This job is no longer there.")
        elif plan.job in unfinished:
            answers[each] = says("It runs already, or was asked for.")
        else:
            asked = ask(session, plan.job, actor.account_id, now)
            answers[each] = None if asked else says("It runs already, or was asked for.")
            if asked:
                audit.record(session, actor, "jobs.run", "job_run", asked, None, {"job": plan.job}, now)
    return answers


def names(_session: Session, actor: Actor) -> Mapping[str, Says]:
    """The jobs, with what people call them: the choices of a filter."""
    actor.require("jobs.view")
    return TITLES


def newest_asked(session: Session) -> tuple[int, JobOutcome] | None:
    """The last run that somebody asked for, and how it stands."""
    asked = select(col(JobRun.id), col(JobRun.outcome)).where(col(JobRun.asked_by_id).is_not(None))
    found = session.execute(asked.order_by(col(JobRun.id).desc()).limit(1)).one_or_none()
    return None if found is None else (int(found[0] or 0), found[1])


def last_ended(session: Session) -> dict[str, Ended]:
    """The newest finished run of each job."""
    newest = select(func.max(col(JobRun.id))).where(col(JobRun.finished_at).is_not(None)).group_by(col(JobRun.job))
    found = session.scalars(select(JobRun).where(col(JobRun.id).in_(newest)))
    return {row.job: Ended(row.job, row.due_at, row.outcome, Says.loaded(row.account)) for row in found}
