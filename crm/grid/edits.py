"""From what the editor sends to what is saved: positions become keys by the snapshot that was drawn.

The editor sends its overlay: every cell that differs from the frame it was given, by position. A cell that
returns to the frame's value leaves the overlay. So the frame must stand still under an overlay, or the two
could not be told apart: while a cell is in the overlay, its frame keeps the value that it had before, and
`held` says so. Then what a person sees of a cell is the overlay's value, else the frame's, and a change is
where that differs from what was seen last. Pure: values in, changes out.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any
from zoneinfo import ZoneInfo

from crm.grid.values import Rule, Wrong, read_value
from crm.i18n import Says, says

Cells = Mapping[int, Mapping[str, Any]]
TICK = "_tick"


@dataclass(frozen=True)
class Snapshot:
    """What one drawing of the editor was given: keys and versions in shown order, and its editable cells."""

    ids: tuple[Any, ...]
    versions: tuple[int, ...]
    cells: tuple[Mapping[str, Any], ...]

    def at_least(self, versions: Mapping[Any, int]) -> "Snapshot":
        """The same after one's own saves since it was drawn: they are no conflict with oneself."""
        pairs = zip(self.ids, self.versions, strict=True)
        return replace(self, versions=tuple(max(version, versions.get(row, 0)) for row, version in pairs))


@dataclass(frozen=True)
class Memory:
    """What is remembered of the editor between two drawings.

    `epoch` is part of its key: another epoch is another editor, with nothing in its overlay. `ids` are the rows
    drawn, `overlay` what came in last, `frames` what the frame held under it, `versions` those of one's own saves.
    """

    epoch: int = 0
    ids: tuple[Any, ...] = ()
    overlay: Cells = field(default_factory=dict)
    frames: Cells = field(default_factory=dict)
    versions: Mapping[Any, int] = field(default_factory=dict)

    def renewed(self) -> "Memory":
        """The next editor will be a new one. What was typed into the old one and not saved is gone."""
        return replace(self, epoch=self.epoch + 1, overlay={}, frames={})

    def saved(self, versions: Mapping[Any, int]) -> "Memory":
        """Rows were saved and have new versions."""
        return replace(self, versions={**self.versions, **versions})


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
    """What is new in an overlay. `forged`: the editor cannot have sent it by itself."""

    changes: tuple[Change, ...] = ()
    ticks: Mapping[Any, bool] = field(default_factory=dict)
    faults: tuple[Fault, ...] = ()
    forged: bool = False


def new_edits(overlay: Cells, seen: Cells, snapshot: Snapshot, rules: Mapping[str, Rule], zone: ZoneInfo) -> Edits:
    """What `overlay` changes beyond `seen`, the overlay that the same editor sent before, as changes of rows.

    `rules` are the fields that this person may edit. Any other column and any position that was not drawn can
    only be forged, and is refused.
    """
    changes: list[Change] = []
    ticks: dict[Any, bool] = {}
    faults: list[Fault] = []
    forged = False
    for position in sorted({*overlay, *seen}):
        now, before = overlay.get(position, {}), seen.get(position, {})
        if not 0 <= position < len(snapshot.ids):
            forged = True
            faults += [Fault(None, name, raw, says("There is no such row.")) for name, raw in now.items()]
            continue
        row, drawn = snapshot.ids[position], snapshot.cells[position]
        values: dict[str, Any] = {}
        for name in dict.fromkeys((*before, *now)):
            raw = now.get(name, drawn.get(name))
            last = before.get(name, drawn.get(name))
            if name == TICK:
                if raw is not last:
                    ticks[row] = raw is True
            elif name not in rules or name not in drawn:
                if name not in before:
                    forged = True
                    faults.append(Fault(row, name, raw, says("This cannot be edited here.")))
            elif not same(rules[name], raw, last, zone):
                try:
                    values[name] = read_value(rules[name], raw, zone)
                except Wrong as wrong:
                    faults.append(Fault(row, name, raw, wrong.says))
        if values:
            changes.append(Change(row, snapshot.versions[position], values))
    return Edits(tuple(changes), ticks, tuple(faults), forged)


def received(
    memory: Memory, overlay: Cells, snapshot: Snapshot, rules: Mapping[str, Rule], zone: ZoneInfo
) -> tuple[Memory, Edits]:
    """The overlay has come in from the editor that was drawn with `snapshot`: what is new in it, and what to
    remember. A fault makes the next editor a new one, which shows what the database says."""
    edits = new_edits(overlay, memory.overlay, snapshot.at_least(memory.versions), rules, zone)
    frames = {place: snapshot.cells[place] for place in overlay if 0 <= place < len(snapshot.ids)}
    after = replace(memory, overlay={place: dict(cells) for place, cells in overlay.items()}, frames=frames)
    return (after.renewed() if edits.faults else after), edits


def drawing(
    memory: Memory, snapshot: Snapshot, overlay: Cells, rules: Mapping[str, Rule], zone: ZoneInfo
) -> tuple[Memory, Cells]:
    """The rows are about to be drawn, with `snapshot` what the database says now and `overlay` what the editor
    of this epoch shows: what to remember, and the cells of the frame that have to keep what they held.

    The editor has to be new where the rows are others, where an edited cell is no longer what the overlay shows
    (a service tidied it, somebody else changed it), and where it was out of sight, since then it comes back empty.
    """
    kept = _kept(memory, snapshot, rules, zone)
    if memory.ids != snapshot.ids or overlay != memory.overlay or kept is None:
        return replace(memory.renewed(), ids=snapshot.ids), {}
    return memory, kept


def _kept(memory: Memory, snapshot: Snapshot, rules: Mapping[str, Rule], zone: ZoneInfo) -> Cells | None:
    if not all(0 <= place < len(snapshot.ids) and place in memory.frames for place in memory.overlay):
        return None
    for place, cells in memory.overlay.items():
        truth = snapshot.cells[place]
        for name, raw in cells.items():
            if name == TICK:
                if truth.get(TICK) is not raw:
                    return None
            elif name not in rules or not same(rules[name], raw, truth.get(name), zone):
                return None
    return {place: {name: memory.frames[place].get(name) for name in cells} for place, cells in memory.overlay.items()}


def same(rule: Rule, one: Any, other: Any, zone: ZoneInfo) -> bool:
    """Whether the two, as typed or as shown, are one value to the field. What cannot be read equals nothing."""
    try:
        first, second = read_value(rule, one, zone), read_value(rule, other, zone)
    except Wrong:
        return False
    return type(first) is type(second) and bool(first == second)
