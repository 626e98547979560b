"""Who reads: the language and the time zone of the person that this run serves.

Kept in context variables, so that two people served at once never share them.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

from babel.numbers import format_decimal

from crm.i18n.catalogue import Language, catalogue
from crm.i18n.text import Says, SaysValue, says, says_n

_SPECIAL = re.compile(r"[\\`*_\[\]!<>$~#|&{}^]|^[-+=]")
# Streamlit draws pictures for names between colons after it has read the markdown: escaping does not reach that.
_PICTURED = re.compile(r":(?!\d\d:)(?=[\w+/-]+:)", re.ASCII)
WORD_JOINER = "\u2060"

LOCALES: Mapping[Language, str] = {"en": "en_GB", "zh": "zh_Hans_CN"}

COMMAS: Mapping[Language, str] = {"en": ", ", "zh": "、"}
COLONS: Mapping[Language, str] = {"en": ": ", "zh": "："}

reader_language: ContextVar[Language] = ContextVar("reader_language", default="en")
reader_zone: ContextVar[ZoneInfo | None] = ContextVar("reader_zone", default=None)


def language() -> Language:
    """The language of this run's reader."""
    return reader_language.get()


def set_reader(language: Language, zone: ZoneInfo | None = None) -> None:
    """From here on this run speaks `language` and shows moments in `zone` (the school's)."""
    reader_language.set(language)
    if zone is not None:
        reader_zone.set(zone)


@contextmanager
def read_in(language: Language) -> Iterator[None]:
    """Render in another language for a while: a notice for somebody else, a file."""
    token = reader_language.set(language)
    try:
        yield
    finally:
        reader_language.reset(token)


def _(text: str, /, **values: SaysValue) -> str:
    """The text in the reader's language, now. For pages; declarations use `says`."""
    return render(says(text, **values))


def local_time(moment: datetime) -> datetime:
    """A moment (aware; naive is taken as UTC) on the school's clock."""
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return aware.astimezone(reader_zone.get() or UTC)


def show(value: SaysValue | bool) -> str:
    """One value as the reader writes it: numbers, dates, moments in the school's time zone, texts."""
    if value is None:
        return ""
    if isinstance(value, Says):
        return render(value)
    if isinstance(value, bool):
        return render(says("Yes") if value else says("No"))
    # Dates and whole numbers look the same in both languages. A page shows hundreds of them, and the patterns of a
    # locale cost twenty times as much as this.
    if isinstance(value, datetime):
        return f"{local_time(value):%Y-%m-%d %H:%M}"
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, float):
        return format_decimal(value, locale=LOCALES[language()])
    return str(value)


def listed(things: Iterable[object]) -> str:
    """Several things in one line, with the comma that the reader's language puts between them."""
    return COMMAS[language()].join(map(str, things))


def labelled(label: object, text: object) -> str:
    """A text behind what it is of, with the colon that the reader's language puts between them."""
    return f"{label}{COLONS[language()]}{text}"


def literal(text: str) -> str:
    """The text for a place where markdown is drawn: every sign means itself, on one line."""
    apart = _PICTURED.sub(":" + WORD_JOINER, " ".join(text.split()))
    return _SPECIAL.sub(r"\\\g<0>", apart)


def marked(text: Says) -> str:
    """The text where markdown is drawn: the marks of the sentence count, those in what fills it do not.

    Names, notes and files come from strangers: what one of them typed must be no link, picture or formula.
    """
    return render(text, literal)


def render(text: Says, dress: Callable[[str], str] = str) -> str:
    """The text in the reader's language, its places filled. A place without a value stays visible.

    `dress` is done to each value that is a text.
    """
    if not text.text:
        return ""
    translations = catalogue(language())
    values = dict(text.values)
    if text.plural is None:
        pattern = translations.gettext(text.text)
    else:
        pattern = translations.ngettext(text.text, text.plural, int(values.get("count") or 0))  # type: ignore[arg-type]
    if not values:
        return pattern
    return pattern.format_map(
        _Shown(
            {
                name: render(value, dress)
                if isinstance(value, Says)
                else dress(value)
                if isinstance(value, str)
                else show(value)
                for name, value in values.items()
            }
        )
    )


class _Shown(dict[str, str]):
    def __missing__(self, name: str) -> str:
        return "{" + name + "}"


__all__ = [
    "Says",
    "_",
    "language",
    "listed",
    "literal",
    "local_time",
    "marked",
    "read_in",
    "reader_language",
    "says",
    "says_n",
    "set_reader",
    "show",
]
