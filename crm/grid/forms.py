"""Dialogs that add and edit a row, generated from the model."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import streamlit as st
from sqlmodel import Session

from crm.errors import Invalid, Refused, ThanosError
from crm.grid.creating import Creating, choose_created
from crm.grid.editor import save_one
from crm.grid.edits import Change
from crm.grid.fields import path, whole_number
from crm.grid.form_config import Asking, EditForm, Form, as_inputs
from crm.grid.inputs import Drawable, draw, drawables, read_inputs
from crm.grid.relations import values_of
from crm.grid.saving import one_row, why_closed
from crm.grid.shortcuts import SAVE
from crm.grid.state import Here
from crm.grid.visits import hold_form
from crm.i18n import Says, _, labelled, listed, marked, says, says_n

ONE_COLUMN = 6
"""A form of more inputs has two columns, one below the other on a phone."""
ONE_OF = "(*)"


@dataclass(frozen=True)
class Opened:
    """One open form: `part` is its key in the URL, `row` what is edited, as it was when the form was opened.

    `held` are the values that it showed first, `closed` why some of them cannot be changed.
    """

    part: str
    form: Asking
    submit: Callable[[Here, dict[str, Any]], Says | None]
    row: Any = None
    held: Mapping[str, Any] | None = None
    closed: Mapping[str, Says] | None = None
    name: str = ""

    def prefix(self, here: Here) -> str:
        """What the keys of its widgets begin with: other widgets for another row, and after each row added."""
        return f"{self.part}:{self.name or here.recall(f'{self.part}:round', 0)}"


def add_dialog(here: Here, form: Form) -> None:
    """The dialog that adds a row. Faults stand beside their inputs and nothing typed is lost."""

    def submit(me: Here, values: dict[str, Any]) -> Says:
        with me.connection.writing() as session:
            me.actor.require(form.needs)
            cleaned = form.clean(session, me.actor, values, None)
            added = form.run(session, me.actor, cleaned, me.connection.now())
        return form.done(added) if callable(form.done) else form.done

    _dialog(here, Opened("add", form, submit))


def edit_asked(here: Here) -> None:
    """The dialog that the address asks for by `?edit=17`, if it does. Raises what it is refused for."""
    form, raw = here.config.edit, here.asked("edit")
    if form is not None and raw is not None:
        required(here, form.needs)
        hold_form(here, "edit")
        edit_dialog(here, form, raw)


def required(here: Here, needs: str) -> None:
    """Refuses a form that the address asks for, once in such a way that the host learns of it."""
    if here.actor.may(needs) or here.recall("refused") == needs:
        here.actor.require(needs)
        return
    here.remember("refused", needs)
    with here.connection.writing():
        here.actor.require(needs)


def edit_dialog(here: Here, form: EditForm, raw_id: str) -> None:
    """The dialog that edits the row whose key is `raw_id`, against the version that it showed."""
    config = here.config
    with here.connection.reading() as session:
        row = one_row(config, session, here.actor, read_key(here, raw_id))
        names = [one.name for one in as_inputs(form.inputs(session, here.actor, row))]
        shut = why_closed(config, session, here.actor, row, names)
        if names and shut.keys() >= set(names):
            raise Refused(shut[names[0]])
        seen = here.recall("edit:seen")
        if seen is None or seen[0] != raw_id:
            seen = (raw_id, getattr(row, config.version, 0), values_of(config, session, row, names))
            here.remember("edit:seen", seen)
    _key, version, held = seen

    def submit(me: Here, typed: dict[str, Any]) -> Says | None:
        with me.connection.reading() as session:
            me.actor.require(form.needs)
            cleaned = form.clean(session, me.actor, typed, row)
        changed = {name: value for name, value in cleaned.items() if not _alike(value, held.get(name))}
        if not changed:
            return says("Nothing was changed.")
        saved = save_one(me, Change(getattr(row, config.key), version, changed))
        if saved.contests:
            # Decided above the list.
            me.ask("open", None)
            return None
        return says("Saved.")

    _dialog(here, Opened("edit", form, submit, row, held, shut, raw_id))


def read_key(here: Here, raw: str) -> Any:
    """The key in the URL as the key's type. Raises `Invalid`."""
    kind = path(here.config.model, here.config.key).last.kind
    if kind == "text":
        return raw
    try:
        return whole_number(raw)
    except ValueError:
        raise Invalid(says("{value} is not the number of a record.", value=raw[:40])) from None


def close(here: Here, part: str) -> None:
    """The dialog is closed: out of the URL, and nothing of it remembered."""
    here.ask(part, None)
    here.forget(part)


def _dialog(here: Here, opened: Opened) -> None:
    def dismissed() -> None:
        close(here, opened.part)

    wide = len(opened.form.fields) > ONE_COLUMN

    @st.dialog(str(opened.form.title), on_dismiss=dismissed, width="large" if wide else "medium")
    def drawn() -> None:
        # A dialog runs again without the table around it.
        me = here.again()
        if me is None:
            st.rerun()
        me.told()
        _form(me, opened)

    drawn()


def _form(here: Here, opened: Opened) -> None:
    part, prefix = opened.part, opened.prefix(here)
    choose_created(here, part, prefix)
    with here.connection.reading() as session:
        inputs = _inputs(here, session, opened)
        new = Creating(here, session, part, inputs)
    faults: dict[str, Says] = here.recall(f"{part}:faults", {})
    held: dict[str, Any] = {}
    with st.form(here.key(f"{part}:form"), border=False, enter_to_submit=True):
        # Enter presses the first button of a form. This one nobody sees.
        enter = st.form_submit_button("Enter", key=here.key(f"{part}:enter-hidden"))
        for column, some in _columns(inputs):
            with column:
                for one in some:
                    held[one.name] = draw(here, one, prefix, _initial(one, opened), faults.get(one.name))
                    new.draw(here, one)
        _legend(inputs)
        pressed = _buttons(here, opened, inputs, faults)
    if pressed == "cancel":
        close(here, part)
        st.rerun()
    if not pressed and new.settle(here, entered=enter):
        st.rerun(scope="fragment")
    if pressed in ("save", "another") or (enter and not _sought(here, opened, inputs)):
        _submitted(here, opened, inputs, held, another=pressed == "another")


def _inputs(here: Here, session: Session, opened: Opened) -> list[Drawable]:
    fields = opened.form.inputs(session, here.actor, opened.row)
    marked = {name for group in opened.form.one_of for name in group}
    shut = opened.closed or {}
    return [
        replace(one, mark=ONE_OF if one.name in marked else "", closed=str(shut.get(one.name, "")))
        for one in drawables(here, session, fields, opened.prefix(here), opened.held)
    ]


def _columns(inputs: list[Drawable]) -> list[tuple[Any, list[Drawable]]]:
    """The inputs in one column, or in two of about one height, so that their order stays that of the form."""
    if len(inputs) <= ONE_COLUMN:
        return [(st.container(), inputs)]
    heights = [1 + bool(one.box) + 0.5 * bool(one.create) + 0.5 * (one.rule.kind == "long") for one in inputs]
    half = next(count for count in range(1, len(inputs)) if sum(heights[:count]) * 2 >= sum(heights))
    left, right = st.columns(2, gap="medium")
    return [(left, inputs[:half]), (right, inputs[half:])]


def _legend(inputs: list[Drawable]) -> None:
    words = ["\\* " + _("is needed")] if any(one.rule.required for one in inputs) else []
    starred = [one.label for one in inputs if one.mark]
    if starred:
        words.append("(\\*) " + _("one of these is needed: {fields}", fields=listed(starred)))
    if words:
        st.caption(" · ".join(words))


def _buttons(here: Here, opened: Opened, inputs: list[Drawable], faults: Mapping[str, Says]) -> str:
    """What was pressed. Beside the buttons what is wrong, so that it is seen wherever the form was scrolled to."""
    part = opened.part
    pressed = ""
    with st.container(
        horizontal=True, horizontal_alignment="right", vertical_alignment="center", key=here.key(f"{part}:line-of-save")
    ):
        whole = here.recall(f"{part}:error")
        wrong = [one.label for one in inputs if one.name in faults]
        if whole is not None:
            st.markdown(f":red[:material/error: {marked(whole)}]", width="stretch")
        elif wrong:
            count = says_n("{count} field needs attention", "{count} fields need attention", count=len(wrong))
            st.markdown(f":red[:material/error: {labelled(count, listed(wrong))}]", width="stretch")
        if st.form_submit_button(_("Cancel"), key=here.key(f"{part}:cancel"), type="tertiary"):
            pressed = "cancel"
        if isinstance(opened.form, Form) and st.form_submit_button(
            _("Save and add another"), key=here.key(f"{part}:another")
        ):
            pressed = "another"
        if st.form_submit_button(_("Save"), key=here.key(f"{part}:save"), type="primary", shortcut=SAVE):
            pressed = "save"
    return pressed


def _sought(here: Here, opened: Opened, inputs: list[Drawable]) -> bool:
    """Whether Enter was pressed for a search: some box says something else than when it was last looked at."""
    texts = {one.name: here.recall(f"{opened.prefix(here)}:{one.name}:find") or "" for one in inputs if one.box}
    before = here.recall(f"{opened.part}:sought", dict.fromkeys(texts, ""))
    here.remember(f"{opened.part}:sought", texts)
    return bool(texts != before)


def _submitted(here: Here, opened: Opened, inputs: list[Drawable], held: dict[str, Any], *, another: bool) -> None:
    values, faults = read_inputs(here, inputs, held)
    values = _with_unseen(inputs, values, opened.held or {})
    faults = _none_of(opened.form, inputs, {**(opened.held or {}), **values}) | faults
    whole: Says | None = None
    done: Says | None = None
    if not faults:
        try:
            done = opened.submit(here, values)
        except Invalid as invalid:
            drawn = {one.name for one in inputs}
            faults = {name: fault for name, fault in invalid.fields.items() if name in drawn}
            beyond = [fault for name, fault in invalid.fields.items() if name not in drawn]
            whole = beyond[0] if beyond else None if faults else invalid.says
        except ThanosError as error:
            whole = error.says
        else:
            if done is not None:
                here.say(marked(done))
            if another:
                again = here.recall(f"{opened.part}:round", 0) + 1
                here.forget(opened.part)
                here.remember(f"{opened.part}:round", again)
                st.rerun(scope="fragment")
            close(here, opened.part)
            st.rerun()
    here.remember(f"{opened.part}:faults", faults)
    here.remember(f"{opened.part}:error", whole)
    st.rerun(scope="fragment")


def _with_unseen(inputs: list[Drawable], values: dict[str, Any], held: Mapping[str, Any]) -> dict[str, Any]:
    """The values, and what this person cannot see of them: nobody takes away what they were not shown."""
    made = dict(values)
    for one in inputs:
        if one.relation is None or one.options is None or one.name not in values or held.get(one.name) is None:
            continue
        if one.many:
            made[one.name] = [*values[one.name], *(key for key in held[one.name] if key not in one.options)]
        elif values[one.name] is None and held[one.name] not in one.options:
            made[one.name] = held[one.name]
    return made


def _none_of(form: Asking, inputs: list[Drawable], values: Mapping[str, Any]) -> dict[str, Says]:
    """A fault for each group of which one is needed and all are empty, at the first of them."""
    labels = {one.name: one.label for one in inputs}
    made: dict[str, Says] = {}
    for group in form.one_of:
        asked = [name for name in group if name in labels]
        if asked and not any(values.get(name) for name in asked):
            made[asked[0]] = says("One of these is needed: {fields}.", fields=listed(labels[name] for name in asked))
    return made


def _alike(value: Any, held: Any) -> bool:
    if isinstance(value, list):
        return set(value) == set(held or ())
    return bool(value == held)


def _initial(one: Drawable, opened: Opened) -> Any:
    value = (opened.held or {}).get(one.name)
    return value / 100 if one.rule.kind == "money" and value is not None else value
