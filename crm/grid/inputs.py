"""Inputs of forms and of actions: what the model or the declaration says, drawn as the widget that fits."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time
from typing import Any

import streamlit as st
from sqlmodel import Session

from crm.grid.config import TableConfig
from crm.grid.fields import Kind, facts, label_of
from crm.grid.form_config import Fields, Form, Input, as_inputs
from crm.grid.relations import FOUND, MANY, Relation, relation_of
from crm.grid.seeing import sees
from crm.grid.state import Here, seed, stay_chosen
from crm.grid.values import Rule, Wrong, accepted
from crm.i18n import Says, _, listed, marked, says, says_n

LOG = logging.getLogger(__name__)
# Left alone, the calendar ends ten years before and after today.
FIRST, LAST = date(1900, 1, 1), date(2199, 12, 31)


@dataclass(frozen=True)
class Drawable:
    """One input with everything needed to draw it and to read what was typed.

    `box` is what a search for its choices looks into, "" where all of them are in `options`; `found` is how many it
    found, None where nothing was searched for. `more`: there are choices that are not listed, and no box finds them.
    `mark` follows the label, `closed` says why nothing can be typed.
    """

    name: str
    label: str
    rule: Rule
    many: bool
    default: Any
    options: Mapping[Any, str] | None
    help: str | None
    box: str = ""
    found: int | None = None
    more: bool = False
    create: Form | None = None
    relation: Relation | None = None
    mark: str = ""
    closed: str = ""


def drawables(
    here: Here, session: Session, fields: Fields, prefix: str = "", held: Mapping[str, Any] | None = None
) -> list[Drawable]:
    """The inputs in order, their choices read from the database where that is where they are.

    A field is left out where the person may not see its column. `held` are the values of the row that is edited.
    """
    hidden = {one.name for one in here.config.columns if not sees(here.config, here.actor, one)}
    return [
        _drawable(here, session, one, prefix, (held or {}).get(one.name))
        for one in as_inputs(fields)
        if one.name not in hidden
    ]


def _drawable(here: Here, session: Session, one: Input, prefix: str, held: Any) -> Drawable:
    config: TableConfig = here.config
    fact = facts(config.model).get(one.name)
    column = next((column for column in config.columns if column.name == one.name), None)
    if one.through is not None:
        rule = Rule("relation")
    elif fact is not None:
        rule = Rule.of(fact, one.kind or (column.kind if column else None))
    else:
        rule = Rule(one.kind or "text")
    if one.required is not None:
        rule = replace(rule, required=one.required)
    relation = relation_of(config, one)
    made = Drawable(
        one.name,
        str(config.label(one.name, one.label or (column.label if column else None))),
        rule,
        one.many or one.through is not None,
        fact.default if one.default is None and fact is not None else one.default,
        None,
        str(one.help) if one.help else None,
        create=one.create if one.create is not None and here.actor.may(one.create.needs) else None,
        relation=relation,
    )
    if one.choices is not None:
        return replace(made, options={key: str(text) for key, text in one.choices(session, here.actor).items()})
    if rule.kind == "choice":
        return replace(made, options={choice: str(label_of(choice)) for choice in rule.choices})
    if relation is not None:
        return _related(here, session, made, relation, prefix, held)
    return made


def _related(here: Here, session: Session, one: Drawable, relation: Relation, prefix: str, held: Any) -> Drawable:
    """Its choices: all of them, or those chosen and those that the search has just found."""
    every = relation.every(session, here.actor)
    if every is not None:
        # What a column shows anyway is named in the form too, also where it could not be chosen now.
        in_table = any(column.name == one.name for column in here.config.columns)
        as_it_is = replace(relation, rows=None).named(session, here.actor, [held]) if in_table else {}
        first = dict(list(every.items())[:MANY])
        return replace(one, options=as_it_is | first, more=len(every) > MANY)
    chosen = here.recall(f"{prefix}:{one.name}", held)
    keys = chosen if isinstance(chosen, list | tuple) else [chosen]
    named = relation.named(session, here.actor, keys)
    text = str(here.recall(f"{prefix}:{one.name}:find") or "")
    found = relation.found(session, here.actor, text)
    fields = [each if isinstance(each, str) else each.field for each in relation.looks_into]
    words = listed(here.config.label(field.split(".")[-1]) for field in fields)
    shown = dict(list(found.items())[:FOUND])
    return replace(one, options=named | shown, box=words, found=len(found) if text.strip() else None)


def draw(here: Here, one: Drawable, prefix: str, value: Any, fault: Says | None) -> Any:
    """Draws the input, its fault beside it, and returns what it holds.

    What it shows at first is put into the session, so that a later drawing may put something else there.
    """
    key = here.key(f"{prefix}:{one.name}")
    label = f"{one.label} {one.mark or '*'}" if one.rule.required or one.mark else one.label
    value = one.default if value is None else value
    kind: Kind = one.rule.kind
    common: dict[str, Any] = {"key": key, "help": one.closed or one.help, "disabled": bool(one.closed)}
    held: Any
    if one.options is not None:
        labels = one.options
        show = lambda choice: labels.get(choice, str(choice))  # noqa: E731
        if one.many:
            _first(key, _among(labels, value or ()))
            stay_chosen(key, labels, show)
            held = st.multiselect(label, list(labels), format_func=show, placeholder="", **common)
        else:
            _first(key, next(iter(_among(labels, [value])), None))
            _only(key, one)
            stay_chosen(key, labels, show)
            held = st.selectbox(label, list(labels), index=None, format_func=show, placeholder="", **common)
        if one.box and not one.closed:
            _finder(here, one, prefix)
        if one.more:
            st.caption(_("Only the first {count} are listed.", count=MANY))
    elif kind == "yes_no":
        _first(key, bool(value))
        held = st.checkbox(label, **common)
    elif kind == "long":
        _first(key, value or "")
        held = st.text_area(label, max_chars=one.rule.length, **common)
    elif kind == "number":
        _first(key, value)
        held = st.number_input(label, value=None, step=1, **_bounds(one.rule, int), **common)
    elif kind in ("decimal", "money"):
        _first(key, value)
        held = st.number_input(label, value=None, **_bounds(one.rule, float), **common)
    elif kind == "date":
        _first(key, value)
        held = st.date_input(label, value=None, format="YYYY-MM-DD", min_value=FIRST, max_value=LAST, **common)
    elif kind == "moment":
        _first(key, value.astimezone(here.zone).replace(tzinfo=None) if isinstance(value, datetime) else None)
        first, last = datetime.combine(FIRST, time()), datetime.combine(LAST, time())
        held = st.datetime_input(label, value=None, format="YYYY-MM-DD", min_value=first, max_value=last, **common)
    else:
        _first(key, value or "")
        held = st.text_input(label, max_chars=one.rule.length, **common)
    if fault is not None:
        st.markdown(f":red[:material/error: {marked(fault)}]")
    return held


def _finder(here: Here, one: Drawable, prefix: str) -> None:
    """The box that finds what may be chosen, and what it found."""
    with st.container(horizontal=True, vertical_alignment="bottom", gap="xsmall"):
        st.text_input(
            _("Find: {label}", label=one.label),
            key=here.key(f"{prefix}:{one.name}:find"),
            placeholder=_("Find by: {fields}", fields=one.box),
            icon=":material/search:",
            label_visibility="collapsed",
            max_chars=100,
        )
        st.form_submit_button(_("Find"), key=here.key(f"{prefix}:{one.name}:seek"))
    if one.found is not None:
        if one.found > FOUND:
            st.caption(_("More than {count} found. Type more of it.", count=FOUND))
        elif one.found:
            st.caption(str(says_n("{count} found. Choose it above.", "{count} found. Choose above.", count=one.found)))
        else:
            st.caption(_("Nothing found."))


def _only(key: str, one: Drawable) -> None:
    """What alone was found is chosen at once, where nothing was chosen yet."""
    if one.found == 1 and one.options and len(one.options) == 1 and st.session_state.get(key) is None:
        seed(key, next(iter(one.options)))


def _among(labels: Mapping[Any, str], values: Sequence[Any]) -> list[Any]:
    """The choices that these values are: a member of an enum is one that is offered by its plain value too.

    The box takes nothing that only equals a choice.
    """
    own = {choice: choice for choice in labels}
    return [own[value] for value in values if value in own]


def _first(key: str, value: Any) -> None:
    if key not in st.session_state:
        st.session_state[key] = value


def read_inputs(here: Here, inputs: list[Drawable], held: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Says]]:
    """The values as the service takes them, and the faults of those that cannot be read."""
    values: dict[str, Any] = {}
    faults: dict[str, Says] = {}
    forged: list[str] = []
    for one in inputs:
        if one.closed:
            continue
        raw = held[one.name]
        if one.options is not None:
            chosen = list(raw or []) if one.many else [] if raw is None else [raw]
            unknown = [choice for choice in chosen if choice not in one.options]
            if unknown:
                forged.append(one.name)
                faults[one.name] = says("{value} is not one of the choices.", value=str(unknown[0])[:40])
            elif not chosen and one.rule.required:
                faults[one.name] = says("This must not be empty.")
            values[one.name] = chosen if one.many else raw
            continue
        try:
            values[one.name] = accepted(one.rule, raw, here.zone)
        except Wrong as wrong:
            faults[one.name] = wrong.says
    if forged:
        names, who = ", ".join(forged), here.actor.account_id
        LOG.warning("table %s: account %s chose what it is not offered: %s", here.config.name, who, names)
    return values, faults


def _bounds(rule: Rule, sort: type) -> dict[str, Any]:
    unit = 100 if rule.kind == "money" else 1
    return {
        "min_value": None if rule.least is None else sort(rule.least / unit),
        "max_value": None if rule.most is None else sort(rule.most / unit),
    }
