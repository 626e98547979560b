"""The dialog of an action: a count, a sample and a question; inputs; progress; then an account of each row."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import streamlit as st

from crm.errors import Invalid, ThanosError
from crm.grid.acting import STEP, Chosen, Every, Row, Sight, Ticked, Work, account_csv, numbered, sight
from crm.grid.choosing import untick
from crm.grid.config import Action
from crm.grid.frame import names_of, permitted
from crm.grid.inputs import draw, drawables, read_inputs
from crm.grid.saving import one_row
from crm.grid.state import Here, telling
from crm.i18n import Says, _, literal, marked, says, says_n

LONG = 100
FEW = 3
UNDO_FOR = timedelta(minutes=5)


@dataclass(eq=False)
class Acting:
    """An action that was asked for: to what, what was seen of it, and the work once it is under way."""

    name: str
    chosen: Chosen
    seen: Sight | None = None
    before: int | None = None
    faults: Mapping[str, Says] = field(default_factory=dict)
    work: Work | None = None
    go: bool = False


@dataclass(frozen=True)
class Did:
    """What was done last and can be taken back: the line above the table."""

    work: Work
    at: datetime


def ask(here: Here, name: str, chosen: Chosen) -> None:
    """The dialog of that action opens with the next drawing."""
    here.remember("acting", Acting(name, chosen))
    here.remember("did", None)


def act_on_one(here: Here, name: str, key: Any) -> None:
    """A row's own button: runs at once where nothing is to be asked, else opens the dialog."""
    me = here.again()
    action = None if me is None else _offered(me, name)
    if me is None or action is None:
        return
    with telling(me):
        with me.connection.reading() as session:
            found = one_row(me.config, session, me.actor, key)
            row = Row(key, names_of(me.config, session, me.actor, [found])[key])
        if action.confirm is not None or action.params:
            ask(me, name, Ticked((row,)))
            return
        work = Work(action, action.run, {}, [row])
        work.step(me.connection.writing, me.actor, me.connection.now())
        why = work.stopped or work.refused.get(row)
        if why is None:
            me.say(marked(work.told.get(row) or _done(work)))
        else:
            me.say(marked(why), icon=":material/block:")


def undo_line(here: Here) -> None:
    """Right after an action that can be taken back: what was done, and the button that does."""
    did: Did | None = here.recall("did")
    if did is None or here.connection.now() - did.at > UNDO_FOR:
        return
    with st.container(border=True, horizontal=True, vertical_alignment="center", key=here.key("line-of-undo")):
        st.markdown(f":material/check: {_done(did.work)}", width="stretch")
        st.button(
            _undo_label(did.work.action),
            key=here.key("undo"),
            icon=":material/undo:",
            type="primary",
            on_click=_undo,
            args=(here, did.work),
        )
        st.button(_("Close"), key=here.key("undo-close"), type="tertiary", on_click=here.remember, args=("did", None))


def action_dialog(here: Here) -> None:
    """The dialog of the action that was asked for."""
    acting: Acting | None = here.recall("acting")
    action = None if acting is None else _offered(here, acting.name)
    if acting is None or action is None:
        _close(here)
        return

    def dismissed() -> None:
        # Whoever closes it while it runs stops it, and reads first how far it came.
        if acting.work is None or not acting.work.left or not acting.work.reached:
            _close(here)

    @st.dialog(str(_title(action, acting)), on_dismiss=dismissed)
    def opened() -> None:
        # A dialog runs again without the table around it.
        me = here.again()
        if me is None or me.recall("acting") is not acting:
            st.rerun()
        area = st.empty()
        if acting.work is None:
            with area.container():
                _question(me, action, acting)
        elif acting.go:
            acting.go = False
            with area.container():
                _work(me, acting, acting.work)
        else:
            with area.container():
                _account(me, acting, acting.work)

    opened()


def _question(here: Here, action: Action, acting: Acting) -> None:
    try:
        if acting.seen is None:
            acting.seen = sight(_rows(here, acting))
    except ThanosError as error:
        st.error(marked(error.says), icon=":material/error:")
        _close_button(here, _("Cancel"))
        return
    seen = acting.seen
    if not seen.number:
        st.info(_("Nothing matches any more."))
        _close_button(here, _("Close"))
        return
    if acting.before is not None:
        st.warning(
            _(
                "What matches has changed since you looked: {before} rows then, {now} now. Look once more.",
                before=acting.before,
                now=seen.number,
            )
        )
    chosen = says_n("**{count}** row is chosen:", "**{count}** rows are chosen:", count=seen.number)
    st.markdown(str(chosen if action.confirm is None else numbered(action.confirm, seen.number)))
    more = seen.number - len(seen.sample)
    st.caption(
        literal(", ".join(row.name for row in seen.sample)) + (_(" and {count} more", count=more) if more else "")
    )
    with here.connection.reading() as session:
        inputs = drawables(here, session, action.params)
    with st.form(here.key("acting:form"), border=False):
        held = {one.name: draw(here, one, f"acting:{action.name}", None, acting.faults.get(one.name)) for one in inputs}
        with st.container(horizontal=True, horizontal_alignment="right"):
            cancelled = st.form_submit_button(_("Cancel"))
            pressed = st.form_submit_button(str(action.verb or action.label), type="primary")
    if cancelled:
        _close(here)
        st.rerun()
    if pressed:
        values, acting.faults = read_inputs(here, inputs, held)
        if not acting.faults:
            _begin(here, action, acting, values)
        st.rerun(scope="fragment")


def _begin(here: Here, action: Action, acting: Acting, values: Mapping[str, Any]) -> None:
    """The rows are what they are now; where they are others than were seen, that is told instead."""
    try:
        rows = _rows(here, acting)
    except ThanosError:
        acting.seen = None
        return
    now, seen = sight(rows), acting.seen
    if seen is not None and isinstance(acting.chosen, Every) and now.mark != seen.mark:
        acting.before, acting.seen = seen.number, now
        return
    acting.work, acting.go = Work(action, action.run, values, rows), True


def _work(here: Here, acting: Acting, work: Work) -> None:
    """Step by step, with the person asked for again before each. Ends with the account, or at once if all is well."""
    total = len(work.rows)

    def said() -> str:
        return _("{count} of {total}", count=work.reached, total=total)

    progress = st.progress(work.reached / total, text=said())
    if total > STEP:
        st.button(_("Stop"), key=here.key("acting:stop"))
    while work.left:
        me = here.again()
        if me is None:
            work.stopped = says("You are no longer signed in.")
            break
        try:
            work.step(me.connection.writing, me.actor, me.connection.now())
        except Invalid as error:
            acting.work, acting.faults = None, error.fields
            st.rerun(scope="fragment")
        if work.stopped is not None:
            break
        progress.progress(work.reached / total, text=said())
    if work.left or work.refused or work.told:
        st.rerun(scope="fragment")
    if work.action.undo is not None and not work.undoing:
        here.remember("did", Did(work, here.connection.now()))
    else:
        here.say(marked(_done(work)))
    _close(here)
    st.rerun()


def _account(here: Here, acting: Acting, work: Work) -> None:
    if work.done:
        st.success(marked(_done(work)), icon=":material/check:")
    _of_rows(list(work.told.items())[:LONG], _("What was done"))
    if work.refused:
        st.warning(str(says_n("{count} was refused:", "{count} were refused:", count=len(work.refused))))
        _of_rows(list(work.refused.items())[:LONG], _("Why"))
    if work.left:
        why = f"{work.stopped} " if work.stopped else ""
        left = says_n("Not reached: {count} row.", "Not reached: {count} rows.", count=len(work.left))
        st.warning(f"{why}{left}", icon=":material/pause_circle:")
    with st.container(horizontal=True, horizontal_alignment="right"):
        if len(work.rows) > LONG:
            st.download_button(
                _("Download the account"),
                account_csv(work),
                f"{acting.name}.csv",
                "text/csv",
                key=here.key("acting:account"),
                icon=":material/download:",
                on_click="ignore",
            )
        if work.done and work.action.undo is not None and not work.undoing:
            label = _undo_label(work.action)
            st.button(label, key=here.key("acting:undo"), icon=":material/undo:", on_click=_undo, args=(here, work))
        if work.left and st.button(_("Go on"), key=here.key("acting:on")):
            acting.go = True
            st.rerun(scope="fragment")
        _close_button(here, _("Close"))


def _of_rows(some: Sequence[tuple[Row, Says]], head: str) -> None:
    """What is told of each row: of a few in full, for a reason may have several lines; of many as a table."""
    if len(some) > FEW:
        names, told = [row.name for row, _say in some], [str(say) for _row, say in some]
        st.dataframe({head: told, _("Row"): names}, hide_index=True)
    for row, say in some if len(some) <= FEW else ():
        with st.container(border=True, gap=None):
            st.text(f"{row.name}: {say}")


def _rows(here: Here, acting: Acting) -> list[Row]:
    with here.connection.reading() as session:
        return acting.chosen.rows(here.config, session, here.actor, here.zone)


def _undo(here: Here, work: Work) -> None:
    """What was done is taken back, in the same way in which it was done."""
    if work.action.undo is None:
        return
    back = Acting(work.action.name, Ticked(tuple(work.done)), go=True)
    back.work = Work(work.action, work.action.undo, {}, list(work.done), undoing=True)
    here.remember("acting", back)
    here.remember("did", None)


def _done(work: Work) -> Says:
    return numbered(work.action.undone if work.undoing else work.action.done, len(work.done))


def _title(action: Action, acting: Acting) -> Says | str:
    return _undo_label(action) if acting.work is not None and acting.work.undoing else action.label


def _undo_label(action: Action) -> str:
    """Told apart from the undo of a save, which may stand on the same page."""
    return _("Undo: {action}", action=action.verb or action.label)


def _offered(here: Here, name: str) -> Action | None:
    return next((action for action in permitted(here.config, here.actor) if action.name == name), None)


def _close_button(here: Here, label: str) -> None:
    if st.button(label, key=here.key("acting:close")):
        _close(here)
        st.rerun()


def _close(here: Here) -> None:
    acting: Acting | None = here.recall("acting")
    here.remember("acting", None)
    if acting is not None and acting.work is not None:
        untick(here)
