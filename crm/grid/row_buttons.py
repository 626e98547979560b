"""The buttons of the rows: what a click does, once its position is a row that was drawn."""

import logging

from crm.grid.action_dialog import act_on_one
from crm.grid.edits import Snapshot
from crm.grid.locks import Closed
from crm.grid.state import Here
from crm.i18n import labelled, listed

LOG = logging.getLogger(__name__)


def why_closed(here: Here, snapshot: Snapshot, closed: Closed) -> None:
    """The lock of a row was clicked: says why, of each of its cells."""
    place = _clicked(here, "lock", snapshot)
    if place is None:
        return
    whys: dict[str, list[str]] = {}
    for name, why in closed.get(snapshot.ids[place], {}).items():
        label = here.config.label(name, next((one.label for one in here.config.columns if one.name == name), None))
        whys.setdefault(str(why), []).append(str(label))
    for sentence, labels in whys.items():
        here.say(labelled(listed(labels), sentence), icon=":material/lock:")


def opened(here: Here, snapshot: Snapshot) -> None:
    """A row is to be opened: its record, or its form where there is none."""
    place = _clicked(here, "open", snapshot)
    if place is not None:
        here.ask("open" if here.config.detail is not None else "edit", str(snapshot.ids[place]))
        here.remember("leave", True)


def acted(here: Here, name: str, snapshot: Snapshot) -> None:
    """The button of an action was clicked in a row."""
    place = _clicked(here, f"each:{name}", snapshot)
    if place is not None:
        act_on_one(here, name, snapshot.ids[place], snapshot.versions[place])


def _clicked(here: Here, button: str, snapshot: Snapshot) -> int | None:
    """The position of the row whose button was clicked. One that was not drawn no editor sends by itself."""
    click = here.recall(button)
    place = click["row"] if click is not None else None
    if isinstance(place, int) and 0 <= place < len(snapshot.ids):
        return place
    if click is not None:
        who = here.actor.account_id
        LOG.warning("table %s: account %s clicked %s in a row that is not there", here.config.name, who, button)
    return None
