"""The table itself: drawn by `st.data_editor`, its edits saved as they are made, its ticks and buttons."""

import logging
from collections.abc import Mapping
from typing import Any

import streamlit as st
from streamlit.column_config import (
    ButtonColumn,
    CheckboxColumn,
    DateColumn,
    DatetimeColumn,
    LinkColumn,
    MultiselectColumn,
    NumberColumn,
    ProgressColumn,
    SelectboxColumn,
    TextColumn,
)

from crm.errors import Invalid, ThanosError
from crm.grid.cells import kind_of
from crm.grid.config import Column, TableConfig
from crm.grid.edits import TICK, Change, Fault, drawing, received
from crm.grid.fields import facts, label_of
from crm.grid.filters import MANY_CHOICES
from crm.grid.form_config import by_name
from crm.grid.frame import LOCK, OPEN, Shown, editable, permitted, standing
from crm.grid.row_buttons import acted, opened, why_closed
from crm.grid.saving import Saved, save_all
from crm.grid.state import Here
from crm.i18n import _, marked, says_n

WIDTHS: Mapping[str, int] = {
    "text": 140,
    "long": 240,
    "number": 90,
    "decimal": 90,
    "money": 110,
    "yes_no": 80,
    "date": 110,
    "moment": 150,
    "choice": 150,
    "relation": 150,
}
ROW = 35
LOG = logging.getLogger(__name__)
MOST_HEIGHT = 20 * ROW + 38
# The text behind the address of a link, or what follows "mailto:" and "tel:".
LINKED = r"(?:#|mailto:|tel:)([^#]*)$"
PLAIN = "rgba(128,128,128,0)"


def ticked(here: Here) -> frozenset[Any]:
    """The keys of the ticked rows."""
    found: frozenset[Any] = here.recall("ticked", frozenset())
    return found


def editor(here: Here, shown: Shown) -> None:
    """Draws the rows. Edits are saved by a callback that carries the snapshot drawn here."""
    memory, kept = drawing(here.memory, shown.snapshot, _overlay(_key(here, here.memory.epoch)), shown.rules, here.zone)
    here.keep(memory)
    here.remember("ticked", ticked(here) & frozenset(shown.snapshot.ids))
    shown = standing(shown, kept)
    key = _key(here, memory.epoch)
    locked = [name for name in shown.frame.columns if name != TICK and name not in shown.rules]
    st.data_editor(
        shown.frame,
        key=key,
        hide_index=True,
        num_rows="fixed",
        height=min(MOST_HEIGHT, ROW * len(shown.frame) + 38),
        column_order=[name for name in shown.frame.columns if name != LOCK or _locks(here, shown)],
        column_config=_configs(here, shown),
        disabled=locked,
        placeholder="",
        row_height=ROW,
        alt=str(here.config.title),
        on_change=_edited,
        args=(here, memory.epoch),
    )


def _locks(here: Here, shown: Shown) -> bool:
    """Whether the locks have their column: where a row of the page is locked, or was while these rows were shown.

    It is in the frame either way, so that the editor stays the same one when a lock comes and goes.
    """
    if shown.closed:
        here.remember("locks", shown.snapshot.ids)
    return bool(here.recall("locks") == shown.snapshot.ids)


def _key(here: Here, epoch: int) -> str:
    return here.key(f"editor:{epoch}")


def _overlay(key: str) -> dict[int, dict[str, Any]]:
    """What the editor of that key shows on top of its frame."""
    state = st.session_state.get(key)
    return {position: dict(cells) for position, cells in state["edited_rows"].items()} if state else {}


def _configs(here: Here, shown: Shown) -> dict[str, Any]:
    config = here.config
    made: dict[str, Any] = {}
    if TICK in shown.frame:
        made[TICK] = CheckboxColumn("✓", width=44, pinned=True)
    if OPEN in shown.frame:
        made[OPEN] = ButtonColumn("", width=44, pinned=True, type="tertiary", key=here.key("open"), on_click=opened,
                                  args=(here, shown.snapshot))  # fmt: skip
    if LOCK in shown.frame:
        made[LOCK] = ButtonColumn(
            "",
            width=44,
            pinned=True,
            type="tertiary",
            key=here.key("lock"),
            on_click=why_closed,
            args=(here, shown.snapshot, shown.closed),
        )
    for column in shown.columns:
        made[column.name] = _config(config, column, shown, here)
    for action in permitted(config, here.actor):
        if action.each:
            made[f"_{action.name}"] = ButtonColumn(
                "",
                width=110,
                pinned=True,
                key=here.key(f"each:{action.name}"),
                on_click=acted,
                args=(here, action.name, shown.snapshot),
            )
    return made


def _config(config: TableConfig, column: Column, shown: Shown, here: Here) -> Any:
    kind = kind_of(config, column)
    edits = column.name in shown.rules
    common: dict[str, Any] = {
        "label": str(config.label(column.name, column.label)),
        "help": _help(config, column, shown),
        "width": column.width or WIDTHS[kind],
        "pinned": column.pinned or None,
    }
    if not edits:
        if column.progress is not None:
            share = "percent" if column.progress == 1 else None
            return ProgressColumn(**common, min_value=0, max_value=column.progress, format=share)
        if column.tone is not None:
            tones = shown.tones[column.name]
            # Named in one order whatever the rows, so that the column is told apart from no other.
            texts = sorted(tones)
            return MultiselectColumn(**common, options=texts, color=[tones[text] or PLAIN for text in texts] or None)
        if column.link is not None:
            return LinkColumn(**common, display_text=LINKED, alignment="left")
        if column.show is None and kind in ("number", "decimal"):
            return NumberColumn(**common)
        if column.show is None and kind == "yes_no":
            return CheckboxColumn(**common)
        return TextColumn(**common, alignment="right" if kind == "money" else None)
    rule = shown.rules[column.name]
    common["required"] = rule.required
    if kind == "choice":
        labels = {choice.value: str(label_of(choice)) for choice in facts(config.model)[column.name].choices}
        return SelectboxColumn(
            **common, options=list(labels), format_func=lambda value: labels.get(str(value), str(value))
        )
    if kind == "relation":
        named = shown.options[column.name]
        return SelectboxColumn(**common, options=list(named), format_func=lambda key: named.get(key, str(key)))
    if kind == "yes_no":
        return CheckboxColumn(**common)
    if kind in ("number", "decimal", "money"):
        unit = 100 if kind == "money" else 1
        return NumberColumn(
            **common,
            step={"number": 1, "money": 0.01}.get(kind),
            min_value=None if rule.least is None else rule.least / unit,
            max_value=None if rule.most is None else rule.most / unit,
            format="%,.2f" if kind == "money" else None,
        )
    if kind == "date":
        return DateColumn(**common, format="YYYY-MM-DD")
    if kind == "moment":
        return DatetimeColumn(**common, format="YYYY-MM-DD HH:mm", timezone=str(here.zone), step=60)
    return TextColumn(**common, max_chars=rule.length)


def _help(config: TableConfig, column: Column, shown: Shown) -> str | None:
    """What is said of the column, and where not all that can be chosen is listed, that too."""
    said = [str(column.help)] if column.help else []
    if column.name in shown.more:
        said.append(_("The first {count} are listed.", count=MANY_CHOICES))
        if column.name in by_name(config.edit):
            said.append(_("The form of the row finds the others."))
    return " ".join(said) or None


def _edited(here: Here, epoch: int) -> None:
    me = here.again()
    if me is None:
        return
    if epoch != me.memory.epoch:
        me.say(_("The table has changed meanwhile. Type that once more."), icon=":material/error:")
        return
    memory, edits = received(me.memory, _overlay(_key(here, epoch)), editable(me.config, me.actor), me.zone)
    me.keep(memory)
    on = {row for row, tick in edits.ticks.items() if tick}
    here.remember("ticked", (ticked(here) | on) - (set(edits.ticks) - on))
    here.remember("faults", edits.faults if edits.faults or edits.changes else here.recall("faults", ()))
    if edits.faults:
        # The list of them stands above the table, which may be out of view.
        me.say(marked(edits.faults[0].why), icon=":material/error:")
    if edits.forged:
        LOG.warning(
            "table %s: account %s sent edits that its editor cannot send", here.config.name, me.actor.account_id
        )
    if edits.changes:
        save(me, list(edits.changes))


def save(me: Here, changes: list[Change], *, undoing: bool = False) -> None:
    """Saves the changes and remembers what became of each, for the next drawing to say."""
    try:
        with me.connection.writing() as session:
            saved = save_all(me.config, session, me.actor, changes, me.connection.now())
    except ThanosError as error:
        if undoing:
            me.say(marked(error.says), icon=":material/error:")
            return
        # Nothing of it was saved, and what was typed goes from the table: so it is told cell by cell.
        cells = ((one.id, name, value) for one in changes for name, value in one.fields.items())
        saved = Saved(faults=tuple(Fault(*cell, error.says) for cell in cells))
    remember(me, saved)
    if undoing:
        me.remember("last-save", ())
    if saved.cells and undoing:
        me.say(str(says_n("{count} change undone.", "{count} changes undone.", count=saved.cells)))
    elif saved.cells:
        me.say(str(says_n("{count} change saved.", "{count} changes saved.", count=saved.cells)))
    if saved.faults:
        me.say(marked(saved.faults[0].why), icon=":material/error:")
        me.remember("faults", (*me.recall("faults", ()), *saved.faults))
    if saved.faults or saved.contests:
        me.keep(me.memory.renewed())


def save_one(me: Here, change: Change) -> Saved:
    """Saves one row from its form. Raises what its cells were refused for; a conflict is decided above the table."""
    with me.connection.writing() as session:
        saved = save_all(me.config, session, me.actor, [change], me.connection.now())
        if saved.faults:
            raise Invalid.of({fault.field: fault.why for fault in saved.faults})
    remember(me, saved)
    return saved


def remember(me: Here, saved: Saved) -> None:
    """What was saved: its versions, how to undo it, and what has to be decided."""
    me.keep(me.memory.saved(saved.versions))
    if saved.undo:
        me.remember("last-save", saved.undo)
    if saved.contests:
        me.remember("contests", (*me.recall("contests", ()), *saved.contests))


def undo_button(here: Here) -> None:
    """Takes back what was saved last. It stands there from the start, so that nothing moves."""
    if editable(here.config, here.actor):
        last: tuple[Change, ...] = here.recall("last-save", ())
        st.button(
            _("Undo the save"),
            key=here.key("undo-save"),
            icon=":material/undo:",
            type="tertiary",
            disabled=not last,
            help=_("Takes back what you saved last, where nobody has changed it since."),
            on_click=_undone,
            args=(here,),
        )


def _undone(here: Here) -> None:
    me = here.again()
    last: tuple[Change, ...] = here.recall("last-save", ())
    if me is not None and last:
        save(me, list(last), undoing=True)
