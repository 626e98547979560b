"""What can be permitted at all: the pages a host declares, and the actions on each.

A permission's name is "page.action". Whoever grants one that was never declared is told so,
because a misspelt grant would otherwise deny in silence.
"""

import difflib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from crm.errors import Misconfigured
from crm.i18n import Says, says
from crm.rbac.actor import Grants, Reach


@dataclass(frozen=True, slots=True)
class Page:
    """One page of the host: its `name` (also its URL), its title, and its actions with theirs.

    `looks` names those that only show something, beside "view". All others are taken to change something.
    """

    name: str
    title: Says
    actions: Mapping[str, Says]
    looks: tuple[str, ...] = ()

    def permissions(self) -> tuple[str, ...]:
        """The full names: "books.view", "books.edit", ..."""
        return tuple(f"{self.name}.{action}" for action in self.actions)


class Catalogue:
    """Every page that was declared, in order. Raises `Misconfigured` when a page is declared twice."""

    def __init__(self, pages: Iterable[Page]) -> None:
        self.pages: dict[str, Page] = {}
        for page in pages:
            if page.name in self.pages:
                raise Misconfigured(says("Page {name!r} is declared twice.", name=page.name))
            for one in page.looks:
                if one not in page.actions:
                    raise Misconfigured(says("Page {name!r} has no action {action!r}.", name=page.name, action=one))
            self.pages[page.name] = page
        self.permissions = tuple(name for page in self.pages.values() for name in page.permissions())

    def __iter__(self) -> Iterator[Page]:
        return iter(self.pages.values())

    def only_looks(self, permission: str) -> bool:
        """Whether the permission only shows something, as far as is declared."""
        page, _, action = permission.partition(".")
        return permission in self.permissions and (action == "view" or action in self.pages[page].looks)

    def check(self, permission: str) -> str:
        """The same name, if it is declared. Raises `Misconfigured` with the nearest name otherwise."""
        if permission in self.permissions:
            return permission
        near = difflib.get_close_matches(permission, self.permissions, n=1, cutoff=0.3)
        if near:
            why = says("Permission {name} is not declared. Did you mean {near}?", name=permission, near=near[0])
        else:
            why = says("Permission {name} is not declared. Declare it, or name one that is.", name=permission)
        raise Misconfigured(why)

    def grants(self, granted: Mapping[str, Reach]) -> Grants:
        """Grants written down shortly: "page.*" stands for every action of the page that is not named itself.

        Raises `Misconfigured` when a page or an action was never declared.
        """
        starred: dict[str, Reach] = {}
        named: dict[str, Reach] = {}
        for name, reach in granted.items():
            page, _, action = name.partition(".")
            if action == "*" and page in self.pages:
                starred.update(dict.fromkeys(self.pages[page].permissions(), reach))
            else:
                named[self.check(name)] = reach
        return MappingProxyType({**starred, **named})

    def everything(self) -> Grants:
        """Every declared action, on all rows."""
        return MappingProxyType(dict.fromkeys(self.permissions, Reach.ALL))
