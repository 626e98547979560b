"""Checks of declared forms and inputs. Like the others: for developers, at import, in English only."""

from typing import Any, get_args

from crm.grid.config import Match, Search, TableConfig
from crm.grid.faults import Faults, is_permission, known, labelled, name_of, one_of, reached, takes, twice
from crm.grid.fields import KINDS, Model, facts, link
from crm.grid.form_config import Asking, EditForm, Form, Input, as_inputs
from crm.i18n import Says


def check_forms(config: TableConfig) -> Faults:
    """Every fault of the forms to add and to edit."""
    for option, form in (("add", config.add), ("edit", config.edit)):
        if form is not None:
            yield from _form(config, option, form)
        if isinstance(form, EditForm) and config.save is None:
            yield "edit is given, but the table has no save. Give save=, or leave edit out."


def check_input(config: TableConfig, where: str, one: Input, *, of_model: bool) -> Faults:
    """Every fault of one input; `of_model`: unless it says otherwise it is a field of the model."""
    fact = facts(config.model).get(one.name)
    if one.through is not None:
        yield from _through(config, where, one)
        return
    if of_model and fact is None and one.kind is None and one.choices is None:
        for fault in known(where, one.name, config.model):
            yield f"{fault} For an input of your own give kind= or choices=."
        return
    if one.kind is not None:
        yield from one_of(f"{where}.kind", one.kind, KINDS)
    if one.kind in ("choice", "relation") and fact is None and one.choices is None:
        yield f"{where} {one.name!r} is a {one.kind} without choices. Give choices=(session, actor) -> dict."
    if one.choices is not None:
        yield from takes(f"{where}.choices", one.choices, 2, "(session, actor)")
    yield from _label(config, where, one)
    target = fact.target if fact is not None and one.choices is None else None
    yield from _related(config, where, one, target[0] if target is not None else None)


def _form(config: TableConfig, option: str, form: Asking) -> Faults:
    yield from is_permission(f"{option}.needs", form.needs)
    yield from takes(f"{option}.inputs", form.inputs, 3, "(session, actor, row)")
    yield from takes(f"{option}.clean", form.clean, 4, "(session, actor, values, row)")
    if isinstance(form, Form):
        yield from takes(f"{option}.run", form.run, 4, "(session, actor, values, now)")
        if not isinstance(form.done, Says):
            yield from takes(f"{option}.done", form.done, 1, "(added)")
    where = f"{option}.fields"
    if not form.fields:
        yield f"{where} is empty. Name at least one field."
    made = as_inputs(form.fields)
    names = [one.name for one in made]
    yield from twice(where, names)
    for index, one in enumerate(made):
        if one.name in (config.key, config.version):
            yield f"{where}[{index}] is the table's key or version, which nobody types. Leave it out."
        yield from check_input(config, f"{where}[{index}]", one, of_model=True)
    for index, group in enumerate(form.one_of):
        if len(group) < 2:
            yield f"{option}.one_of[{index}] is {group!r}. Name two fields or more, or make the one required."
        for name in group:
            if name not in names:
                yield f"{option}.one_of[{index}] names {name!r}, which the form does not ask for. Add it to fields."


def _through(config: TableConfig, where: str, one: Input) -> Faults:
    joined = link(config.model, one.through) if one.through is not None else None
    yield from _label(config, where, one)
    if joined is None and one.through is not None:
        yield (
            f"{where}.through is {name_of(one.through)}, which does not join {name_of(config.model)} to one other "
            "table. Give the model that has one foreign key to each of the two."
        )
    elif joined is not None:
        yield from _related(config, where, one, joined.target)


def _related(config: TableConfig, where: str, one: Input, target: Model | None) -> Faults:
    """The options of a relation, and that nothing else has them."""
    if target is None:
        for option in ("rows", "shows", "search", "create"):
            if getattr(one, option):
                yield f"{where}.{option} is for a foreign key, which {one.name!r} is not. Leave {option} out."
        return
    if one.rows is not None:
        yield from takes(f"{where}.rows", one.rows, 2, "(session, actor)")
    if isinstance(one.shows, str):
        yield from known(f"{where}.shows", one.shows, target) if one.shows else ()
    else:
        yield from takes(f"{where}.shows", one.shows, 1, "(row)")
    for index, declared in enumerate(one.search):
        found = declared if isinstance(declared, Search) else Search(declared)
        yield from reached(f"{where}.search[{index}]", found.field, target)[1]
        yield from of_search(f"{where}.search[{index}]", found)
    if one.create is not None:
        made = TableConfig(name=config.name, model=target, title=config.title, rows=config.rows, columns=(), key="",
                           version="", site=config.site)  # fmt: skip
        yield from _form(made, f"{where}.create", one.create)


def of_search(where: str, one: Search) -> Faults:
    """How a search looks for what was typed."""
    yield from one_of(f"{where}.match", one.match, get_args(Match))
    if one.tidy is not None:
        yield from takes(f"{where}.tidy", one.tidy, 1, "(text)")
    if one.index is not None:
        yield from takes(f"{where}.index", one.index, 2, "(session, text)")


def _label(config: TableConfig, where: str, one: Input) -> Faults:
    """A label of its own, the column's, or the site's word."""
    column: Any = next((each for each in config.columns if each.name == one.name), None)
    label = one.label or (column.label if column is not None else None)
    yield from labelled(config, f"{where} {one.name!r}", one.name, label)
