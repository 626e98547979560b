"""The parts of a page: of several one is drawn, which the address says so that a link leads to it; or one is opened."""

from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from crm.i18n import _

TAB = "tab"


def part(parts: Mapping[str, str], *, keep: Sequence[str] = ()) -> str:
    """The part that is to be drawn, of name -> label; the first unless the address names another.

    `keep` are names of the address that mean the same in every part.
    """
    asked = st.query_params.get(TAB, "")
    now = asked if asked in parts else next(iter(parts))
    key = f"part:{'-'.join(parts)}:{now}"

    def changed() -> None:
        # What else the other part had in the address means nothing in this one.
        kept = {name: st.query_params[name] for name in keep if name in st.query_params}
        st.query_params.from_dict({**kept, TAB: str(st.session_state[key])})

    st.segmented_control(
        _("Part"), list(parts), default=now, format_func=parts.__getitem__, key=key, label_visibility="collapsed",
        required=True, on_change=changed,
    )  # fmt: skip
    return now


def opened(label: str, key: str) -> Any:
    """An expander whose content is made only for whoever opens it, by its `open`. It stays open in another language.

    To Streamlit it is another one once it is called otherwise, and what was typed inside would go with the first.
    """
    kept = st.session_state
    if kept.get(f"{key}:called", label) != label:
        kept[key] = kept[f"{key}:open"]
    shown = st.expander(label, key=key, on_change="rerun")
    kept[f"{key}:called"], kept[f"{key}:open"] = label, shown.open
    return shown
