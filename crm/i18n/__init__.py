"""Texts in the reader's language.

`says()` makes a text that waits for its reader: declarations, rules, errors and stored
reasons use it. `_()` renders at once, for pages and widgets. Both take the English text as key.
"""

from crm.i18n.catalogue import LANGUAGES, Language, as_language
from crm.i18n.reader import (
    _,
    labelled,
    language,
    listed,
    literal,
    local_time,
    marked,
    read_in,
    reader_language,
    set_reader,
    show,
)
from crm.i18n.text import Says, SaysValue, says, says_n

__all__ = [
    "LANGUAGES",
    "Language",
    "Says",
    "SaysValue",
    "_",
    "as_language",
    "labelled",
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
