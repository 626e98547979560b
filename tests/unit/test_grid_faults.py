"""Each option of a table, a column, a search and an action can be wrong, and then says so with its remedy."""

from collections.abc import Callable, Iterator
from dataclasses import MISSING, Field, fields
from datetime import timedelta
from typing import Any

import pytest

from crm.errors import Misconfigured
from crm.grid import (
    Action,
    AnyOf,
    Column,
    DateRange,
    Delete,
    EditForm,
    Form,
    Input,
    NumberRange,
    Related,
    Search,
    Site,
    TableConfig,
)
from crm.i18n import says
from tests.grid_example import books
from tests.unit import test_grid_checks
from tests.unit.test_grid_checks import LABEL, faults, run

ANY: Any = None
SAYS = "Use says(...), so that everybody reads it in their language."


def column(**options: Any) -> dict[str, Any]:
    """A table whose only column has these options."""
    return {"columns": (Column(**{"name": "name", **options}),)}


def action(**options: Any) -> dict[str, Any]:
    """A table whose only action has these options."""
    return {"actions": (Action(**{"name": "lend", "label": LABEL, "run": run, "needs": "books.lend", **options}),)}


def search(**options: Any) -> dict[str, Any]:
    return {"search": (Search(**{"field": "name", **options}),)}


def delete(**options: Any) -> dict[str, Any]:
    return {"delete": Delete(**{"run": run, "undo": run, **options})}


def add(**options: Any) -> dict[str, Any]:
    return {"add": Form(**{"fields": ("name",), "run": books.add_book, **options})}


def edit(**options: Any) -> dict[str, Any]:
    return {"edit": EditForm(**{"fields": ("name",), **options})}


def asks(**options: Any) -> dict[str, Any]:
    return add(fields=(Input(**{"name": "name", **options}),))


def filtered(kind: Any) -> Callable[..., dict[str, Any]]:
    return lambda **options: {"filters": (kind(**{"name": "binding", **options}),)}


PLACES: dict[Any, tuple[str, Callable[..., dict[str, Any]]]] = {
    TableConfig: ("", dict),
    Column: ("columns[0]", column),
    Search: ("search[0]", search),
    Action: ("actions[0]", action),
    Delete: ("delete", delete),
    Form: ("add", add),
    EditForm: ("edit", edit),
    Input: ("add.fields[0]", asks),
    **{kind: ("filters[0]", filtered(kind)) for kind in (AnyOf, Related, DateRange, NumberRange)},
}
"""Every class of a declaration: where it stands, and a table that has one with these options."""
ANYTHING = {"order", "default", "site", "day"}
"""Options that take a value of any type, or that no declaration gives."""


class Nothing:
    """Of no type that any option takes."""

    def __repr__(self) -> str:
        return "<nothing>"


@pytest.mark.parametrize(
    ("kind", "option"),
    [(kind, one.name) for kind in PLACES for one in fields(kind) if one.name not in ANYTHING],
)
def test_an_option_of_the_wrong_type_says_what_to_give(kind: type, option: str) -> None:
    where, table = PLACES[kind]

    (fault,) = faults(**table(**{option: Nothing()}))

    named = "<nothing>" if (kind, option) == (TableConfig, "name") else "books"
    assert fault.startswith(f"{named}: {where}{'.' if where else ''}{option} is <nothing>. ")
    assert fault.split("<nothing>. ")[-1].startswith(("Give ", "Use says(...)", "It is one of "))


@pytest.mark.parametrize("kind", PLACES)
def test_an_option_that_there_is_not_is_named_with_the_one_that_was_meant(kind: type) -> None:
    where, table = PLACES[kind]
    option = next(one.name for one in reversed(fields(kind)) if one.name not in ANYTHING)

    # A copy is made with every option, so only what it is told twice can be misspelt.
    if kind is TableConfig:
        with pytest.raises(Misconfigured, match=f"TableConfig 'books'.* unexpected keyword argument '{option}x'"):
            TableConfig(name="books", **{f"{option}x": 1})  # type: ignore[call-arg, arg-type]
    else:
        assert faults(**table(**{f"{option}x": 1})) == [
            f"books: {where} has no option '{option}x'. Did you mean '{option}'?"
        ]


def test_a_misspelt_option_of_a_table_that_has_all_it_needs_is_named_with_its_other_faults() -> None:
    table = TableConfig(
        name="books", model=books.Book, title=LABEL, rows=books.visible_to, columns=(Column("name", width="x"),),  # type: ignore[arg-type]
        serch=("name",),  # type: ignore[call-arg]
    )  # fmt: skip

    with pytest.raises(Misconfigured) as refused:
        Site(words=books.site.words).register(table)

    assert str(refused.value).split("\n") == [
        "books: TableConfig has no option 'serch'. Did you mean 'search'?",
        "books: columns[0].width is 'x'. Give a whole number.",
    ]


def test_what_lacks_an_option_that_it_needs_says_which_and_where() -> None:
    with pytest.raises(Misconfigured, match=r"^Action 'lend': .*'needs'"):
        Action("lend", LABEL, run=run)  # type: ignore[call-arg]


CASES: list[tuple[dict[str, Any], str]] = [
    ({"name": 7}, "name is 7. Give a text."),
    ({"model": dict}, "model is <class 'dict'>. Give a class of SQLModel with table=True."),
    ({"rows": "every book"}, "rows is 'every book'. Give a function."),
    ({"columns": Column("name")}, "columns is a Column. Give a tuple; a single one is written with a comma, (one,)."),
    ({"columns": ("name",)}, "columns[0] is 'name'. Give a Column."),
    ({"search": ["name"]}, "search is ['name']. Give a tuple; a single one is written with a comma, (one,)."),
    ({"begins": "lent", "filters": (AnyOf("lent"),)},
     "begins has lent=, which its filter cannot read:  is not a choice of this filter."),
    ({"begins": "lnt=no", "filters": (AnyOf("lent"),)},
     "begins names 'lnt', which is not a filter. Did you mean 'lent'?"),
    ({"begins": "lent=maybe", "filters": (AnyOf("lent"),)},
     "begins has lent=maybe, which its filter cannot read: maybe is not a choice of this filter."),
    ({"begins": "pages=01..2", "filters": (NumberRange("pages"),)},
     "begins has pages=01..2, which the address writes pages=1..2. Write it so."),
    ({"begins": "name=Emma", "filters": (AnyOf("name", choices=lambda session, actor: {}),)},
     "begins names 'name', of which 'any' is a choice, so nothing would say that it is cleared."),
    ({"search": (7,)}, "search[0] is 7. Give the name of a field, or a Search."),
    ({"filters": ("binding",)}, "filters[0] is 'binding'. Give a filter."),
    ({"actions": (run,)}, "actions[0] is the function run. Give an Action."),
    ({"page_sizes": ("20",)}, "page_sizes[0] is '20'. Give a whole number."),
    ({"save": lambda session: 1},
     "save is called with (session, actor, key, version, changes, now), which it does not take. Change its arguments."),
    ({"detail": lambda key: None}, "detail is called with (actor, key), which it does not take. Change its arguments."),
    ({"called": lambda row: "x"},
     "called is called with (session, keys), which it does not take. Change its arguments."),
    ({"locked": lambda rows: {}, "save": books.save_book},
     "locked is called with (session, actor, rows), which it does not take. Change its arguments."),
    ({"export": "take home"}, "export is 'take home'. A permission reads page.action, such as 'books.edit'."),
    ({"share": "views"}, "share is 'views'. A permission reads page.action, such as 'books.edit'."),
    ({"empty": "Nothing"}, f"empty is 'Nothing'. {SAYS}"),
    ({"cap": "many"}, "cap is 'many'. Give a whole number."),
    (column(label="Name"), f"columns[0].label is 'Name'. {SAYS}"),
    (column(see="price"), "columns[0].see is 'price'. A permission reads page.action, such as 'books.edit'."),
    (column(pinned=True, hidden=True), "columns[0] 'name' is pinned, so it cannot be hidden. Leave one out."),
    (column(value=7), "columns[0].value is 7. Give a function."),
    (column(name="days", label=LABEL, look_up=lambda rows: {}),
     "columns[0].look_up is called with (session, rows, now), which it does not take. Change its arguments."),
    (column(show=lambda: "x"), "columns[0].show is called with (value), which it does not take. Change its arguments."),
    (column(choose=lambda session, actor: None),
     "columns[0].choose is for a foreign key, which 'name' is not. Leave choose out."),
    (column(help="As printed."), f"columns[0].help is 'As printed.'. {SAYS}"),
    (column(width=-1), "columns[0].width is -1. Give pixels, or leave width out."),
    (column(pinned="left"), "columns[0].pinned is 'left'. Give True or False."),
    (column(name="days", label=LABEL, value=books.days_here, sortable=True),
     "columns[0] 'days' is computed, so it cannot be sortable. Leave sortable out."),
    (column(name="days", label=LABEL, value=books.days_here, order="added_at"),
     "columns[0].order is 'added_at'. Give an SQL expression to sort by, such as a column of the model."),
    (column(tone=lambda: "red"),
     "columns[0].tone is called with (value), which it does not take. Change its arguments."),
    (column(progress=0, name="pages"), "columns[0].progress is 0. Give the number at which the bar is full."),
    (column(link=lambda: "/"), "columns[0].link is called with (row), which it does not take. Change its arguments."),
    (search(tidy=lambda: "x"), "search[0].tidy is called with (text), which it does not take. Change its arguments."),
    (action(needs="lend"), "actions[0].needs is 'lend'. A permission reads page.action, such as 'books.edit'."),
    (action(run=lambda session, actor, keys: {}),
     "actions[0].run is called with (session, actor, keys, now), which it does not take. Change its arguments."),
    (action(run=run, params=(books.Input("to", label=LABEL),)),
     "actions[0].run is called with (session, actor, keys, now, to=), which it does not take. Change its arguments."),
    (action(undo=lambda keys: {}),
     "actions[0].undo is called with (session, actor, keys, now), which it does not take. Change its arguments."),
    (action(confirm="Sure?"), f"actions[0].confirm is 'Sure?'. {SAYS}"),
    (action(done="Done"), f"actions[0].done is 'Done'. {SAYS}"),
    (action(undone="Undone"), f"actions[0].undone is 'Undone'. {SAYS}"),
    (action(verb="Lend"), f"actions[0].verb is 'Lend'. {SAYS}"),
    (action(icon="delete"), "actions[0].icon is 'delete'. Name a Material icon, such as ':material/delete:'."),
    (action(each=1), "actions[0].each is 1. Give True or False."),
    (action(on_record="no"), "actions[0].on_record is 'no'. Give True or False."),
    (action(as_seen=True),
     "actions[0].run is called with (session, actor, keys, now, seen=), which it does not take. "
     "Change its arguments."),
    (action(name="delete") | delete(),
     "actions[0] is named 'delete', as what delete declares. Keep one of the two."),
    (action(params=7),
     "actions[0].params is 7. Give a tuple; a single one is written with a comma, (one,)."),
    (delete(run=lambda session: 1),
     "delete.run is called with (session, actor, keys, now), which it does not take. Change its arguments."),
    (delete(undo=lambda session: 1),
     "delete.undo is called with (session, actor, keys, now), which it does not take. Change its arguments."),
    (delete(needs="delete"), "delete.needs is 'delete'. A permission reads page.action, such as 'books.edit'."),
    (delete(recoverable=timedelta()),
     "delete.recoverable is 0:00:00. Give a day or more in which it can be brought back."),
    (delete(label="Burn", confirm="Sure?", done="Burnt", undone="Back"), f"delete.confirm is 'Sure?'. {SAYS}"),
    (delete(icon="bin"), "delete.icon is 'bin'. Name a Material icon, such as ':material/delete:'."),
    ({"delete": action()["actions"][0]}, "delete is an Action. Give a Delete."),
    ({"add": 7}, "add is 7. Give a Form."),
    ({"edit": "x"}, "edit is 'x'. Give an EditForm."),
    ({"sorts": 7}, "sorts is 7. Give a tuple; a single one is written with a comma, (one,)."),
    (column(progress="x"), "columns[0].progress is 'x'. Give a number."),
    (column(sortable="yes"), "columns[0].sortable is 'yes'. Give True or False."),
    (search(match=7), "search[0].match is 7. It is one of contains, prefix, exact."),
    (asks(help="As printed."), f"add.fields[0].help is 'As printed.'. {SAYS}"),
    (asks(required="yes"), "add.fields[0].required is 'yes'. Give True or False."),
    (asks(through=dict), "add.fields[0].through is <class 'dict'>. Give a class of SQLModel with table=True."),
    (asks(name="sequel_to_id", search=(Search("name", match="fuzzy"),)),
     "add.fields[0].search[0].match is 'fuzzy'. It is one of contains, prefix, exact."),
    (asks(shows=7), "add.fields[0].shows is 7. Give the name of a field, or a function."),
    (add(done="Added."), "add.done is 'Added.'. Give a function, or says(...)."),
    (add(done=lambda: LABEL), "add.done is called with (added), which it does not take. Change its arguments."),
    ({"filters": (Related("shelf", field="shelf_code", rows=lambda actor: None),)},
     "filters[0].rows is called with (session, actor), which it does not take. Change its arguments."),
]  # fmt: skip


@pytest.mark.parametrize(("options", "fault"), CASES)
def test_a_wrong_option_says_how_to_put_it_right(options: dict[str, Any], fault: str) -> None:
    assert f"{options.get('name', 'books')}: {fault}" in faults(**options)


@pytest.mark.parametrize("declared", [TableConfig, Column, Search, Action, Delete])
def test_every_option_has_a_fault_of_its_own_here(declared: type) -> None:
    mark = test_grid_checks.test_a_fault_names_table_option_value_and_remedy.pytestmark[0]  # type: ignore[attr-defined]
    seen = set(_used(declared, [options for options, _fault in [*CASES, *mark.args[1]]]))

    assert {one.name for one in fields(declared)} - seen - {"_", "site", "field"} == set()


def _used(declared: type, cases: list[dict[str, Any]]) -> Iterator[str]:
    """The options of that kind of declaration that some case gives another value than the default."""
    for options in cases:
        if declared is TableConfig:
            yield from options
        for value in options.values():
            for one in value if isinstance(value, tuple) else (value,):
                if isinstance(one, declared):
                    yield from (each.name for each in fields(declared) if _given(each, getattr(one, each.name)))


def _given(option: "Field[Any]", value: Any) -> bool:
    return option.default is MISSING or value is not option.default


def test_the_sentences_of_an_action_are_told_apart_from_plain_text() -> None:
    assert faults(**action(done=says("{count} lent."), verb=LABEL, undo=run, icon=":material/book:", each=True)) == []
