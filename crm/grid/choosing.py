"""Which rows are chosen: those that are ticked on this page, or all that match, on every page."""

from typing import Any

from crm.grid.query import Page
from crm.grid.state import Here
from crm.grid.view import View, write_view


def hold_choice(here: Here, view: View, page: Page) -> None:
    """Before the rows are drawn: where all that match are chosen, those on this page are ticked.

    Another view is another choice, and whoever unticks a row is left with the others of this page.
    """
    if not every(here):
        return
    ids = frozenset(getattr(row, here.config.key) for row in page.rows)
    same_page = here.recall("every:page") == ids
    if here.recall("every") != _mark(here, view) or (same_page and here.recall("ticked") != ids):
        _forget_every(here)
    elif not same_page:
        here.remember("every:page", ids)
        here.remember("ticked", ids)


def every(here: Here) -> bool:
    """Whether all that match are chosen."""
    return here.recall("every") is not None


def choose_every(here: Here, view: View, ids: frozenset[Any]) -> None:
    """All that match are chosen; `ids` are those on this page."""
    here.remember("every", _mark(here, view))
    here.remember("every:page", ids)
    tick(here, ids)


def tick(here: Here, ids: frozenset[Any]) -> None:
    """These rows of the page are ticked, and the editor is a new one that shows it."""
    here.remember("ticked", ids)
    here.keep(here.memory.renewed())


def untick(here: Here) -> None:
    """Nothing is chosen any more."""
    _forget_every(here)
    tick(here, frozenset())


def _forget_every(here: Here) -> None:
    here.remember("every", None)
    here.remember("every:page", None)


def _mark(here: Here, view: View) -> dict[str, list[str]]:
    """What of the view decides which rows match: neither order nor page."""
    beside = {here.config.prefix + name for name in ("sort", "page", "size")}
    return {key: values for key, values in write_view(here.config, view).items() if key not in beside}
