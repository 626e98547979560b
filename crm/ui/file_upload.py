"""The widget that takes a file, in the reader's language."""

import json
from collections.abc import Sequence
from typing import Any

import streamlit as st

from crm.i18n import _, language, listed

ZONE = '[data-testid="stFileUploaderDropzone"]'
LIMITS = '[data-testid="stFileUploaderDropzoneInstructions"] span'


def file_upload(label: str, kinds: Sequence[str], megabytes: int, *, key: str, tip: str | None = None) -> Any:
    """A file of one of these `kinds` (endings without the dot) and of so many megabytes at most; None where none is.

    One a page: Streamlit's own words are English, and what others read instead is said by a style.
    """
    if language() != "en":
        ends = listed(kind.upper() for kind in kinds)
        limits = _("At most {megabytes} MB · {kinds}", megabytes=megabytes, kinds=ends)
        words = {f"{ZONE} button p": _("Choose a file"), LIMITS: limits}
        st.html(f"<style>{''.join(_instead(*one) for one in words.items())}</style>")
    return st.file_uploader(label, type=[f".{kind}" for kind in kinds], max_upload_size=megabytes, key=key, help=tip)


def _instead(place: str, words: str) -> str:
    # JSON writes a string as CSS reads one, but for "<", which would end the style.
    said = json.dumps(words, ensure_ascii=False).replace("<", "\\3c ")
    return f"{place} {{ font-size: 0; }} {place}::after {{ content: {said}; font-size: 0.875rem; }}"
