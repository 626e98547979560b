"""What a host keeps of actions on many rows, so that who left in between reads on return how far theirs came."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Protocol

from sqlmodel import Session

from crm.rbac import Actor


class Ran(Protocol):
    """How far a run came: the action by its name, of how many rows so many were done or refused, and when."""

    @property
    def action(self) -> str: ...
    @property
    def rows(self) -> int: ...
    @property
    def done(self) -> int: ...
    @property
    def refused(self) -> int: ...
    @property
    def at(self) -> datetime: ...


class Runs(Protocol):
    """Keeps how far each run of more than one step came."""

    def note(
        self, session: Session, actor: Actor, table: str, permission: str, kept: Mapping[str, Any], now: datetime, /
    ) -> None:
        """Within the transaction of each step: `action`, `rows`, `done` and `refused`, as `Ran` has them."""
        ...

    def last(self, session: Session, actor: Actor, table: str, now: datetime, /) -> Ran | None:
        """The last one of this person on the table, as long as it is news."""
        ...
