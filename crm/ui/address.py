"""A choice that lives in the address, so that a link, a reload and *back* return to it."""

from collections.abc import Callable, Sequence
from datetime import date

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from crm.grid.state import seed
from crm.i18n import _


def number(name: str) -> int | None:
    """The number that the address has by that name, if it is one that a row or a month can have."""
    asked = st.query_params.get(name, "")
    return int(asked) if asked.isascii() and asked.isdigit() and len(asked) < 10 else None


def chosen(name: str, options: Sequence[int]) -> int | None:
    """What the address names among the options, else the first of them; None where there is none."""
    wanted = number(name)
    return wanted if wanted in options else next(iter(options), None)


def choose(
    name: str,
    label: str,
    options: Sequence[int],
    show: Callable[[int], str],
    *,
    place: DeltaGenerator | None = None,
    forget: Sequence[str] = (),
    left: Callable[[], None] | None = None,
) -> int | None:
    """A box to choose from by number. `forget` are names of the address that mean nothing after another choice.

    `left` is called once another one was chosen.
    """
    now = chosen(name, options)
    if now is None:
        return None
    key = f"address:{name}"
    seed(key, now, show(now))

    def changed() -> None:
        # Words from before are no choice: somebody was quicker than the page.
        if st.session_state[key] not in options:
            return
        st.query_params[name] = str(st.session_state[key])
        for other in forget:
            st.query_params.pop(other, None)
        if left is not None:
            left()

    (place or st).selectbox(label, options, format_func=show, key=key, on_change=changed)
    return now


def choose_month(months: Sequence[date]) -> date:
    """A box to choose a month from, the first of them unless the address names another; gives its first day."""
    numbers = list(dict.fromkeys(each.year * 100 + each.month for each in months))
    now = choose("month", _("Month"), numbers, lambda key: f"{key // 100}-{key % 100:02d}") or numbers[0]
    return date(now // 100, now % 100, 1)
