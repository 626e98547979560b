"""An action that somebody asked for, and the one that was done last: what the session remembers. Draws nothing."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from crm.grid.acting import Chosen, Note, Sight, Ticked, Work
from crm.grid.choosing import untick
from crm.grid.frame import permitted
from crm.grid.runs import Ran
from crm.grid.state import Here
from crm.i18n import Says


@dataclass(eq=False)
class Acting:
    """An action that was asked for: to what, what was seen of it, and the work once it is under way.

    `asked` is what the address says where it was the address that asked. `looking`: the work was done before, and
    somebody looks at its account once more.
    """

    name: str
    chosen: Chosen
    asked: str | None = None
    seen: Sight | None = None
    before: int | None = None
    faults: Mapping[str, Says] = field(default_factory=dict)
    work: Work | None = None
    go: bool = False
    looking: bool = False


@dataclass(frozen=True)
class Did:
    """What was done last: the line above the table."""

    work: Work
    at: datetime


def ask(here: Here, name: str, chosen: Chosen, asked: str | None = None) -> None:
    """The dialog of that action opens with the next drawing."""
    here.remember("acting", Acting(name, chosen, asked))
    here.remember("did", None)


def look_at(here: Here, work: Work) -> None:
    """The dialog opens with the account of what was done."""
    here.remember("acting", Acting(work.action.name, Ticked(()), work=work, looking=True))


def take_back(here: Here, work: Work) -> None:
    """What was done is taken back, in the same way in which it was done."""
    if work.action.undo is None:
        return
    back = Acting(work.action.name, Ticked(tuple(work.done)), go=True)
    back.work = Work(work.action, work.action.undo, {}, list(work.done), undoing=True)
    here.remember("acting", back)
    here.remember("did", None)


def close(here: Here) -> None:
    """The dialog is gone; what was chosen for it is chosen no more."""
    acting: Acting | None = here.recall("acting")
    here.remember("acting", None)
    heeded(here, acting)
    if acting is not None and acting.work is not None and not acting.looking:
        untick(here)


def heeded(here: Here, acting: Acting | None) -> None:
    """The address asks no more, so that nothing is asked again by a reload."""
    if acting is not None and acting.asked is not None:
        here.ask(acting.name, None)


def noting(here: Here, work: Work) -> Note | None:
    """How the host keeps how far the work came, if it does; here it is news no more."""
    runs, table, needs = here.connection.runs, here.config.name, work.action.needs
    here.remember("ran", None)
    if runs is None:
        return None
    return lambda session, actor, kept, now: runs.note(session, actor, table, needs, kept, now)


def ran_before(here: Here) -> Ran | None:
    """How far this person's last run of several steps came, of another session. Asked for once in each."""
    if not here.recalls("ran"):
        found, runs = None, here.connection.runs
        if runs is not None and permitted(here.config, here.actor):
            with here.connection.reading() as session:
                found = runs.last(session, here.actor, here.config.name, here.connection.now())
        here.remember("ran", found)
    ran: Ran | None = here.recall("ran")
    return ran
