"""What became of each row of an action: the line above the table, and the account in the dialog."""

from collections.abc import Sequence
from datetime import timedelta

import streamlit as st

from crm.grid.acting import UNDO, Row, Work, account_csv, numbered
from crm.grid.asking import Acting, Did, close, look_at, ran_before, take_back
from crm.grid.config import Action
from crm.grid.state import Here
from crm.i18n import Says, _, labelled, marked, says, says_n

LONG = 100
FEW = 3
UNDO_FOR = timedelta(minutes=5)


def did_line(here: Here) -> None:
    """Right after an action: what was done, its account, and the button that takes it back where it can be."""
    did: Did | None = here.recall("did")
    if did is None or here.connection.now() - did.at > UNDO_FOR:
        return
    with st.container(border=True, horizontal=True, vertical_alignment="center", key=here.key("line-of-undo")):
        st.markdown(f":material/check: {done(did.work)}", width="stretch")
        if len(did.work.rows) > 1:
            st.button(
                _("What was done"),
                key=here.key("did-account"),
                type="tertiary",
                on_click=look_at,
                args=(here, did.work),
            )
        if can_be_taken_back(did.work):
            st.button(
                undo_label(did.work.action),
                key=here.key("undo"),
                icon=":material/undo:",
                type="primary",
                on_click=take_back,
                args=(here, did.work),
            )
        st.button(_("Close"), key=here.key("undo-close"), type="tertiary", on_click=here.remember, args=("did", None))


def ran_line(here: Here) -> None:
    """Who comes back from a run that they left reads how far it came."""
    ran = ran_before(here)
    if ran is None:
        return
    back = ran.action.removeprefix(UNDO)
    action = next((one for one in here.config.doings if one.name == back), None)
    label = back if action is None else action.label if back == ran.action else undo_label(action)
    left = ran.rows - ran.done - ran.refused
    account = says(
        "{action}, {moment}: of {rows} rows {done} done, {refused} refused, {left} not reached.",
        action=label,
        moment=ran.at,
        rows=ran.rows,
        done=ran.done,
        refused=ran.refused,
        left=left,
    )
    with st.container(border=True, horizontal=True, vertical_alignment="center", key=here.key("line-of-run")):
        st.markdown(f":material/history: {account}", width="stretch")
        st.button(_("Close"), key=here.key("ran-close"), type="tertiary", on_click=here.remember, args=("ran", None))


def draw_account(here: Here, acting: Acting, work: Work) -> None:
    """What was done, what was refused and why, what was not reached; each row of it as a file."""
    if work.done:
        st.success(marked(done(work)), icon=":material/check:")
        _of_done(work)
    if work.refused:
        st.warning(str(says_n("{count} was refused:", "{count} were refused:", count=len(work.refused))))
        _of_rows(list(work.refused.items())[:LONG], _("Why"))
    if work.left:
        why = f"{work.stopped} " if work.stopped else ""
        left = says_n("Not reached: {count} row.", "Not reached: {count} rows.", count=len(work.left))
        st.warning(f"{why}{left}", icon=":material/pause_circle:")
    if max(len(work.done), len(work.refused)) > LONG:
        st.caption(_("Only the first {count} are listed here. The file has every row.", count=LONG))
    with st.container(horizontal=True, horizontal_alignment="right"):
        if len(work.rows) > 1:
            st.download_button(
                _("Download the account"),
                account_csv(work),
                f"{acting.name}.csv",
                "text/csv",
                key=here.key("acting:account"),
                icon=":material/download:",
                on_click="ignore",
            )
        if work.done and can_be_taken_back(work):
            label = undo_label(work.action)
            st.button(label, key=here.key("acting:undo"), icon=":material/undo:", on_click=take_back, args=(here, work))
        if work.left and st.button(_("Go on"), key=here.key("acting:on")):
            acting.go = True
            st.rerun(scope="fragment")
        close_button(here, _("Close"))


def _of_done(work: Work) -> None:
    """What was done: at once where there is more to say of a row, else for who asks."""
    if work.told:
        _of_rows([(row, work.told.get(row, says("done"))) for row in work.done[:LONG]], _("What was done"))
    elif len(work.rows) > 1:
        with st.expander(_("What was done")):
            st.dataframe({_("Row"): [row.name for row in work.done[:LONG]]}, hide_index=True)


def _of_rows(some: Sequence[tuple[Row, Says]], head: str) -> None:
    """What is told of each row: of a few in full, for a reason may have several lines; of many as a table."""
    if len(some) > FEW:
        names, told = [row.name for row, _say in some], [str(say) for _row, say in some]
        st.dataframe({head: told, _("Row"): names}, hide_index=True)
    for row, say in some if len(some) <= FEW else ():
        with st.container(border=True, gap=None):
            st.text(labelled(row.name, say))


def close_button(here: Here, label: str) -> None:
    """Pressed, the dialog is gone."""
    if st.button(label, key=here.key("acting:close")):
        close(here)
        st.rerun()


def done(work: Work) -> Says:
    """The sentence that is said of what was done."""
    return numbered(work.action.undone if work.undoing else work.action.done, len(work.done))


def undo_label(action: Action) -> str:
    """Told apart from the undo of a save, which may stand on the same page."""
    return _("Undo: {action}", action=action.verb or action.label)


def can_be_taken_back(work: Work) -> bool:
    """Whether its action has an undo, and it is not that itself."""
    return work.action.undo is not None and not work.undoing
