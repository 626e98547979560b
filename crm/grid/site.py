"""The site: every table of the product, and how the grid reaches the database, the clock and the person."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from types import MappingProxyType
from typing import Any

from sqlmodel import Session

from crm.errors import Misconfigured
from crm.grid.checks import check
from crm.grid.config import Sessions, TableConfig
from crm.grid.keeping import Keeping
from crm.grid.needs import completed, undeclared
from crm.grid.runs import Runs
from crm.grid.shape_checks import misshapen
from crm.i18n import Says, says
from crm.rbac import Actor, Catalogue

# Gets session, actor, table, permission, what is kept of it (format, rows, view) and the moment.
Exported = Callable[[Session, Actor, str, str, Mapping[str, Any], datetime], None]
# Gets actor, file, name and the permissions that the file needs, and answers with an address.
Offer = Callable[[Actor, Path, str, Sequence[str]], str]


def _as_they_are(actor: Actor) -> Actor | None:
    return actor


def _not_kept(
    _session: Session, _actor: Actor, _table: str, _permission: str, _kept: Mapping[str, Any], _now: datetime
) -> None:
    return None


@dataclass(frozen=True, kw_only=True)
class Connection:
    """What the grid gets from its host: sessions, the clock (aware), and the person as of now.

    `who` gets the actor that the page knew and returns the same person as of now, or None if they may no
    longer be here: fragments and callbacks run without the page, and ask again.
    `exported` writes down, in the session it gets, that the actor made a file of a table by a permission: its
    format, rows and view. `offer` takes such a file and answers with the address where this person can fetch
    it, under the name given and as long as they may do what the file needs; without one the file is sent through
    memory. `keeping` keeps views under a name and the columns that a person hides; without it nobody is offered to.
    `runs` keeps how far actions of more than one step came; without it that goes with the session.
    """

    reading: Sessions
    writing: Sessions
    now: Callable[[], datetime]
    who: Callable[[Actor], Actor | None] = _as_they_are
    exported: Exported = _not_kept
    offer: Offer | None = None
    keeping: Keeping | None = None
    runs: Runs | None = None


class Site:
    """Where tables are registered. `words` are the labels of fields that many tables share.

    `pages` are what can be permitted: a table that names anything else is refused.
    """

    def __init__(self, words: Mapping[str, Says] | None = None, pages: Catalogue | None = None) -> None:
        self.pages = pages
        self.words: Mapping[str, Says] = MappingProxyType(dict(words or {}))
        self._tables: dict[str, TableConfig] = {}
        self._connection: Connection | None = None
        self._apart: dict[str, Connection] = {}

    def register(self, config: TableConfig) -> TableConfig:
        """The table, checked and known to the site. Raises `Misconfigured` with every fault it has."""
        known = config
        faults = misshapen(config)
        if not faults:
            # What is of the wrong kind cannot be looked at any further.
            known = completed(replace(config, site=self))
            faults = [*check(known), *(undeclared(known, self.pages) if self.pages is not None else ())]
        if config.name in self._tables:
            faults = [f"{config.name}: name is taken by another table. Give each table a name of its own.", *faults]
        if faults:
            raise Misconfigured(says("{faults}", faults="\n".join(faults)))
        kinds = {column.name: column.kind for column in known.columns if not column.computed}
        known = replace(known, filters=tuple(one.as_shown(kinds.get(one.source)) for one in known.filters))
        self._tables[config.name] = known
        return known

    @property
    def tables(self) -> Mapping[str, TableConfig]:
        """Every registered table by name, in the order of registration."""
        return MappingProxyType(self._tables)

    def connect(
        self,
        *tables: str,
        reading: Sessions,
        writing: Sessions,
        now: Callable[[], datetime],
        who: Callable[[Actor], Actor | None] = _as_they_are,
        exported: Exported = _not_kept,
        offer: Offer | None = None,
        keeping: Keeping | None = None,
        runs: Runs | None = None,
    ) -> None:
        """Give the grid what a `Connection` has, once, at the start. With `tables`: for those, which live elsewhere."""
        made = Connection(
            reading=reading,
            writing=writing,
            now=now,
            who=who,
            exported=exported,
            offer=offer,
            keeping=keeping,
            runs=runs,
        )
        self._apart |= dict.fromkeys(tables, made)
        if not tables:
            self._connection = made

    def connection(self, table: str) -> Connection:
        """What `connect` was given for that table. Raises `Misconfigured` before that."""
        found = self._apart.get(table, self._connection)
        if found is None:
            raise Misconfigured(says("The tables are not connected. Call site.connect(...) at the start of the app."))
        return found
