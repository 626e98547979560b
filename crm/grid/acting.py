"""An action on many rows: which they are, then step by step, and what became of each. Draws nothing.

A step is one transaction: its rows are done or refused as the service says, or none of them was touched. So
whatever ends the work early, `Work` knows of every row whether it was done, refused, or not reached.
"""

import csv
import io
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from sqlalchemy import literal
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session

from crm.errors import Invalid, Refused, ThanosError, Told, Unavailable
from crm.grid.config import Action, Run, Sessions, TableConfig
from crm.grid.export import tame
from crm.grid.fields import attribute
from crm.grid.frame import naming
from crm.grid.query import matching, ordered
from crm.grid.view import View
from crm.i18n import Says, _, says
from crm.rbac import Actor

STEP = 2_000
MOST = 100_000
SAMPLE = 5
UNDO = "undo "
NO_SUCH = says("There is no such record, or you may not see it.")


class Row(NamedTuple):
    """A row by its key, what a person calls it, and the version that the person saw where that is known."""

    key: Any
    name: str
    version: int | None = None


class Sight(NamedTuple):
    """What somebody saw before they agreed: how many, the first few, and a mark that tells whether it is others now."""

    number: int
    sample: tuple[Row, ...]
    mark: int


@dataclass(frozen=True)
class Ticked:
    """The rows that were ticked."""

    ticked: tuple[Row, ...]

    def rows(self, _config: TableConfig, _session: Session, _actor: Actor, _zone: ZoneInfo) -> list[Row]:
        """They, in shown order. Whether each may be touched the service decides."""
        return list(self.ticked)


@dataclass(frozen=True)
class Every:
    """All rows that match a view, on whatever page."""

    view: View

    def rows(self, config: TableConfig, session: Session, actor: Actor, zone: ZoneInfo) -> list[Row]:
        """They as of now, as far as the actor may see, in the order of the view. Raises `Refused` for too many."""
        if self.view.unread:
            return []
        key = attribute(config.model, config.key)
        named = config.key if config.called is not None else naming(config, actor)
        version = getattr(config.model, config.version, literal(None))
        found = ordered(config, matching(config, session, actor, self.view, zone), self.view.sort)
        asked = session.execute(found.with_only_columns(key, attribute(config.model, named), version).limit(MOST + 1))
        rows = [Row(each, str(name) if name and named != config.key else f"#{each}", at) for each, name, at in asked]
        if config.called is not None and len(rows) <= MOST:
            called = config.called(session, [row.key for row in rows])
            rows = [row._replace(name=str(called.get(row.key, row.name))) for row in rows]
        if len(rows) > MOST:
            raise Refused(says("At most {count} rows at a time. Narrow the list by a filter first.", count=MOST))
        return rows


Chosen = Ticked | Every
# (session, actor, how far, now)
Note = Callable[[Session, Actor, Mapping[str, Any], datetime], None]


def sight(rows: Sequence[Row], as_seen: bool = False) -> Sight:
    """What is shown of the rows before anything is done to them. `as_seen`: one that changed is another one."""
    mark = hash(frozenset((row.key, row.version if as_seen else None) for row in rows))
    return Sight(len(rows), tuple(rows[:SAMPLE]), mark)


@dataclass(eq=False)
class Work:
    """An action under way. `run` is the action's own service, or the one that takes it back."""

    action: Action
    run: Run
    params: Mapping[str, Any]
    rows: Sequence[Row]
    undoing: bool = False
    reached: int = 0
    done: list[Row] = field(default_factory=list)
    refused: dict[Row, Says] = field(default_factory=dict)
    told: dict[Row, Says] = field(default_factory=dict)
    stopped: Says | None = None

    @property
    def left(self) -> Sequence[Row]:
        """The rows that were not reached yet."""
        return self.rows[self.reached :]

    def step(self, writing: Sessions, actor: Actor, now: datetime, note: Note | None = None) -> None:
        """Do it to the next rows, in one transaction, and in it `note` how far it came where it takes several.

        An error that stops a step is the reason of each of its rows. Where the database is away, `stopped` says
        so and the rows count as not reached. Raises `Invalid` where the parameters are wrong, before anything
        was done.
        """
        self.stopped = None
        part = self.left[:STEP]
        keys = [row.key for row in part]
        try:
            with writing() as session:
                actor.require(self.action.needs)
                account = dict(self.run(session, actor, keys, now, **self.params, **self._seen(part)))
                if note is not None and len(self.rows) > STEP:
                    done = sum(_is_done(account.get(key, NO_SUCH)) for key in keys)
                    note(session, actor, self._so_far(done, len(keys) - done), now)
        except Unavailable as error:
            self.stopped = error.says
            return
        except Invalid as error:
            if not self.reached and error.fields.keys() & self.params.keys():
                raise
            account = dict.fromkeys(keys, error.says)
        except ThanosError as error:
            account = dict.fromkeys(keys, error.says)
        except IntegrityError:
            account = dict.fromkeys(keys, says("The database refuses this. Nothing was changed."))
        self.reached += len(part)
        for row in part:
            why = account.get(row.key, NO_SUCH)
            if why is None or isinstance(why, Told):
                self.done.append(row)
                self.told |= {row: why.says} if isinstance(why, Told) else {}
            else:
                self.refused[row] = why

    def _seen(self, part: Sequence[Row]) -> dict[str, Any]:
        """The versions, for who asked for them. What was done is taken back whatever the row is by then."""
        return {"seen": {row.key: row.version for row in part}} if self.action.as_seen and not self.undoing else {}

    def _so_far(self, done: int, refused: int) -> Mapping[str, Any]:
        """How far it is with so many more rows done and refused."""
        return {
            "action": f"{UNDO}{self.action.name}" if self.undoing else self.action.name,
            "rows": len(self.rows),
            "done": len(self.done) + done,
            "refused": len(self.refused) + refused,
        }


def _is_done(why: Says | Told | None) -> bool:
    return why is None or isinstance(why, Told)


def account_csv(work: Work) -> bytes:
    """What became of every row, for a spreadsheet, in the reader's language."""
    text = io.StringIO(newline="")
    out = csv.writer(text)
    out.writerow([_("No."), _("Row"), _("Outcome"), _("Why")])
    for row in work.done:
        told = str(work.told.get(row, ""))
        out.writerow([tame(str(row.key)), tame(row.name), _("done"), tame(told)])
    for row, why in work.refused.items():
        out.writerow([tame(str(row.key)), tame(row.name), _("refused"), tame(str(why))])
    for row in work.left:
        out.writerow([tame(str(row.key)), tame(row.name), _("not reached"), ""])
    return text.getvalue().encode("utf-8-sig")


def numbered(text: Says, count: int) -> Says:
    """The text with its {count}, in the form that the number asks for."""
    others = tuple(pair for pair in text.values if pair[0] != "count")
    return Says(text.text, (*others, ("count", count)), text.plural)
