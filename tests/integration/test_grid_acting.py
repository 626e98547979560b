"""An action on many rows: which they are, step by step, and what became of each."""

import csv
import io
from dataclasses import replace
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import Engine, select

from crm.errors import Invalid, Refused, Unavailable
from crm.grid import acting
from crm.grid.acting import NO_SUCH, Every, Row, Ticked, Work, account_csv, sight
from crm.grid.view import read_view
from crm.i18n import says
from crm.rbac import Actor, Reach
from crm.store.session import reading, writing
from tests.grid_example import BOOKS, LIBRARIAN, NOW, Book, create

SHANGHAI = ZoneInfo("Asia/Shanghai")
RETURN = next(action for action in BOOKS.actions if action.name == "return")
LEND = next(action for action in BOOKS.actions if action.name == "lend")
KEEPER = replace(LIBRARIAN, department=1001)


@pytest.fixture
def books(engine: Engine) -> Engine:
    """30 books, every third on the keeper's shelf."""
    create(engine, 30)
    return engine


def matching(engine: Engine, actor: Actor = LIBRARIAN, **url: list[str]) -> list[Row]:
    """All rows of the example that match that address."""
    with reading(engine) as session:
        return Every(read_view(BOOKS, url)).rows(BOOKS, session, actor, SHANGHAI)


def work(action: Any, rows: list[Row], run: Any = None, **params: Any) -> Work:
    return Work(action, run or action.run, params, rows)


def done(engine: Engine, made: Work) -> Work:
    """The work, done to its end."""
    while made.left:
        made.step(partial(writing, engine), LIBRARIAN, NOW)
    return made


def names(rows: Any) -> list[str]:
    return [row.name for row in rows]


def test_all_that_match_are_those_within_reach_in_the_order_of_the_view(books: Engine) -> None:
    assert len(matching(books)) == 30
    assert names(matching(books, q=["Book 1"], sort=["-pages"], page=["2"])[:3]) == ["Book 19", "Book 18", "Book 17"]
    assert names(matching(books, KEEPER, sort=["name"])[:2]) == ["Book 12", "Book 15"]


def test_an_unreadable_view_matches_nothing(books: Engine) -> None:
    assert matching(books, binding=["gold"]) == []


def test_too_many_at_once_are_refused(books: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(acting, "MOST", 29)

    with pytest.raises(Refused, match="At most 29 rows"):
        matching(books)


def test_a_row_is_called_by_a_column_that_the_actor_may_see(books: Engine) -> None:
    secret = replace(BOOKS, columns=tuple(replace(one, see="books.secret") for one in BOOKS.columns))

    with reading(books) as session:
        rows = Every(read_view(secret, {"q": ["Book 30"]})).rows(secret, session, LIBRARIAN, SHANGHAI)

    assert rows == [Row(30, "#30", 1)]


def test_what_was_seen_is_told_from_what_matches_now(books: Engine) -> None:
    before = sight(matching(books, lent=["no"]))
    assert (before.number, names(before.sample)) == (30, ["Book 30", "Book 29", "Book 28", "Book 27", "Book 26"])
    assert sight(matching(books, lent=["no"], sort=["name"])).mark == before.mark

    with writing(books) as session:
        session.get(Book, 7).lent = True

    assert sight(matching(books, lent=["no"])).mark != before.mark


def test_each_row_is_done_or_refused_and_the_account_says_which(books: Engine) -> None:
    with writing(books) as session:
        session.get(Book, 2).lent = True
    rows = [Row(1, "One"), Row(2, "Two"), Row(99, "Gone")]

    made = done(books, work(LEND, rows, to="Ann"))

    assert names(made.done) == ["One"]
    assert made.refused == {rows[1]: says("{name} is lent already.", name="Book 2"), rows[2]: NO_SUCH}
    with reading(books) as session:
        assert session.scalars(select(Book.id).where(Book.note == "Lent to Ann")).all() == [1]


def test_thousands_go_in_steps_and_one_that_fails_leaves_the_others_done(
    books: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(acting, "STEP", 10)
    rows = matching(books, sort=["added_at"])
    steps: list[list[int]] = []

    def fails_at_the_second(session: Any, actor: Actor, ids: list[int], now: Any) -> Any:
        steps.append(ids)
        account = RETURN.run(session, actor, ids, now)
        if len(steps) == 2:
            raise Refused(says("Not these."))
        return account

    made = done(books, work(RETURN, rows, fails_at_the_second))

    assert [len(ids) for ids in steps] == [10, 10, 10]
    assert (names(made.done)[:1], len(made.done), names(made.refused)[:1]) == (["Book 1"], 20, ["Book 11"])
    with reading(books) as session:
        changed = session.scalars(select(Book.id).where(Book.version == 2).order_by(Book.id)).all()
    assert changed == [*range(1, 11), *range(21, 31)]


def test_without_the_database_it_stops_and_the_rest_counts_as_not_reached(
    books: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(acting, "STEP", 10)
    away = []

    def away_at_the_second(session: Any, actor: Actor, ids: list[int], now: Any) -> Any:
        away.append(ids)
        if len(away) == 2:
            raise Unavailable(says("The database cannot be reached."))
        return RETURN.run(session, actor, ids, now)

    made = work(RETURN, matching(books), away_at_the_second)
    for _ in range(2):
        made.step(partial(writing, books), LIBRARIAN, NOW)

    assert (len(made.done), len(made.refused), len(made.left)) == (10, 0, 20)
    assert str(made.stopped) == "The database cannot be reached."
    done(books, made)
    assert (len(made.done), made.left, made.stopped) == (30, [], None)


def test_a_wrong_parameter_is_told_before_anything_is_done(books: Engine) -> None:
    def wrong(*_anything: Any, to: str) -> Any:
        raise Invalid.of({"to": says("Nobody of that name.")})

    with pytest.raises(Invalid):
        done(books, work(LEND, matching(books), wrong, to="Nobody"))


def test_who_lost_the_permission_meanwhile_does_nothing(books: Engine) -> None:
    made = work(RETURN, matching(books))

    made.step(partial(writing, books), Actor(account_id=2, name="reader", grants={"books.view": Reach.ALL}), NOW)

    assert (made.done, len(made.refused)) == ([], 30)


def test_an_action_on_rows_as_seen_gets_the_version_of_each_and_others_get_none(books: Engine) -> None:
    got: list[dict[str, Any]] = []

    def run(_session: Any, _actor: Actor, keys: Any, _now: Any, **more: Any) -> dict[Any, None]:
        got.append(more)
        return dict.fromkeys(keys)

    rows = matching(books)[:2]
    for action in (RETURN, replace(RETURN, as_seen=True)):
        done(books, Work(action, run, {}, rows))

    assert got == [{}, {"seen": {row.key: 1 for row in rows}}]
    changed = [rows[0]._replace(version=2), rows[1]]
    assert sight(changed).mark == sight(rows).mark
    assert sight(changed, as_seen=True).mark != sight(rows, as_seen=True).mark


def test_the_account_as_a_file_names_every_row_and_holds_no_formula(books: Engine) -> None:
    rows = [Row(1, "=1+1"), Row(2, "Two"), Row(3, "Three")]
    made = Work(RETURN, RETURN.run, {}, rows, reached=2, done=[rows[0]], refused={rows[1]: says("Not now.")})

    raw = account_csv(made)

    assert raw.startswith(b"\xef\xbb\xbf")
    assert list(csv.reader(io.StringIO(raw.decode("utf-8-sig")))) == [
        ["No.", "Row", "Outcome", "Why"],
        ["1", "'=1+1", "done", ""],
        ["2", "Two", "refused", "Not now."],
        ["3", "Three", "not reached", ""],
    ]


def test_ticked_rows_are_those_that_were_ticked(books: Engine) -> None:
    ticked = (Row(3, "Three"), Row(1, "One"))

    with reading(books) as session:
        assert Ticked(ticked).rows(BOOKS, session, LIBRARIAN, SHANGHAI) == list(ticked)
