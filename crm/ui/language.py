"""The switch between the languages."""

from collections.abc import Callable

import streamlit as st

from crm.i18n import LANGUAGES, Language, _, language

IN_THEIR_OWN_WORDS = {"en": "EN", "zh": "中文"}


def language_switch(key: str, choose: Callable[[Language], None]) -> None:
    """English or 中文. `key` tells one switch from another on the same page, `choose` remembers what was chosen."""
    chosen = st.segmented_control(
        _("Language"),
        LANGUAGES,
        default=language(),
        required=True,
        format_func=lambda one: IN_THEIR_OWN_WORDS[one],
        key=f"{key}-{language()}",
        label_visibility="collapsed",
    )
    if chosen != language():
        choose(chosen)
        st.rerun()
