"""A sheet of scores as it stands on the screen, and what was typed into it and is not saved yet.

What was typed on a day is kept until it is saved or taken out again, whichever day, class, part or page is opened
between.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from crm.domain.scores import typed
from crm.i18n import Says, says
from crm.services.scores.scoring import REMARK, TYPED, Line, Sheet, Typed

NOT_SAVED = says("Typed, and not saved yet.")
Cell = tuple[int, str]


@dataclass(frozen=True)
class Drawn:
    """A sheet as it stands on the screen. `kept` are the cells that show what was typed and not saved, and why."""

    sheet: Sheet
    epoch: int = 0
    kept: Mapping[Cell, tuple[str, Says]] | None = None

    @property
    def key(self) -> str:
        """That of its editor."""
        return f"scoring:{self.epoch}"

    def cell(self, line: Line, name: str) -> str:
        """What the frame holds there."""
        kept = (self.kept or {}).get((line.id, name))
        return kept[0] if kept else stored(line, name)

    def why(self, line: Line) -> str:
        """What is wrong in that row."""
        return " ".join(str(why) for (row, _name), (_typed, why) in (self.kept or {}).items() if row == line.id)


def stored(line: Line, name: str) -> str:
    """What the database holds there, as it would be typed."""
    return typed(line.score) if name == TYPED else line.remark


@dataclass(frozen=True)
class Unsaved:
    """What was typed on a day and is not saved: by cell the text, and why not; and those rows as they were seen."""

    cells: Mapping[Cell, tuple[str, Says]]
    seen: Mapping[int, Line]


def changes(drawn: Drawn, overlay: dict[int, dict[str, Any]]) -> list[Typed]:
    """What differs from what the database held when the sheet was drawn, by row. A position that was not drawn is
    nobody's, and a column that is not typed into is passed over: only a forged message holds them.
    """
    found = []
    for position, line in enumerate(drawn.sheet.lines):
        over = overlay.get(position, {})
        now_there = {
            name: str(over.get(name) or "") if name in over else drawn.cell(line, name) for name in (TYPED, REMARK)
        }
        changed = {name: text for name, text in now_there.items() if text.strip() != stored(line, name)}
        if changed:
            found.append(
                Typed(
                    line.id,
                    line.version,
                    (line.score, line.remark),
                    changed.get(TYPED),
                    changed.get(REMARK),
                    line.handed_in_at,
                )
            )
    return found


def unsaved(drawn: Drawn, overlay: dict[int, dict[str, Any]]) -> Unsaved | None:
    """What stands in the sheet and is not saved; None where that is nothing."""
    before = drawn.kept or {}
    cells: dict[Cell, tuple[str, Says]] = {}
    for one in changes(drawn, overlay):
        for name, text in ((TYPED, one.score), (REMARK, one.remark)):
            if text is not None:
                told = before.get((one.id, name))
                cells[one.id, name] = told if told is not None and told[0] == text else (text, NOT_SAVED)
    rows = {row for row, _name in cells}
    return Unsaved(cells, {line.id: line for line in drawn.sheet.lines if line.id in rows}) if cells else None


def opened(sheet: Sheet, left: Unsaved | None, epoch: int) -> Drawn:
    """The sheet with what was left unsaved in it. Rows that were typed into stay as they were seen, so that saving
    tells what somebody else changed there since.
    """
    if left is None:
        return Drawn(sheet, epoch)
    lines = tuple(left.seen.get(line.id, line) for line in sheet.lines)
    rows = {line.id for line in lines}
    kept = {cell: told for cell, told in left.cells.items() if cell[0] in rows}
    return Drawn(replace(sheet, lines=lines), epoch, kept or None)
