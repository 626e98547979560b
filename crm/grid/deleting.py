"""Deleting the one row that `?delete=17` names: the address opens the question, and never deletes by itself."""

from crm.grid.acting import Row, Ticked
from crm.grid.asking import Acting, ask
from crm.grid.config import DELETING
from crm.grid.forms import read_key
from crm.grid.frame import names_of
from crm.grid.saving import one_row
from crm.grid.state import Here


def heed(here: Here) -> None:
    """Opens the dialog for the row that the address names, and closes it where the address does so no more.

    Raises `Invalid` or `NotFound` where there is no such row, or none that this person may see.
    """
    acting: Acting | None = here.recall("acting")
    raw = here.asked(DELETING)
    if acting is not None and (acting.work is not None or acting.asked == raw):
        # Under way, or open already; what no address asked for has none.
        return
    if raw is None:
        if acting is not None:
            here.remember("acting", None)
        return
    key = read_key(here, raw)
    with here.connection.reading() as session:
        row = one_row(here.config, session, here.actor, key)
        name = names_of(here.config, session, here.actor, [row])[key]
    ask(here, DELETING, Ticked((Row(key, name, getattr(row, here.config.version, None)),)), raw)
