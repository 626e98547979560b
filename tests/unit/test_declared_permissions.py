"""Declaring a page or an action without a permission, or with one that nobody can be granted, fails the build."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from crm.errors import Misconfigured
from crm.grid import Action, Column, Delete, EditForm, Form, Input, Site
from crm.i18n import says
from crm.rbac import Catalogue, Page
from tests.grid_example import BOOKS, books
from tests.unit.test_architecture import begins_rightly

PAGES = Catalogue([Page("books", says("Books"), {"view": says("View"), "edit": says("Edit")})])


def run(session: Any, actor: Any, ids: Any, now: Any) -> Any: ...


def save(session: Any, actor: Any, key: Any, version: Any, changes: Any, now: Any) -> Any: ...


def shelve(session: Any, actor: Any, ids: Any, now: Any, shelf_code: Any) -> Any: ...


ON_THE_SPOT = Input("shelf_code", create=Form(fields=("name",), run=run, needs="books.build", title=says("New shelf")))
TWICE = Input(
    "sequel_to_id",
    create=Form(fields=(ON_THE_SPOT,), run=run, needs="books.edit", title=says("New book")),
)


def faults(**options: Any) -> list[str]:
    plain: dict[str, Any] = {
        "columns": (Column("name"),),
        "search": (),
        "filters": (),
        "actions": (),
        "add": None,
        "edit": None,
        "delete": None,
        "save": save,
        "locked": None,
        "export": "",
        "view": "books.view",
        "site": None,
    }
    try:
        Site(words=books.site.words, pages=PAGES).register(replace(BOOKS, **{**plain, **options}))
    except Misconfigured as error:
        return str(error).split("\n")
    return []


def test_what_names_declared_permissions_only_is_registered() -> None:
    assert faults() == []
    assert faults(columns=(Column("name", edit="books.edit"),)) == []


@pytest.mark.parametrize(
    ("options", "option"),
    [
        ({"view": "book.view"}, "view"),
        ({"export": "books.export"}, "export"),
        ({"columns": (Column("name", edit="books.change"),)}, "columns[0].edit"),
        ({"columns": (Column("name", see="books.see"),)}, "columns[0].see"),
        ({"actions": (Action("burn", says("Burn"), run=run, needs="books.burn"),)}, "actions[0].needs"),
        ({"add": Form(fields=("name",), run=run, needs="books.add")}, "add.needs"),
        ({"edit": EditForm(fields=("name",), needs="books.alter")}, "edit.needs"),
        ({"delete": Delete(run=run, undo=run, needs="books.burn")}, "delete.needs"),
        # What names none needs the table's own, which has to be declared like any other.
        ({"add": Form(fields=("name",), run=run)}, "add.needs"),
        ({"delete": Delete(run=run, undo=run)}, "delete.needs"),
        # A form that opens out of a form, or out of the parameters of an action.
        ({"add": Form(fields=(ON_THE_SPOT,), run=run, needs="books.edit")}, "add.fields[0].create.needs"),
        ({"edit": EditForm(fields=("name", ON_THE_SPOT))}, "edit.fields[1].create.needs"),
        ({"add": Form(fields=(TWICE,), run=run, needs="books.edit")}, "add.fields[0].create.fields[0].create.needs"),
        (
            {"actions": (Action("shelve", says("Shelve"), run=shelve, needs="books.edit", params=(ON_THE_SPOT,)),)},
            "actions[0].params[0].create.needs",
        ),
    ],
)
def test_a_permission_that_nobody_can_be_granted_is_refused(options: dict[str, Any], option: str) -> None:
    (fault,) = faults(**options)

    assert fault.startswith(f"books: {option} is ")
    assert "is not declared. Did you mean books." in fault


def test_adding_editing_and_deleting_have_the_permissions_of_their_table() -> None:
    named = replace(
        BOOKS,
        site=None,
        add=Form(fields=("name",), run=run),
        edit=EditForm(fields=("name",)),
        delete=Delete(run=run, undo=run),
    )

    known = Site(words=books.site.words).register(named)

    assert [known.add.needs, known.edit.needs, known.delete.needs] == ["books.add", "books.edit", "books.delete"]  # type: ignore[union-attr]
    assert known.doings[-1].needs == "books.delete"


def test_an_action_without_a_permission_is_refused() -> None:
    found = faults(actions=(Action("burn", says("Burn"), run=run, needs=""),))

    assert [one for one in found if "actions[0].needs" in one]


@pytest.mark.parametrize(
    "text",
    [
        "import streamlit as st\n\nst.title('Open to all')\n",
        "from crm.ui.session import require\n\nactor = require()\n",
        "from crm.ui.session import require\n\nactor = require('pool.view')\n",
        "import streamlit as st\nfrom crm.ui.session import require\n\nst.title('x')\nactor = require('secret.view')\n",
        "if True:\n    from crm.ui.session import require\nactor = require('secret.view')\n",
    ],
)
def test_a_page_that_does_not_begin_by_requiring_its_own_permission_fails(tmp_path: Path, text: str) -> None:
    page = tmp_path / "secret.py"
    page.write_text(f'"""A page."""\n\n{text}', "utf-8")

    assert not begins_rightly(page)


def test_a_page_that_requires_its_own_passes(tmp_path: Path) -> None:
    page = tmp_path / "secret_plans.py"
    page.write_text("from crm.ui.session import require\n\nactor = require('secret-plans.view')\n", "utf-8")

    assert begins_rightly(page)
