"""A choice that lives in the address, so that a link, a reload and *back* return to it."""

from collections.abc import Callable, Sequence

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from crm.grid.state import seed


def chosen(name: str, options: Sequence[int]) -> int | None:
    """What the address names among the options, else the first of them; None where there is none."""
    asked = st.query_params.get(name, "")
    wanted = int(asked) if asked.isascii() and asked.isdigit() and len(asked) < 12 else None
    return wanted if wanted in options else next(iter(options), None)


def choose(
    name: str,
    label: str,
    options: Sequence[int],
    show: Callable[[int], str],
    *,
    place: DeltaGenerator | None = None,
    forget: Sequence[str] = (),
) -> int | None:
    """A box to choose from by number. `forget` are names of the address that mean nothing after another choice."""
    now = chosen(name, options)
    if now is None:
        return None
    key = f"address:{name}"
    seed(key, now)

    def changed() -> None:
        st.query_params[name] = str(st.session_state[key])
        for other in forget:
            st.query_params.pop(other, None)

    (place or st).selectbox(label, options, format_func=show, key=key, on_change=changed)
    return now
