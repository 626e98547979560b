"""The parts of a page, of which one is drawn: which one, the address says, so that a link leads to it."""

from collections.abc import Mapping

import streamlit as st

from crm.i18n import _

TAB = "tab"


def part(parts: Mapping[str, str]) -> str:
    """The part that is to be drawn, of name -> label; the first unless the address names another."""
    asked = st.query_params.get(TAB, "")
    now = asked if asked in parts else next(iter(parts))
    key = f"part:{'-'.join(parts)}:{now}"

    def changed() -> None:
        # What the other part had in the address means nothing in this one.
        st.query_params.from_dict({TAB: str(st.session_state[key])})

    st.segmented_control(
        _("Part"), list(parts), default=now, format_func=parts.__getitem__, key=key, label_visibility="collapsed",
        required=True, on_change=changed,
    )  # fmt: skip
    return now
