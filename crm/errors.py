"""Errors whose message is fit for the screen and the terminal.

Every error a person may meet names place, value and remedy. The message is a `Says`,
so it is rendered in the language of whoever reads it.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import NamedTuple

from crm.i18n import Says, says


class Denial(NamedTuple):
    """What somebody was kept from: the permission they used ("page.action"), and the row where it was one."""

    action: str
    key: int | None = None


_heard: ContextVar[list[Denial] | None] = ContextVar("denials", default=None)


@contextmanager
def hearing_denials() -> Iterator[list[Denial]]:
    """Everything that is denied inside, also where somebody catches it and makes it a sentence beside a cell."""
    denials: list[Denial] = []
    token = _heard.set(denials)
    try:
        yield denials
    finally:
        _heard.reset(token)


def deny(action: str, key: object = None) -> Denial | None:
    """Lets whoever listens hear of a denial, which need not be raised: one row out of many. None without an action."""
    if not action:
        return None
    denial = Denial(action, key if isinstance(key, int) else None)
    heard = _heard.get()
    if heard is not None:
        heard.append(denial)
    return denial


class Told(NamedTuple):
    """What was done to one row out of many, where a person is told more of it than that it was done."""

    says: Says


class ThanosError(Exception):
    """The root of every error that a person may read. `says` is the whole message."""

    def __init__(self, message: Says) -> None:
        super().__init__(message)
        self.says = message

    @property
    def why(self) -> Says:
        """The sentence for where only one is said."""
        return self.says

    def __str__(self) -> str:
        return str(self.says)


class Refused(ThanosError):
    """This person may not do this, or the rules forbid it now. Nothing was written."""


class NotAllowed(Refused):
    """A permission is missing: `action`, on the row `key` where it was one. Heard by `hearing_denials`."""

    def __init__(self, message: Says, action: str = "", key: object = None) -> None:
        super().__init__(message)
        self.denial = deny(action, key)


class NotFound(ThanosError):
    """No such row, or none that this person may know of: the two are not told apart.

    With the permission that was used it is heard by `hearing_denials`, as somebody may have tried a stranger's row.
    """

    def __init__(self, message: Says, action: str = "", key: object = None) -> None:
        super().__init__(message)
        self.denial = deny(action, key)


class Conflict(ThanosError):
    """Somebody else changed the row since it was seen. Carries both values.

    `theirs` maps each contested field to the value now in the database.
    """

    def __init__(self, message: Says, theirs: dict[str, object] | None = None) -> None:
        super().__init__(message)
        self.theirs = theirs or {}


class Invalid(ThanosError):
    """Values that cannot be saved. `fields` maps a field's name to its own message."""

    def __init__(self, message: Says, fields: dict[str, Says] | None = None) -> None:
        super().__init__(message)
        self.fields = fields or {}

    @property
    def why(self) -> Says:
        """What is wrong with the first field, instead of how many are."""
        return next(iter(self.fields.values()), self.says)

    @classmethod
    def of(cls, fields: dict[str, Says]) -> "Invalid":
        """One error out of many field messages; the first one speaks for all."""
        first = next(iter(fields.values()))
        return cls(first if len(fields) == 1 else says("{count} fields need attention.", count=len(fields)), fields)


class Unreadable(ThanosError):
    """A file that cannot be read at all."""


class Unavailable(ThanosError):
    """Something the app stands on (database, disk, a newer schema) is not there."""


class Misconfigured(ThanosError):
    """A setting or a declaration is wrong. Names it, its value and the remedy."""
