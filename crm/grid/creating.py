"""A related row made on the spot: a small form inside the form that wants to refer to it."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import streamlit as st
from sqlmodel import Session

from crm.errors import Invalid, ThanosError
from crm.grid.fields import attribute
from crm.grid.form_config import Form
from crm.grid.inputs import Drawable, draw, drawables, read_inputs
from crm.grid.relations import Relation
from crm.grid.state import Here
from crm.i18n import Says, _, marked


class Creating:
    """The inputs of one form that can make what they refer to, and what was pressed about it in this run.

    `part` is the form's key in the URL. At most one small form is open: that of the input `asked`.
    """

    def __init__(self, here: Here, session: Session, part: str, inputs: list[Drawable]) -> None:
        self.part = part
        self.offered = {one.name: one for one in inputs if one.create is not None and not one.closed}
        self.asked = self.offered.get(here.recall(f"{part}:creating", ""))
        self.pressed = ""
        self._inputs: list[Drawable] = []
        self._held: dict[str, Any] = {}
        if self.asked is not None:
            form, relation = _parts(self.asked)
            fields = form.inputs(session, here.actor, None)
            self._inputs = drawables(_of(here, relation), session, fields, self._prefix)

    @property
    def _prefix(self) -> str:
        return f"{self.part}:new"

    def draw(self, here: Here, one: Drawable) -> None:
        """Below the input: the button that opens the small form, or the form."""
        if one.name not in self.offered:
            return
        form, relation = _parts(one)
        if one != self.asked:
            if st.form_submit_button(
                str(form.title), key=here.key(f"{self.part}:create:{one.name}"), icon=":material/add:", type="tertiary"
            ):
                self.pressed = f"open:{one.name}"
            return
        faults: Mapping[str, Says] = here.recall(f"{self.part}:new-faults", {})
        with st.container(border=True, gap="small"):
            st.markdown(f"**{form.title}**")
            for each in self._inputs:
                self._held[each.name] = draw(_of(here, relation), each, self._prefix, None, faults.get(each.name))
            whole = here.recall(f"{self.part}:new-error")
            if whole is not None:
                st.markdown(f":red[:material/error: {marked(whole)}]")
            with st.container(horizontal=True):
                if st.form_submit_button(_("Add and choose"), key=here.key(f"{self.part}:new-add")):
                    self.pressed = "add"
                if st.form_submit_button(_("Do not add"), key=here.key(f"{self.part}:new-drop"), type="tertiary"):
                    self.pressed = "drop"

    def settle(self, here: Here, *, entered: bool) -> bool:
        """Does what was pressed, Enter in the small form included. Whether the form has to be drawn again."""
        if self.pressed.startswith("open:"):
            self._forget(here)
            here.remember(f"{self.part}:creating", self.pressed.removeprefix("open:"))
        elif self.pressed == "drop":
            self._forget(here)
        elif self.asked is not None and (self.pressed == "add" or entered):
            self._add(here, self.asked)
        else:
            return False
        return True

    def _add(self, here: Here, one: Drawable) -> None:
        form, relation = _parts(one)
        values, faults = read_inputs(_of(here, relation), self._inputs, self._held)
        whole: Says | None = None
        if not faults:
            try:
                with here.connection.writing() as session:
                    here.actor.require(form.needs)
                    cleaned = form.clean(session, here.actor, values, None)
                    added = form.run(session, here.actor, cleaned, here.connection.now())
                    key = _key_of(session, relation, added)
            except Invalid as invalid:
                drawn = {each.name for each in self._inputs}
                faults = {name: fault for name, fault in invalid.fields.items() if name in drawn}
                whole = None if faults else invalid.says
            except ThanosError as error:
                whole = error.says
            else:
                self._forget(here)
                # The input takes it before it is drawn next: what is drawn already cannot be set.
                here.remember(f"{self.part}:made", (one.name, one.many, key))
                here.say(marked(form.done(added) if callable(form.done) else form.done))
                return
        here.remember(f"{self.part}:new-faults", faults)
        here.remember(f"{self.part}:new-error", whole)

    def _forget(self, here: Here) -> None:
        for key in [key for key in st.session_state if str(key).startswith(here.key(self._prefix))]:
            del st.session_state[key]
        st.session_state.pop(here.key(f"{self.part}:creating"), None)


def choose_created(here: Here, part: str, prefix: str) -> None:
    """The row that was just made is chosen in its input. Before the inputs are drawn."""
    made = st.session_state.pop(here.key(f"{part}:made"), None)
    if made is not None:
        name, many, key = made
        chosen = here.recall(f"{prefix}:{name}") or []
        here.remember(f"{prefix}:{name}", [*chosen, key] if many else key)


def _parts(one: Drawable) -> tuple[Form, Relation]:
    assert one.create is not None
    assert one.relation is not None
    return one.create, one.relation


def _of(here: Here, relation: Relation) -> Here:
    """The table as its related model would have it: the site's words, and no columns."""
    theirs = replace(here.config, model=relation.target, columns=(), edit=None, add=None)
    return replace(here, config=theirs, declared=theirs)


def _key_of(session: Session, relation: Relation, added: Any) -> Any:
    """What a foreign key to the new row holds: it may refer to another field than the primary key."""
    primary = added if isinstance(added, int | str) else added.id
    row = session.get_one(relation.target, primary)
    return getattr(row, attribute(relation.target, relation.key).key)
