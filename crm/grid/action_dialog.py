"""The dialog of an action: a count, a sample and a question; inputs; progress; then an account of each row."""

from collections.abc import Mapping
from typing import Any

import streamlit as st

from crm.errors import Invalid, ThanosError
from crm.grid.account import can_be_taken_back, close_button, done, draw_account, undo_label
from crm.grid.acting import STEP, Every, Row, Ticked, Work, numbered, sight
from crm.grid.asking import Acting, Did, ask, close, heeded, noting
from crm.grid.config import Action
from crm.grid.frame import names_of, permitted
from crm.grid.inputs import draw, drawables, read_inputs
from crm.grid.saving import one_row
from crm.grid.state import Here, telling
from crm.i18n import _, listed, literal, marked, says, says_n


def act_on_one(here: Here, name: str, key: Any, version: int) -> None:
    """A row's own button: runs at once where nothing is to be asked, else opens the dialog."""
    me = here.again()
    action = None if me is None else _offered(me, name)
    if me is None or action is None:
        return
    with telling(me):
        with me.connection.reading() as session:
            found = one_row(me.config, session, me.actor, key)
            row = Row(key, names_of(me.config, session, me.actor, [found])[key], version)
        if action.confirm is not None or action.params:
            ask(me, name, Ticked((row,)))
            return
        work = Work(action, action.run, {}, [row])
        work.step(me.connection.writing, me.actor, me.connection.now())
        why = work.stopped or work.refused.get(row)
        if why is None:
            me.say(marked(work.told.get(row) or done(work)))
        else:
            me.say(marked(why), icon=":material/block:")


def action_dialog(here: Here) -> None:
    """The dialog of the action that was asked for."""
    acting: Acting | None = here.recall("acting")
    action = None if acting is None else _offered(here, acting.name)
    if acting is None or action is None:
        close(here)
        return

    def dismissed() -> None:
        # Whoever closes it while it runs stops it, and reads first how far it came.
        if acting.work is None or not acting.work.left or not acting.work.reached:
            close(here)

    @st.dialog(_title(action, acting), on_dismiss=dismissed)
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
                draw_account(me, acting, acting.work)

    opened()


def _question(here: Here, action: Action, acting: Acting) -> None:
    try:
        if acting.seen is None:
            acting.seen = sight(_rows(here, acting), action.as_seen)
    except ThanosError as error:
        st.error(marked(error.says), icon=":material/error:")
        close_button(here, _("Cancel"))
        return
    seen = acting.seen
    if not seen.number:
        st.info(_("Nothing matches any more."))
        close_button(here, _("Close"))
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
    st.caption(literal(listed(row.name for row in seen.sample)) + (_(" and {count} more", count=more) if more else ""))
    if seen.number > STEP:
        steps = _("So many are done {count} at a time. If you stop it or leave, what is done stays done.", count=STEP)
        told = _("When you are back, you read how far it came.") if here.connection.runs is not None else ""
        st.caption(f"{steps} {told}")
    with here.connection.reading() as session:
        inputs = drawables(here, session, action.params)
    with st.form(here.key("acting:form"), border=False):
        held = {one.name: draw(here, one, f"acting:{action.name}", None, acting.faults.get(one.name)) for one in inputs}
        with st.container(horizontal=True, horizontal_alignment="right"):
            cancelled = st.form_submit_button(_("Cancel"))
            pressed = st.form_submit_button(str(action.verb or action.label), type="primary")
    if cancelled:
        close(here)
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
    now, seen = sight(rows, action.as_seen), acting.seen
    if seen is not None and isinstance(acting.chosen, Every) and now.mark != seen.mark:
        acting.before, acting.seen = seen.number, now
        return
    acting.work, acting.go = Work(action, action.run, values, rows), True
    heeded(here, acting)


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
            work.step(me.connection.writing, me.actor, me.connection.now(), noting(me, work))
        except Invalid as error:
            acting.work, acting.faults = None, error.fields
            st.rerun(scope="fragment")
        if work.stopped is not None:
            break
        progress.progress(work.reached / total, text=said())
    if work.left or work.refused or work.told:
        st.rerun(scope="fragment")
    if len(work.rows) > 1 or can_be_taken_back(work):
        here.remember("did", Did(work, here.connection.now()))
    else:
        here.say(marked(done(work)))
    close(here)
    st.rerun()


def _rows(here: Here, acting: Acting) -> list[Row]:
    with here.connection.reading() as session:
        return acting.chosen.rows(here.config, session, here.actor, here.zone)


def _offered(here: Here, name: str) -> Action | None:
    return next((action for action in permitted(here.config, here.actor) if action.name == name), None)


def _title(action: Action, acting: Acting) -> str:
    label = undo_label(action) if acting.work is not None and acting.work.undoing else action.label
    # The dots of a button announce the dialog; in the dialog there is nothing left to announce.
    return str(label).rstrip(".…")
