"""The doctor: every rule of the school checked against the database, and Redis against the database.

Only reads. Each check is one query over whole tables, so that a million customers take seconds.
"""

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import exists, select
from sqlmodel import Session, col

from crm.domain.classes import ClassGroup
from crm.domain.deadlines import Lengths
from crm.domain.expiry import scheduled
from crm.domain.records import JobOutcome, JobRun
from crm.i18n import Says
from crm.services.doctor import history, holding, people, records, school, teaching
from crm.services.doctor.ask import ask
from crm.services.jobs.job_names import EXPIRE
from crm.services.sharing import sharing_round
from crm.settings import settings
from crm.store.redis import Proposals
from crm.store.session import is_postgres

STUCK = timedelta(hours=1)


def check(session: Session, now: datetime, redis: Proposals | None = None) -> list[Says]:
    """What is broken, one sentence each: table, row, what is wrong, remedy. Nothing broken: an empty list.

    Of one kind of fault the first twenty are told, then how many more there are. `redis` instead of the one
    that the settings name.
    """
    postgres = is_postgres(session)
    facts = _facts(session, now)
    found: list[Says] = []
    for one in (
        *holding.CHECKS,
        holding.deadlines(postgres=postgres),
        *history.CHECKS,
        *records.CHECKS,
        *school.CHECKS,
        *teaching.CHECKS,
    ):
        found += ask(session, one, facts)
    found += records.numbers(session, postgres=postgres)
    found += records.orphans(session)
    found += people.administrators(session)
    found += people.permissions(session)
    for one in people.CHECKS:
        found += ask(session, one, facts)
    return found + sharing_round.redis_disagreements(session, redis)


def notes(session: Session, now: datetime) -> list[Says]:
    """What is no fault, but worth knowing: caps lowered, customers of those who left, a nightly run that is late.

    And settings that leave open who can be chosen to teach.
    """
    facts = _facts(session, now)
    found = [told for one in people.NOTES for told in ask(session, one, facts)]
    found += holding.late(session, facts["run"], facts["last_run"])
    # Before the first class there is nobody to be chosen for it.
    return found + list(school.departments() if session.scalar(select(exists(select(col(ClassGroup.id))))) else ())


def _facts(session: Session, now: datetime) -> dict[str, Any]:
    """What the queries may ask about: the last expiry, the lengths of the rules, an hour ago.

    `last_run` is the last 02:00. `run` is the one whose customers must be gone: the same once its run has ended,
    for a late run gives the result of an on-time run; the one before it in any case.
    """
    rules, zone = settings().rules, settings().zone
    lengths = Lengths.of(rules)
    last = scheduled(now, zone, rules.expire_at)
    # One that was asked for by hand stands for the last 02:00 before it.
    ended = session.scalar(
        select(
            exists().where(
                col(JobRun.job) == EXPIRE, col(JobRun.outcome) == JobOutcome.DONE, col(JobRun.due_at) >= last
            )
        )
    )
    return {
        "last_run": last,
        "run": last if ended else scheduled(last - timedelta(hours=1), zone, rules.expire_at),
        "follow_up_days": lengths.follow_up_days,
        "deal_days": lengths.deal_days,
        "an_hour_ago": now - STUCK,
    }
