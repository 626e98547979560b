"""From what the editor sends to what is saved: positions become keys by the snapshot that was shown.

The editor sends every edit since it was drawn, by position. Pure: values in, changes out.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from zoneinfo import ZoneInfo

from crm.grid.values import Rule, Wrong, read_value
from crm.i18n import Says, says

Cells = Mapping[int, Mapping[str, Any]]
TICK = "_tick"


@dataclass(frozen=True)
class Snapshot:
    """What one drawing of the editor showed: keys and versions in shown order, and the values of editable cells."""

    ids: tuple[Any, ...]
    versions: tuple[int, ...]
    shown: tuple[Mapping[str, Any], ...]


@dataclass(frozen=True)
class Change:
    """What is to be saved of one row, against the version that was seen."""

    id: Any
    version: int
    fields: Mapping[str, Any]


@dataclass(frozen=True)
class Fault:
    """A cell that is not saved, and why. `id` is None where the position names no row."""

    id: Any
    field: str
    value: Any
    why: Says


@dataclass(frozen=True)
class Edits:
    """The new ones among all that the editor sent."""

    changes: tuple[Change, ...] = ()
    ticks: Mapping[Any, bool] = field(default_factory=dict)
    faults: tuple[Fault, ...] = ()
    forged: bool = False


def new_edits(edited: Cells, seen: Cells, snapshot: Snapshot, rules: Mapping[str, Rule], zone: ZoneInfo) -> Edits:
    """The edits in `edited` that are not in `seen` yet, as changes of rows.

    `seen` is what the same editor sent last time. `rules` are the fields that this person may edit: any other
    column, and any position that was not shown, can only be forged and is refused.
    A cell that returns to what is shown is a change only where it was seen as something else.
    """
    changes: list[Change] = []
    ticks: dict[Any, bool] = {}
    faults: list[Fault] = []
    forged = False
    for position, cells in edited.items():
        before = seen.get(position, {})
        fresh = {name: raw for name, raw in cells.items() if name not in before or not _same(before[name], raw)}
        if not fresh:
            continue
        if not 0 <= position < len(snapshot.ids):
            forged = True
            faults += [Fault(None, name, raw, says("There is no such row.")) for name, raw in fresh.items()]
            continue
        row, shown = snapshot.ids[position], snapshot.shown[position]
        values: dict[str, Any] = {}
        for name, raw in fresh.items():
            if name == TICK:
                ticks[row] = raw is True
            elif name not in rules:
                forged = True
                faults.append(Fault(row, name, raw, says("This cannot be edited here.")))
            elif name in before or not _same(shown.get(name), raw):
                try:
                    values[name] = read_value(rules[name], raw, zone)
                except Wrong as wrong:
                    faults.append(Fault(row, name, raw, wrong.says))
        if values:
            changes.append(Change(row, snapshot.versions[position], values))
    return Edits(tuple(changes), ticks, tuple(faults), forged)


def _same(one: Any, other: Any) -> bool:
    """Equal, and of the same sort: True is not 1 here."""
    return one == other and isinstance(one, bool) == isinstance(other, bool)
