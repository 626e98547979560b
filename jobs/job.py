"""What a job is: a name, a rhythm, a body."""

import difflib
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session

from crm.errors import Misconfigured, NotFound
from crm.i18n import Says, says
from crm.services.jobs.rhythm import Rhythm
from crm.store.session import writing


class StopNow(Exception):
    """The process was asked to end: the body leaves off between two steps, and the run is handed back."""


@dataclass(frozen=True, slots=True)
class Turn:
    """What a body is given: the date it stands for, a clock, and transactions that end between two steps.

    `due_at` is the date of the schedule, however late the run is.
    """

    due_at: datetime
    now: Callable[[], datetime]
    stopping: Callable[[], bool] = lambda: False

    @contextmanager
    def writing(self) -> Iterator[Session]:
        """One step: a transaction. Raises `StopNow` instead if the process was asked to end."""
        self.go_on()
        with writing() as session:
            yield session

    def go_on(self) -> None:
        """Raises `StopNow` if the process was asked to end. To be called between two steps."""
        if self.stopping():
            raise StopNow


Body = Callable[[Turn], Says | None]


@dataclass(frozen=True, slots=True)
class Job:
    """One job. The body returns what it did in one line, or None if there was nothing to do.

    A body has to bear being run again for the same date: it may be cut off anywhere and run from the start.
    """

    name: str
    rhythm: Rhythm
    body: Body
    about: Says


def check(jobs: Sequence[Job]) -> None:
    """Raise `Misconfigured` about the first thing wrong with the list."""
    seen: set[str] = set()
    for place, job in enumerate(jobs):
        if not re.fullmatch(r"[a-z][a-z0-9]*(-[a-z0-9]+)*", job.name) or len(job.name) > 64:
            raise Misconfigured(
                says(
                    "JOBS[{place}] is named {name}. Use small letters, digits and single dashes, at most 64.",
                    place=place,
                    name=repr(job.name),
                )
            )
        if job.name in seen:
            raise Misconfigured(
                says("JOBS[{place}] is a second job named {name}. Rename one.", place=place, name=repr(job.name))
            )
        seen.add(job.name)


def named(jobs: Sequence[Job], name: str) -> Job:
    """The job of that name. Raises `NotFound` with the nearest name there is."""
    for job in jobs:
        if job.name == name:
            return job
    near = difflib.get_close_matches(name, [job.name for job in jobs], n=1)
    if near:
        raise NotFound(says("There is no job {name}. Did you mean {near}?", name=repr(name), near=repr(near[0])))
    raise NotFound(
        says("There is no job {name}. There are: {names}.", name=repr(name), names=", ".join(job.name for job in jobs))
    )
