"""What a host keeps of a person about a table: views under a name, and the columns that they show or hide.

The grid only says what it asks of whoever keeps it. Each call authorises: `needs` is the permission to open the table,
`sharing` the one to share a view of it. All raise `NotAllowed`; what changes a view also `Conflict`, `Invalid` and
`NotFound`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from sqlmodel import Session

from crm.grid.config import Sessions
from crm.rbac import Actor


class KeptView(Protocol):
    """A view: the address's query, whose it is (`by`), and whether everybody who may open the table sees it."""

    @property
    def id(self) -> int: ...
    @property
    def name(self) -> str: ...
    @property
    def query(self) -> str: ...
    @property
    def shared(self) -> bool: ...
    @property
    def mine(self) -> bool: ...
    @property
    def by(self) -> str: ...
    @property
    def version(self) -> int: ...


class Views(Protocol):
    """Keeps views under a name."""

    def of_table(self, session: Session, actor: Actor, table: str, needs: str, /) -> Sequence[KeptView]:
        """One's own, then those that others share."""
        ...

    def save(self, session: Session, actor: Actor, table: str, needs: str, name: str, query: str, /) -> None:
        """A new one of one's own."""
        ...

    def rename(
        self, session: Session, actor: Actor, table: str, needs: str, view_id: int, version: int, name: str, /
    ) -> None:
        """Another name for one's own."""
        ...

    def overwrite(
        self, session: Session, actor: Actor, table: str, needs: str, view_id: int, version: int, query: str, /
    ) -> None:
        """Another view under the same name."""
        ...

    def share(
        self, session: Session, actor: Actor, table: str, sharing: str, view_id: int, version: int, shared: bool, /
    ) -> None:
        """Shown to everybody who may open the table, or not any more."""
        ...

    def delete(self, session: Session, actor: Actor, table: str, needs: str, view_id: int, version: int, /) -> None:
        """One's own is gone."""
        ...


class Columns(Protocol):
    """Keeps which columns a person shows or hides."""

    def of_table(self, session: Session, actor: Actor, table: str, needs: str, /) -> Mapping[str, bool]:
        """Column -> whether it is shown, where the person chose."""
        ...

    def keep(self, session: Session, actor: Actor, table: str, needs: str, columns: Mapping[str, bool], /) -> None:
        """The choice as it is from now on."""
        ...


@dataclass(frozen=True, kw_only=True)
class Keeping:
    """Who keeps it, and in which sessions: a table that lives in another database is kept of all the same."""

    reading: Sessions
    writing: Sessions
    views: Views
    columns: Columns
