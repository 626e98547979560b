"""Keys for the hand that stays on the keyboard: into the search box, add, save. The first table of a page has them."""

import re

import streamlit as st

from crm.grid.config import TableConfig

FIRST = "grid:first"
# With a modifier, since a bare letter begins to edit the chosen cell of the table.
SEARCH, ADD, SAVE = "/", "Alt+N", "Mod+Enter"

# Streamlit's shortcuts press buttons; into a box leads a listener of our own. It is quiet while somebody types.
_JAVASCRIPT = """
export default function ({ data }) {
  const pressed = (event) => {
    if (event.key !== "/" || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.target.closest("input, textarea, [contenteditable], [data-testid=stDataFrame], [role=dialog]")) return;
    const box = document.querySelector(`.${data.box} input`);
    if (!box) return;
    event.preventDefault();
    box.focus();
    box.select();
  };
  document.addEventListener("keydown", pressed);
  return () => document.removeEventListener("keydown", pressed);
}
"""


def give_back_keys() -> None:
    """In every run, before anything is drawn: no table has the keys."""
    st.session_state[FIRST] = None


def take_keys(config: TableConfig) -> None:
    """The table has the keys from here on, unless another has them in this run."""
    if st.session_state.get(FIRST) is None:
        st.session_state[FIRST] = config.name


def shortcut(config: TableConfig, keys: str) -> str | None:
    """The keys, where they are this table's."""
    return keys if st.session_state.get(FIRST) == config.name else None


def listen_for_search(key: str) -> None:
    """From here on `/` leads into the box of that key."""
    box = "st-key-" + re.sub(r"[^A-Za-z0-9_-]", "-", key)
    listener = st.components.v2.component("grid_search_key", js=_JAVASCRIPT)
    with st.container(width=1, height=1, border=False, key=f"{key}:listens"):
        listener(key=f"{key}:listener", data={"box": box}, width=1, height=1)
