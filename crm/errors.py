"""Errors whose message is fit for the screen and the terminal.

Every error a person may meet names place, value and remedy. The message is a `Says`,
so it is rendered in the language of whoever reads it.
"""

from crm.i18n import Says, says


class ThanosError(Exception):
    """The root of every error that a person may read. `says` is the whole message."""

    def __init__(self, message: Says) -> None:
        super().__init__(message)
        self.says = message

    def __str__(self) -> str:
        return str(self.says)


class Refused(ThanosError):
    """This person may not do this, or the rules forbid it now. Nothing was written."""


class NotAllowed(Refused):
    """A permission is missing. Recorded in the audit log by whoever catches it last."""


class NotFound(ThanosError):
    """No such row, or none that this person may know of: the two are not told apart."""


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
