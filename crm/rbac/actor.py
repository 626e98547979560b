"""Who acts, and what they were granted. Pure values: no database, no clock."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from enum import IntEnum
from types import MappingProxyType

from crm.errors import NotAllowed
from crm.i18n import says


class Reach(IntEnum):
    """How far a granted action goes: own rows, the department's, all. Not granted is no entry at all."""

    OWN = 1
    DEPARTMENT = 2
    ALL = 3


# "page.action" -> reach. What is not in it is denied.
Grants = Mapping[str, Reach]


def merge(many: Iterable[Grants]) -> Grants:
    """The grants of somebody with several roles: for each action the farthest reach wins.

    Nothing in, nothing granted; no role can take away what another gives.
    """
    merged: dict[str, Reach] = {}
    for grants in many:
        for action, reach in grants.items():
            merged[action] = max(reach, merged.get(action, reach))
    return MappingProxyType(merged)


def covers(mine: Grants, theirs: Grants) -> bool:
    """Whether everything in `theirs` is in `mine` too, and as far: nobody gives away what they do not have."""
    return all(mine.get(action, 0) >= reach for action, reach in theirs.items())


@dataclass(frozen=True, slots=True)
class Actor:
    """The person (or the system) on whose behalf a service works.

    `owner_id` is what rows of one's own carry, `department` the code of one's department.
    `account_id` is None only for the system itself. `seeing_as` is the role whose eyes the person looks
    through (its stored title): then `grants` are only what looks, and `shown` is what else the role may do. That
    opens what is there to be seen by whoever may do it, see `looking`, and nothing is done by it.
    """

    account_id: int | None
    name: str
    grants: Grants = field(default_factory=dict)
    roles: tuple[str, ...] = ()
    owner_id: int | None = None
    department: int | None = None
    address: str = ""
    seeing_as: str = ""
    shown: Grants = field(default_factory=dict)

    def looking(self) -> "Actor":
        """The same person for what only reads: through the eyes of a role, all that the role may do counts here.

        Whatever does not ask for this is refused to them, so that what was forgotten is refused as well.
        """
        return replace(self, grants=merge([self.grants, self.shown])) if self.shown else self

    def reach(self, action: str) -> Reach | None:
        """How far `action` ("page.action") goes for this person; None is denied."""
        return self.grants.get(action)

    def may(self, action: str) -> bool:
        """Whether the action is granted at all, on whatever rows."""
        return action in self.grants

    def require(self, action: str) -> None:
        """Raises `NotAllowed` unless the action is granted at all."""
        if action not in self.grants:
            raise NotAllowed(says("You are not allowed to do this ({action}).", action=action), action)

    def require_to_be_oneself(self, action: str = "") -> None:
        """Raises `NotAllowed` while the person looks through the eyes of a role: for what needs no permission."""
        if self.seeing_as:
            raise NotAllowed(
                says("You are looking through the eyes of a role. Go back to yourself to change anything."), action
            )


def narrowed(mine: Grants, theirs: Grants, only: Callable[[str], bool]) -> tuple[Grants, Grants]:
    """What both grant, as far as the nearer of the two reaches: the actions that `only` lets pass, and the others.

    However `theirs` may look, it never widens `mine`.
    """
    both = {name: min(reach, theirs[name]) for name, reach in mine.items() if name in theirs}
    passed = {name: reach for name, reach in both.items() if only(name)}
    return MappingProxyType(passed), MappingProxyType({name: both[name] for name in both if name not in passed})
