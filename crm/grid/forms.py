"""Dialogs that add and edit a row, generated from the model."""

from collections.abc import Callable
from typing import Any

import streamlit as st

from crm.errors import Invalid, ThanosError
from crm.grid.config import EditForm, Form
from crm.grid.editor import save_one
from crm.grid.edits import Change
from crm.grid.fields import path, whole_number
from crm.grid.inputs import Drawable, draw, drawables, read_inputs
from crm.grid.saving import one_row
from crm.grid.state import Here
from crm.i18n import Says, _, says


def add_dialog(here: Here, form: Form) -> None:
    """The dialog that adds a row. Faults stand beside their inputs and nothing typed is lost."""

    def submit(values: dict[str, Any]) -> Says:
        me = here.again()
        if me is None:
            raise Invalid(says("You are no longer signed in."))
        with me.connection.writing() as session:
            added = form.run(session, me.actor, values, me.connection.now())
        return form.done(added) if callable(form.done) else form.done

    _dialog(here, "add", form.title, form.fields, {}, submit)


def edit_dialog(here: Here, form: EditForm, raw_id: str) -> None:
    """The dialog that edits the row whose key is `raw_id`, against the version that it showed."""
    with here.connection.reading() as session:
        row = one_row(here.config, session, here.actor, read_key(here, raw_id))
    names = [one if isinstance(one, str) else one.name for one in form.fields]
    values = {name: getattr(row, name, None) for name in names}
    held = here.recall("edit:seen")
    if held is None or held[0] != raw_id:
        here.remember("edit:seen", (raw_id, getattr(row, here.config.version, 0), values))
    _row, version, seen = here.recall("edit:seen")

    def submit(typed: dict[str, Any]) -> Says:
        me = here.again()
        if me is None:
            raise Invalid(says("You are no longer signed in."))
        changed = {name: value for name, value in typed.items() if value != seen.get(name)}
        if changed:
            save_one(me, Change(getattr(row, here.config.key), version, changed))
        return says("Saved.")

    _dialog(here, "edit", form.title, form.fields, seen, submit)


def read_key(here: Here, raw: str) -> Any:
    """The key in the URL as the key's type. Raises `Invalid`."""
    kind = path(here.config.model, here.config.key).last.kind
    if kind == "text":
        return raw
    try:
        return whole_number(raw)
    except ValueError:
        raise Invalid(says("{value} is not the number of a record.", value=raw[:40])) from None


def _dialog(
    here: Here,
    part: str,
    title: Says,
    fields: tuple[Any, ...],
    values: dict[str, Any],
    submit: Callable[[dict[str, Any]], Says],
) -> None:
    def dismissed() -> None:
        close(here, part)

    @st.dialog(str(title), on_dismiss=dismissed, width="medium")
    def opened() -> None:
        # A dialog runs again without the table around it.
        me = here.again()
        if me is None:
            st.rerun()
        with me.connection.reading() as session:
            inputs = drawables(me, session, fields)
        faults: dict[str, Says] = here.recall(f"{part}:faults", {})
        whole = here.recall(f"{part}:error")
        if whole is not None:
            st.error(str(whole))
        with st.form(here.key(f"{part}:form"), border=False, enter_to_submit=True):
            held = {one.name: draw(here, one, part, _initial(one, values), faults.get(one.name)) for one in inputs}
            with st.container(horizontal=True, horizontal_alignment="right"):
                pressed = st.form_submit_button(_("Save"), type="primary")
        if pressed:
            _submitted(here, part, inputs, held, submit)

    opened()


def _submitted(
    here: Here,
    part: str,
    inputs: list[Drawable],
    held: dict[str, Any],
    submit: Callable[[dict[str, Any]], Says],
) -> None:
    values, faults = read_inputs(here, inputs, held)
    whole: Says | None = None
    if not faults:
        try:
            done = submit(values)
        except Invalid as invalid:
            faults = {name: fault for name, fault in invalid.fields.items() if name in values}
            whole = None if faults else invalid.says
        except ThanosError as error:
            whole = error.says
        else:
            here.say(str(done))
            close(here, part)
            st.rerun()
    here.remember(f"{part}:faults", faults)
    here.remember(f"{part}:error", whole)
    st.rerun(scope="fragment")


def close(here: Here, part: str) -> None:
    """The dialog is closed: out of the URL, and nothing of it remembered."""
    here.ask(part, None)
    for name in ("faults", "error", "seen"):
        st.session_state.pop(here.key(f"{part}:{name}"), None)


def _initial(one: Drawable, values: dict[str, Any]) -> Any:
    value = values.get(one.name)
    return value / 100 if one.rule.kind == "money" and value is not None else value
