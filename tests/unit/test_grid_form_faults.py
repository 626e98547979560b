"""A wrong form says what is wrong: option, value and remedy. Each option of forms and inputs is tried."""

from dataclasses import fields
from typing import Any

import pytest

from crm.grid import EditForm, Form, Input
from crm.i18n import says
from tests.grid_example import books
from tests.unit.test_grid_checks import LABEL, faults


class Deaf(Form):
    def inputs(self, session: Any) -> Any: ...  # type: ignore[override]

    def clean(self, values: Any) -> Any: ...  # type: ignore[override]


def add(kind: type[Form] = Form, /, **options: Any) -> dict[str, Any]:
    """A table whose form to add has these options."""
    return {"add": kind(**{"fields": ("name",), "run": books.add_book, "needs": "books.add", **options})}


def asks(name: str, **options: Any) -> dict[str, Any]:
    """A table whose form to add asks for this one thing."""
    return add(fields=(Input(name, **options),))


CREATE: dict[str, Any] = {"fields": ("name",), "run": books.add_author, "needs": "books.add", "title": LABEL}

CASES: list[tuple[dict[str, Any], str]] = [
    (add(title="Add"), "add.title is 'Add'. Use says(...), so that everybody reads it in their language."),
    (add(needs="add"), "add.needs is 'add'. A permission reads page.action, such as 'books.edit'."),
    (add(fields=()), "add.fields is empty. Name at least one field."),
    (add(fields=("name", "name")), "add.fields has 'name' twice. Keep one."),
    (
        add(run=lambda session: 1),
        "add.run is called with (session, actor, values, now), which it does not take. Change its arguments.",
    ),
    (add(Deaf), "add.inputs is called with (session, actor, row), which it does not take. Change its arguments."),
    (
        add(Deaf),
        "add.clean is called with (session, actor, values, row), which it does not take. Change its arguments.",
    ),
    (
        add(one_of=(("isbn",),)),
        "add.one_of[0] is ('isbn',). Name two fields or more, or make the one required.",
    ),
    (
        add(one_of=(("name", "isbn"),)),
        "add.one_of[0] names 'isbn', which the form does not ask for. Add it to fields.",
    ),
    (
        {"edit": EditForm(fields=("name",), needs="books.edit")},
        "edit is given, but the table has no save. Give save=, or leave edit out.",
    ),
    (asks("nam"), "add.fields[0] names 'nam', which is not a field of Book. Did you mean 'name'? "
     "For an input of your own give kind= or choices=."),
    (asks("mine", kind="txt", label=LABEL), "add.fields[0].kind is 'txt'. It is one of text, long, number, decimal, "
     "money, yes_no, date, moment, choice, relation. Did you mean 'text'?"),
    (asks("mine", kind="text"), "add.fields[0] 'mine' has no label. Give label=says(...), or give the Site a word for "
     "'mine'."),
    (asks("mine", choices=lambda session: {}, label=LABEL),
     "add.fields[0].choices is called with (session, actor), which it does not take. Change its arguments."),
    (asks("name", rows=books.visible_to), "add.fields[0].rows is for a foreign key, which 'name' is not. "
     "Leave rows out."),
    (asks("name", search=("name",)), "add.fields[0].search is for a foreign key, which 'name' is not. "
     "Leave search out."),
    (asks("sequel_to_id", rows=lambda actor: None),
     "add.fields[0].rows is called with (session, actor), which it does not take. Change its arguments."),
    (asks("sequel_to_id", shows="title"), "add.fields[0].shows names 'title', which is not a field of Book."),
    (asks("sequel_to_id", shows=lambda: "x"),
     "add.fields[0].shows is called with (row), which it does not take. Change its arguments."),
    (asks("sequel_to_id", search=("nam",)),
     "add.fields[0].search[0] names 'nam', which is not a field of Book. Did you mean 'name'?"),
    (asks("author_ids", through=books.Shelf), "add.fields[0].through is Shelf, which does not join Book to one other "
     "table. Give the model that has one foreign key to each of the two."),
    (asks("author_ids", through=books.BookAuthor, shows="title"),
     "add.fields[0].shows names 'title', which is not a field of Author."),
    (asks("shelf_code", create=Form(**{**CREATE, "needs": "shelf"})),
     "add.fields[0].create.needs is 'shelf'. A permission reads page.action, such as 'books.edit'."),
    (asks("shelf_code", create=Form(**{**CREATE, "fields": ("titel",)})),
     "add.fields[0].create.fields[0] names 'titel', which is not a field of Shelf. "
     "For an input of your own give kind= or choices=."),
]  # fmt: skip


@pytest.mark.parametrize(("options", "fault"), CASES)
def test_a_wrong_form_says_how_to_put_it_right(options: dict[str, Any], fault: str) -> None:
    assert f"books: {fault}" in faults(**options)


def test_a_sound_form_has_no_fault() -> None:
    form = Form(fields=books.BOOKS.add.fields, run=books.add_book, needs="books.add", title=says("Add"))

    assert faults(add=form) == []


def test_every_option_that_can_be_wrong_is_tried() -> None:
    tried: set[str] = set()
    for options, _fault in CASES:
        for form in options.values():
            for one in form.fields:
                if isinstance(one, Input):
                    tried |= {
                        each.name for each in fields(Input) if getattr(one, each.name) not in (None, "", (), False)
                    }

    assert {each.name for each in fields(Input)} - tried == {"required", "many", "default", "help"}
