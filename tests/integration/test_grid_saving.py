"""Changes are saved row by row in one transaction: what one is refused for harms no other."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import Engine, update
from sqlmodel import Session

from crm.errors import NotFound
from crm.grid.edits import Change
from crm.grid.saving import Saved, one_row, save_all
from crm.rbac import Actor
from tests.grid_example import BOOKS, LIBRARIAN, NOW, READER, Book, a_book, session_on


@pytest.fixture
def books(engine: Engine) -> Iterator[Session]:
    with session_on(engine, 4) as session:
        yield session


def save(session: Session, *changes: Change, actor: Actor = LIBRARIAN) -> Saved:
    return save_all(BOOKS, session, actor, changes, NOW)


def names(session: Session) -> list[str]:
    session.expire_all()
    return [session.get_one(Book, number).name for number in (1, 2, 3, 4)]


def test_each_row_is_saved_and_has_a_new_version(books: Session):
    saved = save(books, Change(1, 1, {"name": "One", "pages": 11}), Change(2, 1, {"name": "Two"}))

    assert (dict(saved.versions), saved.cells, saved.faults, saved.contests) == ({1: 2, 2: 2}, 3, (), ())
    assert names(books)[:2] == ["One", "Two"]


def test_a_refused_cell_leaves_the_others_of_its_row_and_the_other_rows_saved(books: Session):
    saved = save(books, Change(1, 1, {"name": "untitled", "pages": 7}), Change(2, 1, {"name": "Two"}))

    assert [(fault.id, fault.field, str(fault.why)) for fault in saved.faults] == [
        (1, "name", "Give the book its real name.")
    ]
    assert saved.versions == {1: 2, 2: 2}
    assert names(books)[:2] == ["Book 1", "Two"]
    assert books.get_one(Book, 1).pages == 7


def test_the_second_of_two_learns_both_values(books: Session):
    books.execute(update(Book).where(Book.id == 1).values(name="Theirs", version=5))

    saved = save(books, Change(1, 1, {"name": "Mine"}), Change(2, 1, {"name": "Two"}))

    (contest,) = saved.contests
    assert (contest.id, contest.version, contest.theirs, contest.mine) == (1, 5, {"name": "Theirs"}, {"name": "Mine"})
    assert names(books)[:2] == ["Theirs", "Two"]


def test_mine_can_be_saved_over_theirs_afterwards(books: Session):
    books.execute(update(Book).where(Book.id == 1).values(name="Theirs", version=5))
    (contest,) = save(books, Change(1, 1, {"name": "Mine"})).contests

    saved = save(books, Change(contest.id, contest.version, contest.mine))

    assert saved.versions == {1: 6}
    assert names(books)[0] == "Mine"


def test_a_row_that_is_gone_is_told_and_nothing_else_suffers(books: Session):
    saved = save(books, Change(77, 1, {"name": "Nobody"}), Change(2, 1, {"name": "Two"}))

    assert [(fault.id, str(fault.why)) for fault in saved.faults] == [(77, "There is no such book.")]
    assert saved.versions == {2: 2}


def test_who_may_not_edit_saves_nothing(books: Session):
    saved = save(books, Change(1, 1, {"name": "One"}), actor=READER)

    assert [str(fault.why) for fault in saved.faults] == ["You are not allowed to do this (books.edit)."]
    assert names(books)[0] == "Book 1"


def test_what_only_the_database_refuses_is_a_fault_of_that_row(books: Session):
    books.add(a_book(9, isbn="9781234567890"))
    books.flush()

    saved = save(books, Change(1, 1, {"isbn": "9781234567890"}), Change(2, 1, {"name": "Two"}))

    assert [(fault.id, fault.field) for fault in saved.faults] == [(1, "isbn")]
    assert saved.versions == {2: 2}


def test_a_table_without_save_refuses(books: Session):
    config: Any = replace(BOOKS, save=None)

    saved = save_all(config, books, LIBRARIAN, [Change(1, 1, {"name": "One"})], NOW)

    assert [str(fault.why) for fault in saved.faults] == ["This table cannot be edited."]


def test_one_row_is_found_within_the_scope_only(books: Session):
    keeper = Actor(account_id=3, name="keeper", department=1001)

    assert one_row(BOOKS, books, keeper, 3).name == "Book 3"
    with pytest.raises(NotFound):
        one_row(BOOKS, books, keeper, 1)
    with pytest.raises(NotFound):
        one_row(BOOKS, books, keeper, 99)
