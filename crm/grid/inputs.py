"""Inputs of forms and of actions: what the model or the declaration says, drawn as the widget that fits."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import streamlit as st
from sqlmodel import Session

from crm.grid.config import Input, TableConfig
from crm.grid.fields import Kind, facts, label_of, path
from crm.grid.filters import related_labels
from crm.grid.state import Here
from crm.grid.values import Rule, Wrong, read_value
from crm.i18n import Says, says


@dataclass(frozen=True)
class Drawable:
    """One input with everything needed to draw it and to read what was typed."""

    name: str
    label: str
    rule: Rule
    many: bool
    default: Any
    options: Mapping[Any, str] | None
    help: str | None


def drawables(here: Here, session: Session, fields: tuple[str | Input, ...]) -> list[Drawable]:
    """The inputs in order, their choices read from the database where that is where they are.

    A field is left out where the person may not see its column.
    """
    hidden = {one.name for one in here.config.columns if one.see is not None and not here.actor.may(one.see)}
    made = [one if isinstance(one, Input) else Input(one) for one in fields]
    return [_drawable(here, session, one) for one in made if one.name not in hidden]


def _drawable(here: Here, session: Session, one: Input) -> Drawable:
    config: TableConfig = here.config
    fact = facts(config.model).get(one.name)
    column = next((column for column in config.columns if column.name == one.name), None)
    rule = (
        Rule.of(fact, one.kind or (column.kind if column else None)) if fact is not None else Rule(one.kind or "text")
    )
    if one.required is not None:
        rule = Rule(rule.kind, one.required, rule.length, rule.least, rule.most, rule.choices)
    options: dict[Any, str] | None = None
    if one.choices is not None:
        options = {value: str(label) for value, label in one.choices(session, here.actor).items()}
    elif rule.kind == "choice":
        options = {choice: str(label_of(choice)) for choice in rule.choices}
    elif rule.kind == "relation" and fact is not None:
        options = related_labels(
            session,
            here.actor,
            path(config.model, one.name),
            column.shows if column else "name",
            column.choose if column else None,
        )
    return Drawable(
        one.name,
        str(config.label(one.name, one.label)),
        rule,
        one.many,
        fact.default if one.default is None and fact is not None else one.default,
        options,
        str(one.help) if one.help else None,
    )


def draw(here: Here, one: Drawable, prefix: str, value: Any, fault: Says | None) -> Any:
    """Draws the input, its fault beside it, and returns what it holds."""
    key = here.key(f"{prefix}:{one.name}")
    label = f"{one.label} *" if one.rule.required else one.label
    value = one.default if value is None else value
    kind: Kind = one.rule.kind
    common: dict[str, Any] = {"key": key, "help": one.help}
    held: Any
    if one.options is not None:
        labels = one.options
        show = lambda choice: labels.get(choice, str(choice))  # noqa: E731
        if one.many:
            held = st.multiselect(label, list(labels), default=value or [], format_func=show, placeholder="", **common)
        else:
            index = list(labels).index(value) if value in labels else None
            held = st.selectbox(label, list(labels), index=index, format_func=show, placeholder="", **common)
    elif kind == "yes_no":
        held = st.checkbox(label, value=bool(value), **common)
    elif kind == "long":
        held = st.text_area(label, value=value or "", max_chars=one.rule.length, **common)
    elif kind == "number":
        held = st.number_input(label, value=value, step=1, **_bounds(one.rule, int), **common)
    elif kind in ("decimal", "money"):
        held = st.number_input(label, value=value, **_bounds(one.rule, float), **common)
    elif kind == "date":
        held = st.date_input(label, value=value, format="YYYY-MM-DD", **common)
    elif kind == "moment":
        local = value.astimezone(here.zone).replace(tzinfo=None) if isinstance(value, datetime) else None
        held = st.datetime_input(label, value=local, format="YYYY-MM-DD", **common)
    else:
        held = st.text_input(label, value=value or "", max_chars=one.rule.length, **common)
    if fault is not None:
        st.markdown(f":red[:material/error: {fault}]")
    return held


def read_inputs(here: Here, inputs: list[Drawable], held: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Says]]:
    """The values as the service takes them, and the faults of those that cannot be read."""
    values: dict[str, Any] = {}
    faults: dict[str, Says] = {}
    for one in inputs:
        raw = held[one.name]
        if one.many:
            values[one.name] = list(raw or [])
            if one.rule.required and not raw:
                faults[one.name] = says("This must not be empty.")
            continue
        if one.options is not None:
            if raw is not None and raw not in one.options:
                faults[one.name] = says("{value} is not one of the choices.", value=str(raw)[:40])
            elif raw is None and one.rule.required:
                faults[one.name] = says("This must not be empty.")
            values[one.name] = raw
            continue
        try:
            values[one.name] = read_value(one.rule, raw, here.zone)
        except Wrong as wrong:
            faults[one.name] = wrong.says
    return values, faults


def _bounds(rule: Rule, sort: type) -> dict[str, Any]:
    unit = 100 if rule.kind == "money" else 1
    return {
        "min_value": None if rule.least is None else sort(rule.least / unit),
        "max_value": None if rule.most is None else sort(rule.most / unit),
    }
