"""`Says`: a sentence and what fills it, as a value that can be compared, stored and read later."""

import json
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Union

SaysValue = Union[str, int, float, date, datetime, "Says", None]


@dataclass(frozen=True, slots=True)
class Says:
    """A text that waits for its reader. `str()` renders it in the reader's language.

    `text` is the English sentence, which is also the catalogue's key, with `{name}` places.
    `values` fill the places: plain values, dates, moments (aware), or further `Says`.
    With `plural`, the value named `count` chooses the form.
    """

    text: str
    values: tuple[tuple[str, SaysValue], ...] = ()
    plural: str | None = None

    def __str__(self) -> str:
        from crm.i18n.reader import render

        return render(self)

    def stored(self) -> str:
        """As JSON text for a column. `Says.loaded` brings it back."""
        return json.dumps(_to_json(self), ensure_ascii=False, separators=(",", ":"))

    @classmethod
    def loaded(cls, stored: str | None) -> "Says":
        """The text that `stored()` wrote. Plain text that is no JSON is taken as it is."""
        if not stored:
            return cls("")
        try:
            value = _from_json(json.loads(stored))
        except ValueError:
            return cls("{text}", (("text", stored),))
        return value if isinstance(value, Says) else cls("{text}", (("text", stored),))


def says(text: str, /, **values: SaysValue) -> Says:
    """A text for whoever reads it, in their language: `says("{name} is taken.", name=name)`."""
    return Says(text, tuple(values.items()))


def says_n(singular: str, plural: str, /, count: int, **values: SaysValue) -> Says:
    """The same with a number: `says_n("{count} row", "{count} rows", count=n)`."""
    return Says(singular, (("count", count), *values.items()), plural)


def _to_json(value: SaysValue) -> Any:
    if isinstance(value, Says):
        made: dict[str, Any] = {"says": value.text}
        if value.values:
            made["with"] = {name: _to_json(item) for name, item in value.values}
        if value.plural is not None:
            made["plural"] = value.plural
        return made
    if isinstance(value, datetime):
        return {"moment": value.isoformat()}
    if isinstance(value, date):
        return {"date": value.isoformat()}
    return value


def _from_json(value: Any) -> SaysValue:
    if isinstance(value, dict):
        if "says" in value:
            filled = tuple((name, _from_json(item)) for name, item in value.get("with", {}).items())
            return Says(str(value["says"]), filled, value.get("plural"))
        if "moment" in value:
            return datetime.fromisoformat(value["moment"])
        if "date" in value:
            return date.fromisoformat(value["date"])
        raise ValueError("not a stored text")
    return value  # type: ignore[no-any-return]
