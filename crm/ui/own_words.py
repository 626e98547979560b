"""Streamlit's own words in the reader's language. It has no option for them, so a style puts others in their place."""

import json
from collections.abc import Mapping

import streamlit as st

from crm.i18n import language, says

# What a box says while one types. Beside it stands a counter, which has a style of its own.
_TYPING = '[data-testid="InputInstructions"] > span.st-emotion-cache-0'
_AREA, _FORM = '[data-testid="stTextArea"]', '[data-testid="stForm"]'
_SMALL, _USUAL = "0.75rem", "0.875rem"
_WORDS = (
    (_TYPING, says("Press Enter to apply"), _SMALL),
    (f"{_FORM} {_TYPING}", says("Press Enter to submit"), _SMALL),
    (f"{_AREA} {_TYPING}", says("Press Ctrl+Enter to apply"), _SMALL),
    (f"{_FORM} {_AREA} {_TYPING}", says("Press Ctrl+Enter to submit"), _SMALL),
    ('[data-testid="stSkipToContent"]', says("Skip to the content"), _USUAL),
    ('[role="option"][data-key="__select_all__"] > div', says("All of them"), _USUAL),
    ('[role="listbox"][data-empty] [role="option"] > span', says("Nothing found."), _USUAL),
)
"""Place, by CSS selector, and what is read there. The menu of a column stays English: none can tell its lines apart."""


def own_words() -> None:
    """Puts the words that any page may show into the reader's language."""
    _style("".join(_instead(place, str(words), size) for place, words, size in _WORDS))


def instead_of(words: Mapping[str, str]) -> None:
    """Shows these words in the places, by CSS selector, in place of English ones. Not for who reads English."""
    _style("".join(_instead(place, said, _USUAL) for place, said in words.items()))


def _style(rules: str) -> None:
    if language() != "en":
        st.html(f"<style>{rules}</style>")


def _instead(place: str, words: str, size: str) -> str:
    # JSON writes a string as CSS reads one, but for "<", which would end the style.
    said = json.dumps(words, ensure_ascii=False).replace("<", "\\3c ")
    return f"{place} {{ font-size: 0; }} {place}::after {{ content: {said}; font-size: {size}; }}"
