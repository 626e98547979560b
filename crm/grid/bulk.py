"""Actions on ticked rows: a bar of buttons, a question and inputs before, an account of each row after."""

from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st
from sqlalchemy.exc import IntegrityError

from crm.errors import ThanosError
from crm.grid.config import Action
from crm.grid.frame import Shown, permitted
from crm.grid.inputs import draw, drawables, read_inputs
from crm.grid.state import Here
from crm.i18n import Says, _, says, says_n


def bar(here: Here, ticked: frozenset[Any], shown: Shown) -> None:
    """The actions for the ticked rows. Always in its place, so that a first tick does not move the table."""
    actions = permitted(here.config, here.actor)
    if not actions:
        return
    ids = tuple(row for row in shown.snapshot.ids if row in ticked)
    with st.container(horizontal=True, vertical_alignment="center", key=here.key("line-of-actions")):
        for action in actions:
            st.button(
                str(action.label),
                key=here.key(f"act:{action.name}"),
                icon=action.icon,
                disabled=not ids,
                on_click=_asked,
                args=(here, action.name, ids, {row: shown.names[row] for row in ids}),
            )
        if ids:
            st.markdown(str(says_n("**{count}** ticked", "**{count}** ticked", count=len(ids))), width="content")
            st.button(_("Untick all"), key=here.key("untick"), type="tertiary", on_click=_untick, args=(here,))
        else:
            st.caption(_("Tick rows to choose them."), width="content")
        if len(ids) < len(shown.snapshot.ids):
            st.button(
                _("Tick all on this page"),
                key=here.key("tick"),
                type="tertiary",
                on_click=_tick,
                args=(here, shown.snapshot.ids),
            )


def act_on_one(here: Here, name: str, row: Any) -> None:
    """A row's own button: runs at once where nothing is to be asked, else opens the dialog."""
    action = _action(here, name)
    if action.confirm is not None or action.params:
        _asked(here, name, (row,), {})
        return
    refused = _run(here, action, (row,), {})
    why = refused.get(row)
    if row in refused and why is not None:
        here.say(str(why), icon=":material/block:")
    else:
        here.say(str(_done(action, 1)))


def action_dialog(here: Here) -> None:
    """The dialog of the action that was asked for: question, inputs, then the account."""
    asked = here.recall("acting")
    if asked is None:
        return
    name, ids, names = asked
    action = _action(here, name)

    def dismissed() -> None:
        _close(here)

    @st.dialog(str(action.label), on_dismiss=dismissed)
    def opened() -> None:
        # A dialog runs again without the table around it.
        me = here.again()
        if me is None:
            st.rerun()
        account = here.recall("account")
        if account is not None:
            _account(me, action, ids, names, account)
        else:
            _question(me, action, ids, names)

    opened()


def _question(here: Here, action: Action, ids: Sequence[Any], names: Mapping[Any, str]) -> None:
    count = len(ids)
    if action.confirm is not None:
        st.markdown(str(Says(action.confirm.text, (*action.confirm.values, ("count", count)), action.confirm.plural)))
    sample = [names.get(key, str(key)) for key in ids[:5]]
    if sample and names:
        more = _(" and {count} more", count=count - len(sample)) if count > len(sample) else ""
        st.caption(", ".join(sample) + more)
    with here.connection.reading() as session:
        inputs = drawables(here, session, action.params)
    faults = here.recall("acting:faults", {})
    with st.form(here.key("acting:form"), border=False):
        held = {one.name: draw(here, one, f"acting:{action.name}", None, faults.get(one.name)) for one in inputs}
        with st.container(horizontal=True, horizontal_alignment="right"):
            pressed = st.form_submit_button(str(action.label), type="primary")
    if not pressed:
        return
    values, faults = read_inputs(here, inputs, held)
    here.remember("acting:faults", faults)
    if not faults:
        account = _run(here, action, ids, values)
        here.remember("account", account)
        if not any(account.values()):
            # Nothing to read: a sentence that goes away by itself.
            here.say(str(_done(action, len(ids))))
            _close(here)
            st.rerun()
    st.rerun(scope="fragment")


def _account(
    here: Here, action: Action, ids: Sequence[Any], names: Mapping[Any, str], account: Mapping[Any, Says | None]
) -> None:
    refused = {key: why for key, why in account.items() if why is not None}
    done = len(ids) - len(refused)
    if done:
        st.success(str(_done(action, done)), icon=":material/check:")
    if refused:
        st.warning(str(says_n("{count} was refused:", "{count} were refused:", count=len(refused))))
        st.dataframe(
            {
                _("Row"): [names.get(key, str(key)) for key in refused],
                _("Why"): [str(why) for why in refused.values()],
            },
            hide_index=True,
        )
    if st.button(_("Close"), key=here.key("acting:close")):
        _close(here)
        st.rerun()


def _run(here: Here, action: Action, ids: Sequence[Any], params: Mapping[str, Any]) -> Mapping[Any, Says | None]:
    """Runs the action in one transaction. An error that stops it is every row's reason."""
    me = here.again()
    if me is None:
        return dict.fromkeys(ids, says("You are no longer signed in."))
    try:
        with me.connection.writing() as session:
            me.actor.require(action.needs)
            return dict(action.run(session, me.actor, list(ids), me.connection.now(), **params))
    except ThanosError as error:
        return dict.fromkeys(ids, error.says)
    except IntegrityError:
        return dict.fromkeys(ids, says("The database refuses this. Nothing was changed."))


def _done(action: Action, count: int) -> Says:
    return Says(action.done.text, (*action.done.values, ("count", count)), action.done.plural)


def _action(here: Here, name: str) -> Action:
    return next(action for action in here.config.actions if action.name == name)


def _asked(here: Here, name: str, ids: tuple[Any, ...], names: Mapping[Any, str]) -> None:
    here.remember("acting", (name, ids, names))
    here.remember("account", None)
    here.remember("acting:faults", {})


def _close(here: Here) -> None:
    done = here.recall("account") is not None
    for part in ("acting", "account", "acting:faults"):
        st.session_state.pop(here.key(part), None)
    if done:
        _untick(here)


def _tick(here: Here, ids: tuple[Any, ...]) -> None:
    here.remember("ticked", frozenset(ids))
    here.keep(here.memory.renewed())


def _untick(here: Here) -> None:
    here.remember("ticked", frozenset())
    here.keep(here.memory.renewed())
