"""What became of the last edits: cells that were refused, and rows that somebody else changed meanwhile."""

from dataclasses import replace
from typing import Any

import streamlit as st

from crm.grid.cells import kind_of
from crm.grid.config import TableConfig
from crm.grid.editor import save
from crm.grid.edits import Change, Fault
from crm.grid.fields import Kind, facts
from crm.grid.form_config import Input, by_name
from crm.grid.relations import relation_of
from crm.grid.saving import Contest
from crm.grid.state import Here
from crm.grid.values import shown_value
from crm.i18n import Says, _, listed, literal, marked, says

# What was typed and not saved is shown as far as anybody would type it again.
LONGEST = 2000


def outcome(here: Here, names: dict[Any, str]) -> None:
    """Draws what the person has to know or decide. Nothing to tell: nothing drawn."""
    faults: tuple[Fault, ...] = here.recall("faults", ())
    if faults:
        lines = [
            f"- **{literal(_where(here, fault, names))}**: {literal(_text(fault.value))} · {marked(fault.why)}"
            for fault in faults
        ]
        with st.container(border=True):
            st.error(_("Not saved:") + "\n" + "\n".join(lines), icon=":material/error:")
            st.button(_("Close"), key=here.key("faults-close"), on_click=here.remember, args=("faults", ()))
    for index, contest in enumerate(here.recall("contests", ())):
        _contest(here, index, contest, names)


def _contest(here: Here, index: int, contest: Contest, names: dict[Any, str]) -> None:
    """Both values of each cell, and a choice for each of them."""
    with st.container(border=True):
        name = literal(names.get(contest.id, f"#{contest.id}"))
        if not contest.theirs:
            st.warning(_("{name} is no longer here: somebody changed or removed it meanwhile.", name=name))
            st.button(_("Close"), key=here.key(f"gone:{index}"), on_click=_settle, args=(here, contest, None, False))
            return
        st.warning(_("Somebody changed {name} since you opened it. Which values should stay?", name=name))
        for field, mine in contest.mine.items():
            with st.container(horizontal=True, vertical_alignment="center"):
                st.markdown(
                    f"**{_label(here.config, field)}** · "
                    + _(
                        "theirs: {theirs} · yours: {mine}",
                        theirs=literal(_show(here, field, contest.theirs[field])),
                        mine=literal(_show(here, field, mine)),
                    ),
                    width="content",
                )
                for label, part, keep in ((_("Keep theirs"), "theirs", False), (_("Save mine"), "mine", True)):
                    st.button(
                        label,
                        key=here.key(f"{part}:{index}:{field}"),
                        type="primary" if keep else "secondary",
                        on_click=_settle,
                        args=(here, contest, field, keep),
                    )


def _settle(here: Here, contest: Contest, field: str | None, mine: bool) -> None:
    """One cell is decided (no `field`: there is nothing left to decide); what is saved makes the rest newer too."""
    others = [one for one in here.recall("contests", ()) if one != contest]
    left = contest.without(field) if field is not None else None
    here.remember("contests", (*others, left) if left is not None and left.theirs else tuple(others))
    here.keep(here.memory.renewed())
    me = here.again()
    if not mine or me is None or field is None:
        return
    save(me, [Change(contest.id, contest.version, {field: contest.mine[field]})])
    version = me.memory.versions.get(contest.id, contest.version)
    if left is not None and left in me.recall("contests", ()):
        newer = replace(left, version=max(version, left.version))
        me.remember("contests", tuple(newer if one == left else one for one in me.recall("contests", ())))


def _where(here: Here, fault: Fault, names: dict[Any, str]) -> str:
    row = names.get(fault.id, "" if fault.id is None else f"#{fault.id}")
    return f"{row} · {_label(here.config, fault.field)}"


def _label(config: TableConfig, field: str) -> Says:
    declared = next((column.label for column in config.columns if column.name == field), None)
    asked = by_name(config.edit).get(field)
    return config.label(field, declared or (asked.label if asked is not None else None))


def _show(here: Here, field: str, value: Any) -> str:
    """The value as the table shows it; of other rows what this person may know of them."""
    empty = str(says("(empty)"))
    config = here.config
    relation = relation_of(config, by_name(config.edit).get(field) or Input(field))
    if relation is not None:
        keys = list(value) if isinstance(value, list | tuple) else [value]
        with here.connection.reading() as session:
            labels = relation.named(session, here.actor, keys)
        unseen = str(says("(a record that is not yours to see)"))
        return listed(labels.get(key, unseen) for key in keys if key is not None) or empty
    return shown_value(_kind(config, field), value) or empty


def _kind(config: TableConfig, field: str) -> Kind:
    column = next((column for column in config.columns if column.name == field), None)
    if column is not None:
        return kind_of(config, column)
    fact = facts(config.model).get(field)
    return fact.kind if fact is not None else "text"


def _text(value: Any) -> str:
    return f"“{str(value)[:LONGEST]}”" if value not in (None, "", []) else str(says("(empty)"))
