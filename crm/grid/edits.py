"""From what the editor sends to what is saved: positions become keys by the snapshot that was drawn.

The editor sends its overlay: every cell that differs from the frame it was given, by position. A cell that
returns to the frame's value leaves the overlay. So the frame must stand still, or a return and a new frame
could not be told apart: while an editor lives, the cells of its frame stay what they were when it was new. What a
person sees of a cell is the overlay's value, else the frame's; a change is where that differs from what was
seen last; and where it differs from what the database says, the editor has to be a new one.
Pure: values in, changes out.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any
from zoneinfo import ZoneInfo

from crm.grid.values import Rule, Wrong, accepted, read_value
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


NOTHING = Snapshot((), (), ())


@dataclass(frozen=True)
class Memory:
    """What is remembered of the editor between two drawings.

    `epoch` is part of its key: another epoch is another editor, with nothing in its overlay. `drawn` is what it was
    given, `overlay` what came in from it last, `versions` those of one's own saves.
    """

    epoch: int = 0
    drawn: Snapshot = NOTHING
    overlay: Cells = field(default_factory=dict)
    versions: Mapping[Any, int] = field(default_factory=dict)

    def renewed(self) -> "Memory":
        """The next editor will be a new one. What was typed into the old one and not saved is gone."""
        return replace(self, epoch=self.epoch + 1, drawn=NOTHING, overlay={})

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

    `rules` are the fields that this person may edit. Any other column, any position that was not drawn and any
    choice that is none can only be forged, and is refused.
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
                    values[name] = accepted(rules[name], raw, zone)
                except Wrong as wrong:
                    # What is chosen or ticked has no room for a mistake.
                    forged = forged or rules[name].kind in ("choice", "yes_no")
                    faults.append(Fault(row, name, raw, wrong.says))
        if values:
            changes.append(Change(row, snapshot.versions[position], values))
    return Edits(tuple(changes), ticks, tuple(faults), forged)


def received(memory: Memory, overlay: Cells, rules: Mapping[str, Rule], zone: ZoneInfo) -> tuple[Memory, Edits]:
    """The overlay has come in from the editor: what is new in it, and what to remember.

    A fault makes the next editor a new one, which shows what the database says.
    """
    edits = new_edits(overlay, memory.overlay, memory.drawn.at_least(memory.versions), rules, zone)
    after = replace(memory, overlay={place: dict(cells) for place, cells in overlay.items()})
    return (after.renewed() if edits.faults else after), edits


def drawing(
    memory: Memory, truth: Snapshot, overlay: Cells, rules: Mapping[str, Rule], zone: ZoneInfo
) -> tuple[Memory, Cells]:
    """The rows are about to be drawn, with `truth` what the database says and `overlay` what the editor of this
    epoch shows: what to remember, and the cells that have to keep what the frame held.

    The editor has to be new where the rows are others, where it shows a cell otherwise than the database has it
    (a service tidied it, somebody else changed it), and where it was out of sight, since then it comes back empty.
    """
    stands = memory.drawn.ids == truth.ids and overlay == memory.overlay and _shows(memory, truth, rules, zone)
    if not stands:
        return replace(memory.renewed(), drawn=truth), {}
    kept = {place: {name: memory.drawn.cells[place][name] for name in cells} for place, cells in overlay.items()}
    return replace(memory, drawn=replace(memory.drawn, versions=truth.versions)), kept


def _shows(memory: Memory, truth: Snapshot, rules: Mapping[str, Rule], zone: ZoneInfo) -> bool:
    """Whether every cell that the editor shows is what the database says."""
    if not all(0 <= place < len(truth.ids) for place in memory.overlay):
        return False
    for place, (drawn, true) in enumerate(zip(memory.drawn.cells, truth.cells, strict=True)):
        if drawn.keys() != true.keys() or not memory.overlay.get(place, {}).keys() <= true.keys():
            return False
        for name, raw in {**drawn, **memory.overlay.get(place, {})}.items():
            alike = type(raw) is type(true[name]) and raw == true[name]
            if not alike and (name == TICK or not same(rules[name], raw, true[name], zone)):
                return False
    return True


def same(rule: Rule, one: Any, other: Any, zone: ZoneInfo) -> bool:
    """Whether the two, as typed or as shown, are one value to the field. What cannot be read equals nothing."""
    try:
        first, second = read_value(rule, one, zone), read_value(rule, other, zone)
    except Wrong:
        return False
    return type(first) is type(second) and bool(first == second)
