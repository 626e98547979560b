"""What may not be changed is refused with its own words, and the last save can be taken back."""

import logging
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, select, update
from sqlmodel import Session

from crm.grid.edits import Change
from crm.grid.relations import values_of
from crm.grid.saving import Saved, save_all
from crm.store.engine import make_engine
from crm.store.session import writing
from tests.grid_example import BOOKS, LIBRARIAN, NOW, Binding, Book, a_book, create, session_on


@pytest.fixture
def books(engine: Engine) -> Iterator[Session]:
    with session_on(engine, 4) as session:
        yield session


def save(session: Session, *changes: Change) -> Saved:
    return save_all(BOOKS, session, LIBRARIAN, changes, NOW)


def told(saved: Saved) -> list[tuple[Any, str, str]]:
    return [(fault.id, fault.field, str(fault.why)) for fault in saved.faults]


def held(session: Session, key: int, *names: str) -> dict[str, Any]:
    session.expire_all()
    return values_of(BOOKS, session, session.get_one(Book, key), names)


def test_a_row_that_is_closed_to_this_person_says_why_and_harms_no_other(books: Session):
    books.execute(update(Book).where(Book.id == 1).values(lent=True))

    saved = save(books, Change(1, 1, {"name": "One"}), Change(2, 1, {"name": "Two"}))

    assert told(saved) == [(1, "name", "Book 1 is lent. It can be edited once it is back.")]
    assert held(books, 1, "name") == {"name": "Book 1"}
    assert held(books, 2, "name") == {"name": "Two"}


def test_a_cell_that_is_closed_leaves_the_others_of_its_row(books: Session):
    books.execute(update(Book).where(Book.id == 1).values(binding=Binding.LEATHER))

    saved = save(books, Change(1, 1, {"price": 1, "name": "One"}))

    assert told(saved) == [(1, "price", "A leather binding has no price.")]
    assert held(books, 1, "name", "price") == {"name": "One", "price": 100}


def test_a_relation_to_what_is_not_offered_is_refused_logged_and_not_written(
    books: Session, caplog: pytest.LogCaptureFixture
):
    with caplog.at_level(logging.WARNING):
        saved = save(books, Change(1, 1, {"shelf_code": 4711, "author_ids": [1, 99], "name": "One"}))

    assert told(saved) == [
        (1, "shelf_code", "This choice is not offered to you."),
        (1, "author_ids", "This choice is not offered to you."),
    ]
    assert "chose what it is not offered: author_ids, shelf_code" in caplog.text
    assert held(books, 1, "name", "shelf_code", "author_ids") == {
        "name": "One", "shelf_code": 1002, "author_ids": [],
    }  # fmt: skip


def test_both_coming_to_the_same_value_is_nothing_to_decide(books: Session):
    books.execute(update(Book).where(Book.id == 1).values(name="Same", version=2))

    assert save(books, Change(1, 1, {"name": "Same"})) == Saved()


def test_only_what_differs_is_to_be_decided(books: Session):
    books.execute(update(Book).where(Book.id == 1).values(name="Theirs", pages=7, version=2))

    (contest,) = save(books, Change(1, 1, {"name": "Mine", "pages": 7})).contests

    assert (contest.theirs, contest.mine) == ({"name": "Theirs"}, {"name": "Mine"})


def test_the_last_save_is_undone_in_every_row_and_cell_a_many_to_many_too(books: Session):
    before = {key: held(books, key, "name", "author_ids", "binding") for key in (1, 2)}
    saved = save(
        books, Change(1, 1, {"name": "One", "author_ids": [1, 2]}), Change(2, 1, {"name": "Two", "binding": None})
    )

    undone = save(books, *saved.undo)

    assert (undone.cells, undone.faults, undone.contests) == (4, (), ())
    assert {key: held(books, key, "name", "author_ids", "binding") for key in (1, 2)} == before


def test_what_the_service_changed_beside_what_was_typed_is_undone_with_it(books: Session):
    def save_and_tidy(session: Session, actor: Any, key: Any, version: int, changes: dict[str, Any], now: Any) -> int:
        """Whoever takes the price away takes the note with it."""
        beside = {"note": None} if changes.get("price") == 0 else {}
        made: int = BOOKS.save(session, actor, key, version, changes | beside, now)
        return made

    books.execute(update(Book).where(Book.id == 1).values(note="Signed"))
    config = replace(BOOKS, save=save_and_tidy)
    (undo,) = save_all(config, books, LIBRARIAN, [Change(1, 1, {"price": 0})], NOW).undo

    undone = save_all(config, books, LIBRARIAN, [undo], NOW)

    assert undo == Change(1, 2, {"price": 100, "note": "Signed"})
    assert (undone.faults, undone.contests) == ((), ())
    assert held(books, 1, "price", "note") == {"price": 100, "note": "Signed"}


def test_nothing_is_undone_that_this_person_may_not_edit(books: Session):
    def save_and_read(session: Session, actor: Any, key: Any, version: int, changes: dict[str, Any], now: Any) -> int:
        """Whoever names a book has read it."""
        session.execute(update(Book).where(Book.id == key).values(read=100))
        made: int = BOOKS.save(session, actor, key, version, changes, now)
        return made

    (undo,) = save_all(replace(BOOKS, save=save_and_read), books, LIBRARIAN, [Change(1, 1, {"name": "One"})], NOW).undo

    assert undo.fields == {"name": "Book 1"}


def test_an_undo_after_somebody_elses_change_is_a_conflict_that_is_told(books: Session):
    saved = save(books, Change(1, 1, {"name": "One"}), Change(2, 1, {"name": "Two"}))
    books.execute(update(Book).where(Book.id == 1).values(name="Theirs", version=9))

    undone = save(books, *saved.undo)

    assert [(contest.id, contest.theirs, contest.mine) for contest in undone.contests] == [
        (1, {"name": "Theirs"}, {"name": "Book 1"})
    ]
    assert held(books, 1, "name") == {"name": "Theirs"}
    assert held(books, 2, "name") == {"name": "Book 2"}


def test_what_was_refused_is_not_undone(books: Session):
    saved = save(books, Change(1, 1, {"name": "untitled", "pages": 7}))

    assert [change.fields for change in saved.undo] == [{"pages": 10}]


KEYS = st.integers(1, 4)
STEPS = st.one_of(
    st.tuples(st.just("save"), st.lists(st.tuples(KEYS, st.sampled_from(["name", "pages"])), max_size=3, unique=True)),
    st.tuples(st.just("undo")),
    st.tuples(st.just("somebody changes"), KEYS, st.sampled_from(["name", "pages"])),
    st.tuples(st.just("somebody lends"), KEYS, st.booleans()),
    st.tuples(st.just("somebody deletes"), KEYS),
)


@pytest.fixture(scope="module")
def shelves(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    made = make_engine(f"sqlite:///{tmp_path_factory.mktemp('undo') / 'books.db'}")
    create(made)
    yield made
    made.dispose()


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=st.lists(STEPS, max_size=12))
def test_saves_and_undos_touch_what_they_name_and_nothing_else(shelves: Engine, steps: list[tuple[Any, ...]]):
    with writing(shelves) as session:
        for key in (1, 2, 3, 4):
            session.add(a_book(key))
        session.flush()
        _story(session, steps)
        session.rollback()


def _story(session: Session, steps: list[tuple[Any, ...]]) -> None:
    last: Saved = Saved()
    before_last: dict[Any, dict[str, Any]] = {}
    for number, step in enumerate(steps):
        was = _world(session)
        match step:
            case ("save", cells):
                rows: dict[int, dict[str, Any]] = {}
                for key, name in cells:
                    if key in was:
                        rows.setdefault(key, {})[name] = f"New {number}" if name == "name" else 1000 + number
                saved = save(session, *(Change(key, was[key]["version"], fields) for key, fields in rows.items()))
                expected = {key: {**row, **rows.get(key, {})} if not row["lent"] else row for key, row in was.items()}
                assert _plain(_world(session)) == _plain(expected)
                if saved.undo:
                    last, before_last = saved, was
            case ("undo",):
                save(session, *last.undo)
                now = _world(session)
                for key, row in now.items():
                    undone = {name for change in last.undo if change.id == key for name in change.fields}
                    stands = was[key]["version"] == last.versions.get(key) and not was[key]["lent"]
                    wanted = {**was[key], **{name: before_last[key][name] for name in undone}} if stands else was[key]
                    assert _plain({key: row}) == _plain({key: wanted})
                last = Saved()
            case ("somebody changes", key, name):
                value = {name: f"Theirs {number}" if name == "name" else 2000 + number}
                session.execute(update(Book).where(Book.id == key).values(**value, version=Book.version + 1))
            case ("somebody lends", key, lent):
                session.execute(update(Book).where(Book.id == key).values(lent=lent))
            case ("somebody deletes", key):
                found = session.get(Book, key)
                if found is not None:
                    session.delete(found)
                    session.flush()


def _world(session: Session) -> dict[int, dict[str, Any]]:
    asked = select(Book.id, Book.name, Book.pages, Book.lent, Book.version)
    return {row.id: row._asdict() for row in session.execute(asked)}


def _plain(world: dict[int, dict[str, Any]]) -> dict[int, dict[str, Any]]:
    return {key: {name: value for name, value in row.items() if name != "version"} for key, row in world.items()}
