"""The site: every table of the product, and how the grid reaches the database, the clock and the person."""

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from datetime import datetime
from types import MappingProxyType

from sqlmodel import Session

from crm.errors import Misconfigured
from crm.grid.checks import check
from crm.grid.config import TableConfig
from crm.i18n import Says, says
from crm.rbac import Actor

Sessions = Callable[[], AbstractContextManager[Session]]


@dataclass(frozen=True, kw_only=True)
class Connection:
    """What the grid gets from its host: sessions, the clock (aware), and the person as of now.

    `who` gets the actor that the page knew and returns the same person as of now, or None if they may no
    longer be here: fragments and callbacks run without the page, and ask again.
    """

    reading: Sessions
    writing: Sessions
    now: Callable[[], datetime]
    who: Callable[[Actor], Actor | None] = lambda actor: actor


class Site:
    """Where tables are registered. `words` are the labels of fields that many tables share."""

    def __init__(self, words: Mapping[str, Says] | None = None) -> None:
        self.words: Mapping[str, Says] = MappingProxyType(dict(words or {}))
        self._tables: dict[str, TableConfig] = {}
        self._connection: Connection | None = None

    def register(self, config: TableConfig) -> TableConfig:
        """The table, checked and known to the site. Raises `Misconfigured` with every fault it has."""
        known = replace(config, site=self)
        faults = check(known)
        if config.name in self._tables:
            faults = [f"{config.name}: name is taken by another table. Give each table a name of its own.", *faults]
        if faults:
            raise Misconfigured(says("{faults}", faults="\n".join(faults)))
        self._tables[config.name] = known
        return known

    @property
    def tables(self) -> Mapping[str, TableConfig]:
        """Every registered table by name, in the order of registration."""
        return MappingProxyType(self._tables)

    def connect(
        self,
        *,
        reading: Sessions,
        writing: Sessions,
        now: Callable[[], datetime],
        who: Callable[[Actor], Actor | None] = lambda actor: actor,
    ) -> None:
        """Give the grid its sessions, its clock and the way to ask for the person again. Once, at the start."""
        self._connection = Connection(reading=reading, writing=writing, now=now, who=who)

    @property
    def connection(self) -> Connection:
        """What `connect` was given. Raises `Misconfigured` before that."""
        if self._connection is None:
            raise Misconfigured(says("The tables are not connected. Call site.connect(...) at the start of the app."))
        return self._connection
