"""Values on their way in and out: what a cell shows, and what a person typed read by the field's kind."""

import math
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import Enum as PyEnum
from typing import Any
from zoneinfo import ZoneInfo

from crm.errors import ThanosError
from crm.grid.fields import LARGEST, Fact, Kind, Model, label_of
from crm.grid.model_rules import why_not
from crm.i18n import says, show

# Read into the same values.
ALIKE: Mapping[Kind, Kind] = {"money": "number", "long": "text"}


class Wrong(ThanosError):
    """A value that its field cannot take. The message stands beside the cell or the input."""


@dataclass(frozen=True)
class Rule:
    """How one field reads what was typed: its kind, and its bounds where the model gives any.

    `field` is the model's field of that kind, which has the last word.
    """

    kind: Kind
    required: bool = False
    length: int | None = None
    least: float | None = None
    most: float | None = None
    choices: tuple[PyEnum, ...] = ()
    field: tuple[Model, str] | None = None

    @classmethod
    def of(cls, fact: Fact, kind: Kind | None = None) -> "Rule":
        """The rule that the model's field declares, read as another `kind` where one is given (money)."""
        same = kind is None or ALIKE.get(kind, kind) == ALIKE.get(fact.kind, fact.kind)
        field = (fact.model, fact.name) if same and fact.model is not None else None
        return cls(kind or fact.kind, fact.required, fact.length, fact.least, fact.most, fact.choices, field)


def read_value(rule: Rule, raw: Any, zone: ZoneInfo) -> Any:
    """What was typed or sent, as the field holds it; empty is None. Raises `Wrong`.

    Money is typed in whole units and held in cents. A moment without a zone is one in `zone`.
    """
    if raw is None or (isinstance(raw, str) and not raw.strip()) or (isinstance(raw, float) and math.isnan(raw)):
        if rule.required:
            raise Wrong(says("This must not be empty."))
        return None
    try:
        value = _read(rule, raw, zone)
    except (ValueError, TypeError, OverflowError):
        raise Wrong(says("{value} cannot be read here.", value=str(raw)[:40])) from None
    if rule.kind in ("number", "decimal", "money") or (rule.kind == "relation" and isinstance(value, int)):
        _within(rule, value)
    return value


def accepted(rule: Rule, raw: Any, zone: ZoneInfo) -> Any:
    """What was typed or sent, read, and taken by the model's own field too. Raises `Wrong`."""
    value = read_value(rule, raw, zone)
    if value is not None and rule.field is not None:
        why = why_not(*rule.field, value, unit=100 if rule.kind == "money" else 1)
        if why is not None:
            raise Wrong(why)
    return value


def plain_text(text: str) -> str:
    """The text without what no field can hold: control characters (but line breaks and tabs) and broken ones."""
    return "".join(sign for sign in text if sign in "\n\t" or unicodedata.category(sign) not in ("Cc", "Cs"))


def written_value(kind: Kind, value: Any) -> Any:
    """The value as an editable cell holds it: plain, and equal to what comes back untouched."""
    if value is None:
        return None
    if kind == "money":
        return value / 100
    return value.value if isinstance(value, PyEnum) else value


def shown_value(kind: Kind, value: Any) -> str:
    """The value as text in the reader's language."""
    if value is None:
        return ""
    if isinstance(value, PyEnum):
        return str(label_of(value))
    if kind == "money":
        return f"{value / 100:,.2f}"
    return show(value)


def _read(rule: Rule, raw: Any, zone: ZoneInfo) -> Any:
    match rule.kind:
        case "text" | "long":
            return _text(raw, rule.length)
        case "number":
            return _whole(raw)
        case "decimal":
            return _decimal(raw)
        case "money":
            return _cents(raw)
        case "date":
            return _date(raw)
        case "moment":
            moment = raw if isinstance(raw, datetime) else datetime.fromisoformat(str(raw))
            return (moment if moment.tzinfo else moment.replace(tzinfo=zone)).astimezone(UTC)
        case "choice":
            return _choice(raw, rule.choices)
        case "relation":
            return raw if isinstance(raw, str) else _whole(raw)
        case "yes_no":
            if not isinstance(raw, bool):
                raise ValueError
            return raw


def _text(raw: Any, length: int | None) -> str:
    if not isinstance(raw, str | int) or isinstance(raw, bool):
        raise ValueError
    text = plain_text(str(raw)).strip()
    if length is not None and len(text) > length:
        raise Wrong(says("At most {count} characters fit here.", count=length))
    return text


def _whole(raw: Any) -> int:
    if isinstance(raw, bool) or (isinstance(raw, float) and not raw.is_integer()):
        raise ValueError
    return int(raw)


def _decimal(raw: Any) -> float:
    number = float(raw)
    if isinstance(raw, bool) or not math.isfinite(number):
        raise ValueError
    return number


def _cents(raw: Any) -> int:
    """Exact, because half a cent too much in one place is a cent too much in the sum."""
    _decimal(raw)
    # An input that counts up by hundredths leaves traces far behind the point.
    exact = Decimal(str(round(raw, 6) if isinstance(raw, float) else raw).strip()) * 100
    if exact != exact.to_integral_value():
        raise Wrong(says("At most two decimals fit here."))
    return int(exact)


def _date(raw: Any) -> date:
    if isinstance(raw, datetime):
        return raw.date()
    # An editor says a day with or without its midnight.
    return raw if isinstance(raw, date) else datetime.fromisoformat(str(raw)).date()


def _choice(raw: Any, choices: tuple[PyEnum, ...]) -> PyEnum:
    for choice in choices:
        if raw in (choice, choice.value):
            return choice
    raise Wrong(says("{value} is not one of the choices.", value=str(raw)[:40]))


def _within(rule: Rule, value: float) -> None:
    unit = 100 if rule.kind == "money" else 1
    least = rule.least if rule.least is not None or rule.kind == "decimal" else -LARGEST
    if least is not None and value < least:
        raise Wrong(says("At least {least}.", least=_tidy(least / unit)))
    most = rule.most if rule.most is not None or rule.kind == "decimal" else LARGEST
    if most is not None and value > most:
        raise Wrong(says("At most {most}.", most=_tidy(most / unit)))


def _tidy(number: float) -> int | float:
    return int(number) if float(number).is_integer() else number
