"""A view as it is kept under a name: the query of search, filters and order, without page, page size and record."""

from dataclasses import replace
from urllib.parse import parse_qs, urlencode

from crm.grid.config import TableConfig
from crm.grid.filters import Unparsable
from crm.grid.view import View, complete, read_view, write_view
from crm.i18n import says


def to_query(config: TableConfig, view: View) -> str:
    """The query to keep. Raises `Unparsable` where the view could not be read: it shows nothing."""
    if view.unread:
        raise Unparsable(says("This view cannot be read, so it cannot be kept. Clear what is wrong first."))
    plain = replace(complete(config), prefix="")
    return urlencode(write_view(plain, replace(view, page=1, size=config.page_sizes[0])), doseq=True)


def from_query(config: TableConfig, query: str, size: int) -> View:
    """The view that was kept, on its first page of `size` rows.

    What its filters cannot read any more is in `unread`, so that it shows no rows. Raises `Unparsable` where it
    names a filter that the table does not have, or not for this person: left out, it would show more than was meant.
    """
    kept = parse_qs(query, keep_blank_values=True)
    known = {one.name for one in config.filters} | {"q", "sort"}
    for name in kept:
        if name not in known:
            raise Unparsable(
                says("This view has a filter {value}, which this table does not have for you.", value=name)
            )
    return replace(read_view(replace(complete(config), prefix=""), kept), size=size, page=1)
