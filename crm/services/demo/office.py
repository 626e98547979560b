"""What the office keeps of its own doings: sheets that came in, nightly runs, notices, the audit log.

All of it is counted from the lives, so the numbers agree with the history.
"""

import hashlib
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random
from typing import Any

from sqlalchemy import bindparam, insert, update
from sqlmodel import Session, SQLModel

from crm.domain.episodes import Origin, Outcome
from crm.domain.expiry import scheduled
from crm.domain.records import JobOutcome, NoticeState
from crm.i18n import Says
from crm.rbac import Actor
from crm.services.access import audit
from crm.services.customers import expiry
from crm.services.demo import words
from crm.services.demo.clock import Clock
from crm.services.demo.lives import Life, World
from crm.services.demo.people import School
from crm.services.jobs.job_names import EXPIRE
from crm.services.notices.notices import APP
from crm.services.sharing.assignment import given_notice

RUNS_KEPT = timedelta(days=60)
TOLD = timedelta(days=7)
LOGGED = timedelta(days=30)
LOG_MAX = 400
ADDRESS = "192.168.1.23"


@dataclass(slots=True)
class Diary:
    """What happened, by moment: filled life by life, read when all are written."""

    sheets: dict[datetime, int]
    kept: list[datetime] = field(default_factory=list)
    came: Counter[datetime] = field(default_factory=Counter)
    given: dict[datetime, Counter[int]] = field(default_factory=lambda: defaultdict(Counter))
    lost: dict[datetime, dict[int, Counter[Outcome]]] = field(
        default_factory=lambda: defaultdict(lambda: defaultdict(Counter))
    )
    doings: list[tuple[datetime, int, str, int, dict[str, Any] | None, dict[str, Any] | None]] = field(
        default_factory=list
    )

    def note(self, number: int, life: Life, manager: int, accounts: dict[int, int]) -> None:
        """One life of one customer: what the office would have written down."""
        if life.created in self.sheets:
            self.came[life.created] += 1
        for episode in life.episodes:
            if episode.origin is Origin.SHARED:
                self.given[episode.opened][episode.holder] += 1
            elif episode.origin is Origin.TRANSFERRED:
                after = {"consultant": episode.holder, "customers": [number]}
                self.doings.append((episode.opened, manager, "customers.assign", episode.holder, None, after))
            if episode.closed and episode.outcome in (Outcome.NO_FOLLOW_UP, Outcome.NO_DEAL):
                self.lost[episode.closed][episode.holder][episode.outcome] += 1
            elif episode.closed and episode.outcome is Outcome.RELEASED:
                before = {"consultant": episode.holder}
                doer = accounts[episode.holder]
                self.doings.append((episode.closed, doer, "my-customers.release", number, before, None))
        last = life.episodes[-1] if life.episodes else None
        if last and last.due and last.closed is None:
            self.kept.append(min(last.due))
        if life.extended and life.extended_until:
            after = {"extended_until": life.extended_until.isoformat()}
            self.doings.append((life.extended, manager, "customers.extend", number, None, after))


def sheets(world: World, history: timedelta) -> dict[datetime, int]:
    """When sheets came in, with the number of each: every few days, more often lately."""
    rng, clock = world.rng, world.clock
    moments = set()
    ago = history.days
    while ago >= 0:
        moment = clock.working(rng, clock.day(clock.now) - timedelta(days=ago))
        if moment < clock.now:
            moments.add(moment)
        ago -= rng.randint(3, 7) if ago > clock.rules.deal_days else rng.randint(1, 3)
    return {moment: number for number, moment in enumerate(sorted(moments), start=1)}


def open_sheets(session: Session, world: World, numbers: dict[datetime, int], manager: int) -> None:
    """The sheets' rows, before the customers that refer to them; the counts come later."""
    rows = []
    for moment, number in numbers.items():
        name = world.rng.choice(words.SHEETS).format(date=world.clock.day(moment).isoformat())
        rows.append(
            {
                "id": number,
                "file_name": name,
                "digest": hashlib.sha256(f"{number} {name}".encode()).hexdigest(),
                **dict.fromkeys(("rows", "imported", "duplicates", "errors", "assigned", "waiting"), 0),
                "imported_at": moment,
                "imported_by_id": manager,
            }
        )
    write(session, "import_batch", rows)


def close_day(session: Session, world: World, school: School, diary: Diary) -> None:
    """Counts of the sheets, runs of jobs, notices and the audit log, from what the diary holds."""
    _count_sheets(session, world.rng, diary, school)
    write(session, "job_run", _runs(world.clock, world.rng, diary))
    write(session, "notification", _notices(world, school, diary))
    lately = sorted((one for one in diary.doings if one[0] > world.clock.now - LOGGED), key=lambda one: one[0])
    names = {account: login for login, account in school.logins.items()}
    for at, account, action, subject_id, before, after in lately[-LOG_MAX:]:
        subject = "employee" if action == "customers.assign" else "customer"
        actor = Actor(account, names[account], address=ADDRESS)
        audit.record(session, actor, action, subject, subject_id, before, after, at)


def _count_sheets(session: Session, rng: Random, diary: Diary, school: School) -> None:
    manager = Actor(school.account("manager"), "manager", address=ADDRESS)
    table = SQLModel.metadata.tables["import_batch"]
    counted = []
    for moment, number in diary.sheets.items():
        came, known, wrong = diary.came[moment], rng.choice((0, 0, 1, 2, 5)), rng.choice((0, 0, 0, 1, 3))
        counts = {"rows": came + known + wrong, "imported": came, "assigned": came, "waiting": 0}
        counted.append({"number": number, "duplicates": known, "errors": wrong, **counts})
        audit.record(session, manager, "import.run", "import_batch", number, None, counts, moment)
    names = ("rows", "imported", "duplicates", "errors", "assigned", "waiting")
    statement = update(table).where(table.c.id == bindparam("number"))
    session.connection().execute(statement.values({name: bindparam(name) for name in names}), counted)


def _runs(clock: Clock, rng: Random, diary: Diary) -> list[dict[str, Any]]:
    rows = []
    run = clock.last_run()
    # Whose deadline is past and who is held all the same was passed over by every run since.
    kept = [due for due in diary.kept if due <= run]
    while run > clock.now - RUNS_KEPT:
        lost = sum(diary.lost[run].values(), Counter()) if run in diary.lost else Counter()
        told = expiry.account(lost[Outcome.NO_FOLLOW_UP], lost[Outcome.NO_DEAL], sum(due <= run for due in kept))
        rows.append(_run(rng, EXPIRE, run, told))
        run = scheduled(run - timedelta(hours=1), clock.zone, clock.rules.expire_at)
    return rows[::-1]


def _run(rng: Random, job: str, due: datetime, told: Says) -> dict[str, Any]:
    started = due + timedelta(milliseconds=rng.randint(100, 900))
    ended = started + timedelta(milliseconds=rng.randint(40, 900))
    return {
        "job": job,
        "due_at": due,
        "started_at": started,
        "alive_at": ended,
        "finished_at": ended,
        "outcome": JobOutcome.DONE,
        "runner": "demo",
        "attempts": 1,
        "account": told.stored(),
    }


def _notices(world: World, school: School, diary: Diary) -> list[dict[str, Any]]:
    clock, since = world.clock, world.clock.now - TOLD
    told: list[tuple[datetime, int, Says, Says]] = []
    for moment, counts in diary.given.items():
        if moment > since and moment in diary.sheets:
            due = clock.due(moment, moment)
            told += ((moment, holder, *given_notice(count, due)) for holder, count in counts.items())
    for run, losses in diary.lost.items():
        if run > since:
            told += ((run, holder, *expiry.lost_notice(run, counts)) for holder, counts in losses.items())
    told.sort(key=lambda one: one[:2])
    return [_notice(world, at, school.accounts[holder], title, body) for at, holder, title, body in told]


def _notice(world: World, at: datetime, account: int, title: Says, body: Says) -> dict[str, Any]:
    now = world.clock.now
    read = world.rng.random() < (0.9 if at < now - timedelta(days=1) else 0.3)
    return {
        "account_id": account,
        "channel": APP,
        "title": title.stored(),
        "body": body.stored(),
        "link": "/my-customers",
        "state": NoticeState.SENT,
        "attempts": 0,
        "created_at": at,
        "sent_at": at,
        "read_at": min(now, at + timedelta(minutes=world.rng.randint(5, 600))) if read else None,
        "version": 1,
    }


def write(session: Session, table: str, rows: Iterable[dict[str, Any]]) -> None:
    """Insert rows of one table at once."""
    listed = list(rows)
    if listed:
        session.connection().execute(insert(SQLModel.metadata.tables[table]), listed)
