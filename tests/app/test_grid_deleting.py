"""`?delete=17` asks whether that row goes; an address never deletes. What was done has an account."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, select

from crm.grid.acting import Row, Work
from crm.grid.asking import Did
from crm.i18n import says
from crm.services.bulk_runs import Ran
from crm.store.session import reading, writing
from tests.app.books_page import draw, labels, page, thirty_books, url
from tests.grid_example import BOOKS, LIBRARIAN, NOW, READER, Book, connect

pytestmark = pytest.mark.usefixtures("engine")


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    yield from thirty_books(tmp_path)


def texts(app: Any) -> list[str]:
    return [one.value for one in (*app.markdown, *app.caption, *app.error)]


def there(engine: Engine, key: int) -> bool:
    with reading(engine) as session:
        return session.scalar(select(Book.deleted_at).where(Book.id == key)) is None


def test_the_address_opens_the_question_for_that_row_and_deletes_nothing(engine: Engine) -> None:
    app = page(delete="17")

    assert "Delete 1 row? It can be brought back for 30 days." in texts(app)
    assert "Book 17" in texts(app)
    assert url(app) == {"delete": ["17"]}
    assert there(engine, 17)


def test_another_address_asks_of_another_row_and_none_asks_nothing() -> None:
    app = page(delete="17")

    app.query_params["delete"] = "18"
    assert "Book 18" in texts(app.run())
    del app.query_params["delete"]
    assert "Delete 1 row? It can be brought back for 30 days." not in texts(app.run())


@pytest.mark.parametrize(
    ("actor", "key", "said"),
    [
        (LIBRARIAN, "99", "There is no such record, or you may not see it."),
        (LIBRARIAN, "x", "x is not the number of a record."),
        (replace(LIBRARIAN, department=1001), "17", "There is no such record, or you may not see it."),
        (READER, "17", "You are not allowed to do this (books.delete)."),
    ],
)
def test_a_row_beyond_reach_is_refused_alike(engine: Engine, actor: Any, key: str, said: str) -> None:
    app = page(actor, delete=key)

    assert [one.value for one in app.error] == [said]
    assert not [one for one in app.markdown if one.value.startswith("Delete")]
    assert there(engine, 17)


def test_agreed_to_it_goes_and_comes_back_within_reach(engine: Engine) -> None:
    action = BOOKS.doings[-1]
    work = Work(action, action.run, {}, [Row(17, "Book 17"), Row(18, "Book 18")])
    with writing(engine) as session:
        session.get(Book, 18).lent = True

    work.step(lambda: writing(engine), LIBRARIAN, NOW)

    assert (work.done, work.refused) == ([Row(17, "Book 17")], {Row(18, "Book 18"): says("It is lent.")})
    assert not there(engine, 17)
    back = Work(action, action.undo, {}, work.done, undoing=True)  # type: ignore[arg-type]
    back.step(lambda: writing(engine), LIBRARIAN, NOW)
    assert there(engine, 17)


def test_after_every_run_what_became_of_each_row_can_be_looked_at_and_taken_home() -> None:
    action = next(one for one in BOOKS.actions if one.name == "return")
    rows = [Row(number, f"Book {number}") for number in (1, 2, 3)]
    app = draw(LIBRARIAN)
    app.session_state["books:did"] = Did(Work(action, action.run, {}, rows, reached=3, done=rows), NOW)

    app.run().button(key="books:did-account").click().run()

    assert not app.exception
    assert ["Book 1", "Book 2", "Book 3"] in [list(one.value.iloc[:, 0]) for one in app.dataframe]
    assert "Download the account" in labels(app.get("download_button"))


def test_who_chose_more_than_one_step_reads_that_what_is_done_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("crm.grid.action_dialog.STEP", 10)
    app = page()
    app.button(key="books:tick").click().run()

    app.button(key="books:act:return").click().run()

    assert any("what is done stays done" in one.value for one in app.caption)


class Kept:
    """A host that keeps how far this person came."""

    @staticmethod
    def note(*_noted: Any) -> None: ...

    @staticmethod
    def last(_session: Any, actor: Any, table: str, now: Any) -> Any:
        return Ran("undo delete", 5000, 3990, 10, now) if (actor, table) == (LIBRARIAN, "books") else None


def test_who_comes_back_from_a_run_reads_how_far_it_came(engine: Engine) -> None:
    connect(engine, runs=Kept)
    app = page()

    (line,) = [one.value for one in app.markdown if "not reached" in one.value]
    assert "Undo: Delete" in line
    assert line.endswith("of 5,000 rows 3,990 done, 10 refused, 1,000 not reached.")
    app.button(key="books:ran-close").click().run()
    assert not [one for one in app.markdown if "not reached" in one.value]
    assert not [one for one in page(READER).markdown if "not reached" in one.value]
