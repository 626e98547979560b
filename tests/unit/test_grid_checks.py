"""A wrong declaration says what is wrong: table, option, value and remedy, all faults at once."""

from dataclasses import replace
from typing import Any

import pytest

from crm.errors import Misconfigured
from crm.grid import Action, AnyOf, Column, DateRange, EditForm, Form, Input, NumberRange, Related, Search, Site
from crm.i18n import says
from tests.grid_example import BOOKS, Book, books

LABEL = says("Label")


def run(session: Any, actor: Any, ids: Any, now: Any) -> Any: ...


def faults(**options: Any) -> list[str]:
    """What registering the example's table with these options complains of."""
    plain = replace(
        BOOKS,
        columns=(Column("name"),),
        search=(),
        filters=(),
        actions=(),
        add=None,
        edit=None,
        delete=None,
        save=None,
        locked=None,
        site=None,
    )
    try:
        Site(words=books.site.words).register(replace(plain, **options))
    except Misconfigured as error:
        return str(error).split("\n")
    return []


def test_the_worked_example_has_no_fault():
    assert Site(words=books.site.words).register(replace(BOOKS, site=None)).name == "books"


@pytest.mark.parametrize(
    ("options", "fault"),
    [
        ({"name": "My books"}, "name is 'My books'. Use small letters, digits and hyphens, as in an address."),
        ({"title": "Books"}, "title is 'Books'. Use says(...), so that everybody reads it in their language."),
        ({"view": "look"}, "view is 'look'. A permission reads page.action, such as 'books.edit'."),
        ({"key": "idd"}, "key names 'idd', which is not a field of Book. Did you mean 'id'?"),
        (
            {"version": "revision", "save": books.save_book},
            "version names 'revision', which is not a field of Book. Did you mean 'version'?",
        ),
        ({"sort": "-nmae"}, "sort names 'nmae', which is not a field of Book. Did you mean 'name'?"),
        (
            {"columns": (Column("name"), Column("price", kind="money", see="books.price")), "sort": "price"},
            "sort names 'price', whose column not everybody may see, so its order would tell. Name another field.",
        ),
        ({"sorts": ("nmae",)}, "sorts[0] names 'nmae', which is not a column. Did you mean 'name'?"),
        (
            {"columns": (Column("days", value=books.days_here, label=LABEL),), "sorts": ("days",)},
            "sorts[0] names 'days', which is computed. Give its column an order=, or leave it out.",
        ),
        (
            {"search": (Search("isbn", match="prefix", index=lambda session, text: None),)},
            "search[0] 'isbn' has index, which only serves contains. Leave index out.",
        ),
        ({"page_sizes": ()}, "page_sizes is empty. Give at least one, the default first."),
        ({"page_sizes": (50, 0)}, "page_sizes[1] is 0. A page has 1 to 1000 rows."),
        ({"page_sizes": (50, 50)}, "page_sizes has 50 twice. Keep one."),
        ({"cap": 0}, "cap is 0. Count at least 1 row."),
        ({"prefix": "A b"}, "prefix is 'A b'. Use small letters, digits, hyphens and underscores."),
        (
            {"rows": lambda session: None},
            "rows is called with (session, actor) or (session, actor, now), which it does not take. "
            "Change its arguments.",
        ),
        ({"columns": ()}, "columns is empty. Declare at least one Column."),
        ({"columns": (Column("name"), Column("name"))}, "columns has 'name' twice. Keep one."),
        (
            {"columns": (Column("pags"),)},
            "columns[0] names 'pags', which is not a field of Book. Did you mean 'pages'? "
            "A computed column needs value= or look_up=.",
        ),
        (
            {"columns": (Column("version"),)},
            "columns[0] 'version' has no label. Give label=says(...), or give the Site a word for 'version'.",
        ),
        (
            {"columns": (Column("days", value=lambda row: 1, label=LABEL),)},
            "columns[0].value is called with (row, now), which it does not take. Change its arguments.",
        ),
        (
            {"columns": (Column("days", value=books.days_here, edit="books.edit", label=LABEL),)},
            "columns[0] 'days' is computed, so it cannot have edit. Leave edit out.",
        ),
        (
            {"columns": (Column("name", edit="books.edit"),)},
            "columns[0] 'name' has edit, but the table has no save. Give save=, or leave edit out.",
        ),
        (
            {"columns": (Column("id", edit="books.edit", label=LABEL),), "save": books.save_book},
            "columns[0] 'id' is the table's key or version, which nobody edits. Leave edit out.",
        ),
        (
            {"columns": (Column("name", kind="txt"),)},
            "columns[0].kind is 'txt'. It is one of text, long, number, decimal, money, yes_no, date, moment, "
            "choice, relation. Did you mean 'text'?",
        ),
        (
            {"columns": (Column("name", kind="money"),)},
            "columns[0] 'name' is money, but the field is no whole number. Keep cents in an int.",
        ),
        (
            {"columns": (Column("name", kind="date"),)},
            "columns[0] 'name' is date, but the field is text. Leave kind out.",
        ),
        (
            {"columns": (Column("shelf_code", shows="title"),)},
            "columns[0].shows names 'title', which is not a field of Shelf.",
        ),
        ({"search": ("nam",)}, "search[0] names 'nam', which is not a field of Book. Did you mean 'name'?"),
        (
            {"search": ("shelf_code.nam",)},
            "search[0] names 'nam', which is not a field of Shelf. Did you mean 'name'?",
        ),
        (
            {"search": ("name.code",)},
            "search[0] names 'name.code', but 'name' of Book leads to no other table. "
            "Only foreign keys can be followed.",
        ),
        (
            {"search": (Search("pages"),)},
            "search[0] names 'pages', which is no text, so only the whole of it can be found. "
            "Use Search('pages', match='exact').",
        ),
        (
            {"search": (Search("name", match="fuzzy"),)},  # type: ignore[arg-type]
            "search[0].match is 'fuzzy'. It is one of contains, prefix, exact.",
        ),
        (
            {"filters": (AnyOf("bindng"),)},
            "filters[0] names 'bindng', which is not a field of Book. Did you mean 'binding'?",
        ),
        (
            {"filters": (AnyOf("name"),)},
            "filters[0] 'name' has no choices of its own in the model. Give choices=(session, actor) -> dict.",
        ),
        ({"filters": (AnyOf("lent"), AnyOf("lent"))}, "filters has 'lent' twice. Keep one."),
        (
            {"filters": (AnyOf("page", field="lent", label=LABEL),)},
            "filters[0] is named 'page', which the address keeps for itself. Rename it and give field=.",
        ),
        (
            {"filters": (Related("shelf", field="shelf_code", key="cod"),)},
            "filters[0].key names 'cod', which is not a field of Shelf. Did you mean 'code'?",
        ),
        (
            {"filters": (Related("shelf", field="shelf_code", key="name"),)},
            "filters[0].key is 'name', which several rows of Shelf may share. Name a unique field.",
        ),
        (
            {"filters": (Related("note", field="note"),)},
            "filters[0] names 'note', which is no foreign key. Name one, or use AnyOf.",
        ),
        (
            {"filters": (DateRange("pages"),)},
            "filters[0] names 'pages', which is neither a date nor a moment. Use another filter.",
        ),
        ({"filters": (NumberRange("name"),)}, "filters[0] names 'name', which is no number. Use another filter."),
        (
            {"add": Form(fields=("nam",), run=books.add_book, needs="books.add")},
            "add.fields[0] names 'nam', which is not a field of Book. Did you mean 'name'? "
            "For an input of your own give kind= or choices=.",
        ),
        (
            {"add": Form(fields=(), run=books.add_book, needs="add")},
            "add.needs is 'add'. A permission reads page.action, such as 'books.edit'.",
        ),
        (
            {"edit": EditForm(fields=("name",), needs="books.edit")},
            "edit is given, but the table has no save. Give save=, or leave edit out.",
        ),
        (
            {"edit": EditForm(fields=("version",), needs="books.edit"), "save": books.save_book},
            "edit.fields[0] is the table's key or version, which nobody types. Leave it out.",
        ),
        (
            {"actions": (Action("Lend!", LABEL, run=run, needs="books.lend"),)},
            "actions[0] is named 'Lend!'. Use small letters, digits and hyphens.",
        ),
        (
            {"actions": (Action("lend", "Lend", run=run, needs="books.lend"),)},  # type: ignore[arg-type]
            "actions[0].label is 'Lend'. Use says(...), so that everybody reads it in their language.",
        ),
        (
            {
                "actions": (
                    Action(
                        "lend", LABEL, run=run, needs="books.lend", params=(Input("to", kind="choice", label=LABEL),)
                    ),
                )
            },
            "actions[0].params[0] 'to' is a choice without choices. Give choices=(session, actor) -> dict.",
        ),
    ],
)
def test_a_fault_names_table_option_value_and_remedy(options: dict[str, Any], fault: str):
    assert f"{options.get('name', 'books')}: {fault}" in faults(**options)


def test_all_faults_are_told_at_once():
    assert len(faults(sort="nmae", page_sizes=(), filters=(AnyOf("x"), AnyOf("y")))) == 4


def test_a_name_is_given_once():
    site = Site(words=books.site.words)
    site.register(replace(BOOKS, site=None))

    with pytest.raises(Misconfigured, match="books: name is taken by another table"):
        site.register(replace(BOOKS, site=None))


def test_a_site_that_is_not_connected_says_so():
    with pytest.raises(Misconfigured, match="are not connected"):
        Site().connection("books")


def test_the_model_of_the_example_is_read_right():
    assert BOOKS.model is Book
    assert [column.name for column in BOOKS.columns if BOOKS.sortable(column)] == [
        "name",
        "pages",
        "price",
        "binding",
        "lent",
        "bought",
        "added_at",
        "read",
        "isbn",
    ]
