"""Who reads: the language and the time zone of the person that this run serves.

Kept in context variables, so that two people served at once never share them.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

from babel.dates import format_date, format_datetime
from babel.numbers import format_decimal

from crm.i18n.catalogue import Language, catalogue
from crm.i18n.text import Says, SaysValue, says, says_n

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
    tag = {"en": "en_GB", "zh": "zh_Hans_CN"}[language()]
    if value is None:
        return ""
    if isinstance(value, Says):
        return render(value)
    if isinstance(value, bool):
        return render(says("Yes") if value else says("No"))
    if isinstance(value, datetime):
        return format_datetime(local_time(value), "yyyy-MM-dd HH:mm", locale=tag)
    if isinstance(value, date):
        return format_date(value, "yyyy-MM-dd", locale=tag)
    if isinstance(value, int | float):
        return format_decimal(value, locale=tag)
    return str(value)


def render(text: Says) -> str:
    """The text in the reader's language, its places filled. A place without a value stays visible."""
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
    return pattern.format_map(_Shown({name: show(value) for name, value in values.items()}))


class _Shown(dict[str, str]):
    def __missing__(self, name: str) -> str:
        return "{" + name + "}"


__all__ = ["Says", "_", "language", "local_time", "read_in", "reader_language", "says", "says_n", "set_reader", "show"]
