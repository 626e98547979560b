"""What people type into the fields of a customer, made uniform, so that equal things are equal.

Each function takes a cell as a form or a spreadsheet gives it (text, number, date, nothing), returns
the value to store or None where nothing was entered, and raises `Wrong` that says what to do instead.
What it returns it also takes, and returns unchanged.
"""

import re
from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from typing import TypeVar

from crm.domain.base import Choice
from crm.errors import ThanosError
from crm.i18n import Says, says

Cell = str | int | float | bool | date | time | timedelta | None
Chosen = TypeVar("Chosen", bound=Choice)

MAX_SALARY = 10_000_000

# Full-width forms of ASCII and the ideographic space, as Chinese input methods write them.
_HALF = {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)} | {0x3000: 0x20}
_HALF_LETTERS = {code: half for code, half in _HALF.items() if chr(half).isalnum() or half == 0x20}
# Control and formatting characters, lone surrogates and non-characters: invisible, or impossible to store.
_INVISIBLE = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\xad\u061c\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"
    "\ufffe\uffff\ud800-\udfff]"
)
_ESCAPED = re.compile(r"'[=+\-@\t\r]")
_MOBILE = re.compile(r"1[3-9][0-9]{9}")
_FIXED = re.compile(r"0(?:10|2[0-9])[0-9]{8}|0[3-9][0-9]{2}[0-9]{7,8}|[48]00[0-9]{7}")
_FOREIGN = re.compile(r"\+(?!86)[1-9][0-9]{6,14}")
_BEGINNING = re.compile(r"\+?[0-9]*")
_PHONE_MARKS = re.compile(r"[\s'().\-‐‑‒–—―−·]")
_QQ = re.compile(r"[1-9][0-9]{4,11}")
_QQ_MAIL = re.compile(r"@qq[.]com\s*$", re.IGNORECASE)
_EMAIL = re.compile(r"[^@\s,;:<>()\[\]\"']{1,64}@(?:[\w-]+\.)+[\w-]{2,}")
_SHORTENED = re.compile(r"[0-9]([.][0-9]*)?[eE][+]?[0-9]+")
_WHOLE = re.compile(r"(-?[0-9]+)[.]0+")
_SALARY = re.compile(r"([0-9]+(?:[.][0-9]+)?)([k千w万]?)")
_TIMES = {"": 1, "k": 1_000, "千": 1_000, "w": 10_000, "万": 10_000}


class Wrong(ThanosError, ValueError):
    """A value that cannot be understood. `says` tells what to enter instead."""


def half_width(text: str) -> str:
    """The text with full-width letters, digits, marks and spaces as the half-width ones."""
    return text if text.isascii() else text.translate(_HALF)


def written(cell: Cell) -> str:
    """A cell as the text somebody meant: whole numbers without the `.0` of spreadsheets, nothing as "".

    Raises `Wrong` for dates and truth values, which a spreadsheet makes of things that were meant otherwise.
    """
    if type(cell) is str:
        return cell[1:] if cell[:1] == "'" and _ESCAPED.match(cell) else cell
    if cell is None:
        return ""
    if isinstance(cell, bool):
        raise Wrong(says("This is a yes-or-no value. Format the cell as text and type it again."))
    if isinstance(cell, float):
        return str(int(cell)) if cell.is_integer() else repr(cell)
    if isinstance(cell, int):
        return str(cell)
    if isinstance(cell, str):
        return str(cell)
    shown = cell.date() if isinstance(cell, datetime) and cell.time() == time() else cell
    raise Wrong(
        says(
            "The spreadsheet holds a date here ({value}). Format the cell as text and type it again.", value=str(shown)
        )
    )


def line(cell: Cell, longest: int) -> str | None:
    """One line of free text, at most `longest` characters."""
    text = written(cell)
    if not text.isprintable():
        text = _INVISIBLE.sub("", text)
    text = " ".join(text.split())
    return _fitting(text, longest)


def lines(cell: Cell, longest: int) -> str | None:
    """Free text of many lines, at most `longest` characters. A date is welcome here."""
    if isinstance(cell, date | time | timedelta):
        cell = str(cell)
    return _fitting(visible(written(cell)), longest)


def visible(text: str) -> str:
    """What can be read of a text of many lines: no space around it, and no sign that is invisible or cannot be kept."""
    if not text.isprintable():
        text = _INVISIBLE.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))
    return text.strip()


def name(cell: Cell, longest: int = 64) -> str | None:
    """A person's name: one line that has a letter in it."""
    text = line(cell, longest)
    if text is None:
        return None
    if not text.isascii():
        text = " ".join(text.translate(_HALF_LETTERS).split())
    if not text.isalpha() and not any(map(str.isalpha, text)):
        raise Wrong(says("{value} is not a name: it has no letter.", value=_short(text)))
    return text


def phone(cell: Cell) -> str | None:
    """A phone number: digits only; with `+` and the country's number where it is not a Chinese one."""
    text = _digits(cell)
    if not text or _MOBILE.fullmatch(text):
        return text or None
    number = "+" + text[2:] if text.startswith("00") else text
    if number.startswith("+86"):
        number = number[3:]
        if not _MOBILE.fullmatch(number) and not number.startswith("0"):
            number = "0" + number
    elif len(number) == 13 and number.startswith("86"):
        number = number[2:]
    if _MOBILE.fullmatch(number) or _FIXED.fullmatch(number) or _FOREIGN.fullmatch(number):
        return number
    raise Wrong(
        says(
            "{value} is not a phone number. Enter 11 digits that begin with 1, a landline with its area code, "
            "or + and the country's number.",
            value=_short(text),
        )
    )


def digits_typed(text: str) -> str:
    """The beginning of a phone or QQ number as somebody types or pastes it to search, as it would be stored.

    Empty where no number begins like that, so that nobody looks among numbers for a name.
    """
    bare = _PHONE_MARKS.sub("", half_width(text))
    for prefix in ("+86", "0086"):
        bare = bare.removeprefix(prefix)
    return bare if _BEGINNING.fullmatch(bare) else ""


def qq(cell: Cell) -> str | None:
    """A QQ number: 5 to 12 digits, the first not 0. Its mail address at qq.com is understood too."""
    text = _digits(_QQ_MAIL.sub("", cell) if isinstance(cell, str) else cell)
    if not text or _QQ.fullmatch(text):
        return text or None
    raise Wrong(says("{value} is not a QQ number. Enter 5 to 12 digits.", value=_short(text)))


def wechat(cell: Cell) -> str | None:
    """A WeChat name: at most 64 characters without a space."""
    text = _plain(cell)
    if not text:
        return None
    if any(map(str.isspace, text)):
        raise Wrong(says("{value} is not a WeChat name: it has a space in it.", value=_short(text)))
    return _fitting(text, 64)


def email(cell: Cell) -> str | None:
    """A mail address, in small letters, at most 254 characters."""
    text = _plain(cell).lower()
    if not text:
        return None
    if not _EMAIL.fullmatch(text):
        raise Wrong(says("{value} is not an email address. Enter one like name@example.com.", value=_short(text)))
    return _fitting(text, 254)


def salary(cell: Cell) -> int | None:
    """Whole yuan a month. Understands ¥, 元, separators of thousands, k and 万."""
    if type(cell) is float and cell.is_integer() and 0 <= cell <= MAX_SALARY:
        return int(cell)
    text = _plain(cell).lower()
    if not text:
        return None
    bare = re.sub(r"[\s,¥￥]|元|rmb|cny|/?每?月", "", text)
    found = _SALARY.fullmatch(bare)
    amount = round(float(found[1]) * _TIMES[found[2]], 4) if found and len(found[1]) <= 20 else -1
    if amount != int(amount) or not 0 <= amount <= MAX_SALARY:
        raise Wrong(
            says(
                "{value} is not a salary. Enter whole yuan a month, from 0 to {most}.",
                value=_short(text),
                most=MAX_SALARY,
            )
        )
    return int(amount)


def choice(cell: Cell, readings: Mapping[str, Chosen], allowed: Says) -> Chosen | None:
    """One of a closed set. `readings` maps each accepted spelling (as `spelling()` makes it) to its member;
    `allowed` lists them for whoever entered something else."""
    text = written(cell)
    if not text:
        return None
    found = readings.get(text) or readings.get(spelling(text))
    if found is not None:
        return found
    if not spelling(text):
        return None
    raise Wrong(says("{value} is not known here. Use one of: {allowed}.", value=_short(text), allowed=allowed))


def spelling(text: str) -> str:
    """A text by which spellings are compared: half-width, small letters, no spaces, no `.0` of spreadsheets."""
    bare = "".join(half_width(_INVISIBLE.sub("", text)).lower().split())
    whole = _WHOLE.fullmatch(bare)
    return whole[1] if whole else bare


def _plain(cell: Cell) -> str:
    text = written(cell)
    if text.isascii() and text.isprintable():
        return text.strip()
    return half_width(_INVISIBLE.sub("", text)).strip()


def _digits(cell: Cell) -> str:
    text = written(cell)
    if text.isdigit() and text.isascii():
        return text
    text = _plain(text)
    whole = _WHOLE.fullmatch(text)
    if whole:
        return whole[1]
    if _SHORTENED.fullmatch(text):
        raise Wrong(
            says(
                "The spreadsheet shortened this number to {value}. Format the cell as text and type it again.",
                value=text,
            )
        )
    return _PHONE_MARKS.sub("", text)


def _fitting(text: str, longest: int) -> str | None:
    # The guard of an exported text stands first only now, if a space or an invisible sign stood before it.
    while _ESCAPED.match(text):
        text = text[1:].strip()
    if len(text) > longest:
        raise Wrong(
            says(
                "This text has {count} characters; {longest} are the most. Shorten it.",
                count=len(text),
                longest=longest,
            )
        )
    return text or None


def _short(text: str) -> str:
    return text if len(text) <= 40 else text[:39] + "…"
