"""The catalogues: `zh.po` read at first use, so that nothing compiled is kept in the repository."""

from functools import cache
from gettext import GNUTranslations, NullTranslations
from io import BytesIO
from pathlib import Path
from typing import Literal, get_args

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

Language = Literal["en", "zh"]
LANGUAGES: tuple[Language, ...] = get_args(Language)
HERE = Path(__file__).parent


def as_language(tag: str | None) -> Language:
    """The language of a browser's or a setting's tag: every `zh-...` is Chinese, all else English."""
    return "zh" if (tag or "").lower().startswith("zh") else "en"


@cache
def catalogue(language: Language) -> NullTranslations:
    """The translations of one language. English is the key itself and needs no file."""
    if language == "en":
        return NullTranslations()
    with (HERE / f"{language}.po").open("rb") as file:
        parsed = read_po(file, locale=language)
    compiled = BytesIO()
    write_mo(compiled, parsed)
    compiled.seek(0)
    return GNUTranslations(compiled)
