"""What every declaration is: frozen, and made also with an option that there is not, so that the table can name it.

The table's name is known only where it is registered. A misspelt option waits for that in `strange`.
"""

from abc import ABCMeta
from dataclasses import fields
from typing import Any, ClassVar

from crm.errors import Misconfigured
from crm.i18n import says


class _Made(ABCMeta):
    """How declarations are made."""

    def __call__(cls, *args: Any, **options: Any) -> Any:
        try:
            return super().__call__(*args, **options)
        except TypeError as error:
            own = {one.name for one in fields(cls) if one.init}  # type: ignore[arg-type]
            strange = tuple(name for name in options if name not in own)
            try:
                if not strange:
                    raise
                made = super().__call__(*args, **{name: value for name, value in options.items() if name in own})
            except TypeError:
                named = next((repr(one) for one in (*args, options.get("name")) if isinstance(one, str)), "")
                raise Misconfigured(says("{faults}", faults=f"{cls.__name__} {named}: {error}")) from error
        object.__setattr__(made, "strange", strange)
        return made


class Declared(metaclass=_Made):
    """The root of every declaration. `strange` are options that were given and that there are not."""

    strange: ClassVar[tuple[str, ...]] = ()
