"""The widget that takes a file, in the reader's language."""

from collections.abc import Sequence
from typing import Any

import streamlit as st

from crm.i18n import _, listed
from crm.ui.own_words import instead_of

ZONE = '[data-testid="stFileUploaderDropzone"]'
LIMITS = '[data-testid="stFileUploaderDropzoneInstructions"] span'


def file_upload(label: str, kinds: Sequence[str], megabytes: int, *, key: str, tip: str | None = None) -> Any:
    """A file of one of these `kinds` (endings without the dot) and of so many megabytes at most; None where none is.

    One a page: what Streamlit says of the limits is said anew for the whole of it.
    """
    ends = listed(kind.upper() for kind in kinds)
    limits = _("At most {megabytes} MB · {kinds}", megabytes=megabytes, kinds=ends)
    instead_of({f"{ZONE} button p": _("Choose a file"), LIMITS: limits})
    return st.file_uploader(label, type=[f".{kind}" for kind in kinds], max_upload_size=megabytes, key=key, help=tip)
