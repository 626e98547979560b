"""What became of the last edits: cells that were refused, and rows that somebody else changed meanwhile."""

from typing import Any

import streamlit as st

from crm.grid.editor import save
from crm.grid.edits import Change, Fault
from crm.grid.fields import facts
from crm.grid.saving import Contest
from crm.grid.state import Here
from crm.grid.values import shown_value
from crm.i18n import _, says


def outcome(here: Here, names: dict[Any, str]) -> None:
    """Draws what the person has to know or decide. Nothing to tell: nothing drawn."""
    faults: tuple[Fault, ...] = here.recall("faults", ())
    if faults:
        lines = [f"- **{_where(here, fault, names)}**: {_text(fault.value)} · {fault.why}" for fault in faults]
        with st.container(border=True):
            st.error(_("Not saved:") + "\n" + "\n".join(lines), icon=":material/error:")
            st.button(_("Close"), key=here.key("faults-close"), on_click=here.remember, args=("faults", ()))
    for index, contest in enumerate(here.recall("contests", ())):
        _contest(here, index, contest, names)


def _contest(here: Here, index: int, contest: Contest, names: dict[Any, str]) -> None:
    with st.container(border=True):
        name = names.get(contest.id, f"#{contest.id}")
        if not contest.theirs:
            st.warning(_("{name} is no longer here: somebody changed or removed it meanwhile.", name=name))
            st.button(_("Close"), key=here.key(f"gone:{index}"), on_click=_settle, args=(here, contest, False))
            return
        st.warning(_("Somebody changed {name} since you opened it. Which values should stay?", name=name))
        for field, mine in contest.mine.items():
            st.markdown(
                f"**{here.config.label(field, _label(here, field))}** · "
                + _(
                    "theirs: {theirs} · yours: {mine}",
                    theirs=_show(here, field, contest.theirs[field]),
                    mine=_show(here, field, mine),
                )
            )
        with st.container(horizontal=True):
            st.button(_("Keep theirs"), key=here.key(f"theirs:{index}"), on_click=_settle, args=(here, contest, False))
            st.button(
                _("Save mine"),
                key=here.key(f"mine:{index}"),
                type="primary",
                on_click=_settle,
                args=(here, contest, True),
            )


def _settle(here: Here, contest: Contest, mine: bool) -> None:
    here.remember("contests", tuple(one for one in here.recall("contests", ()) if one != contest))
    here.keep(here.memory.renewed())
    me = here.again()
    if mine and me is not None:
        save(me, [Change(contest.id, contest.version, contest.mine)])


def _where(here: Here, fault: Fault, names: dict[Any, str]) -> str:
    row = names.get(fault.id, "" if fault.id is None else f"#{fault.id}")
    return f"{row} · {here.config.label(fault.field, _label(here, fault.field))}"


def _label(here: Here, field: str) -> Any:
    return next((column.label for column in here.config.columns if column.name == field), None)


def _show(here: Here, field: str, value: Any) -> str:
    fact = facts(here.config.model).get(field)
    return shown_value(fact.kind if fact else "text", value) or str(says("(empty)"))


def _text(value: Any) -> str:
    return f"“{str(value)[:60]}”" if value not in (None, "") else str(says("(empty)"))
