"""What a person sees when something goes wrong, and what the log keeps of it."""

import logging
import secrets
import traceback

import streamlit as st

from crm.errors import Denial, NotAllowed, NotFound, ThanosError, Unavailable
from crm.i18n import _, marked
from crm.ui.session import look, note_refusals

log = logging.getLogger("crm.ui")


def silence_streamlit() -> None:
    """Streamlit logs every error whole, values of customers included. `on_error` does it instead."""
    logging.getLogger("streamlit.error_util").addFilter(lambda _record: False)


def on_error(error: Exception) -> bool:
    """Shows an error that no page caught, never its traceback. Always True: Streamlit need not show it too."""
    if isinstance(error, Unavailable):
        log.warning("unavailable: %s", described(error))
        st.title(_("Back in a moment"))
        st.info(marked(error.says), icon=":material/hourglass_empty:")
        st.button(_("Try again"), key="try-again")
    elif isinstance(error, NotAllowed):
        _note(error.denial)
        st.warning(marked(error.says), icon=":material/lock:")
    elif isinstance(error, ThanosError):
        if isinstance(error, NotFound):
            _note(error.denial)
        st.error(marked(error.says), icon=":material/error:")
    else:
        number = secrets.token_hex(4)
        log.error("error %s: %s", number, described(error))
        st.error(
            _(
                "Something went wrong. Tell an administrator this number: {number}",
                number=number,
            ),
            icon=":material/error:",
        )
    return True


def _note(denial: Denial | None) -> None:
    here = look() if denial else None
    if denial and here:
        note_refusals(here.actor, [denial])


def described(error: BaseException) -> str:
    """An error for the log: kinds and places, but no message, for messages quote the values they choked on."""
    lines: list[str] = []
    seen: list[BaseException] = []
    cause: BaseException | None = error
    while cause is not None and cause not in seen:
        seen.append(cause)
        lines.append(f"{type(cause).__module__}.{type(cause).__qualname__}")
        lines.extend(
            f"  {place.filename}:{place.lineno} in {place.name}" for place in traceback.extract_tb(cause.__traceback__)
        )
        cause = cause.__cause__ or cause.__context__
    return "\n".join(lines)
