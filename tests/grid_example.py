"""The worked example of docs/grid.md as a module, with rows and people to try it with."""

import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Any

from sqlalchemy import Engine
from sqlmodel import Session

from crm.rbac import Actor, Reach
from crm.store.session import reading, writing

DOC = Path(__file__).resolve().parent.parent / "docs" / "grid.md"
NOW = datetime(2026, 5, 20, 4, 0, tzinfo=UTC)
EVERYTHING = {f"books.{action}": Reach.ALL for action in ("view", "edit", "add", "delete", "lend", "price", "export")}
LIBRARIAN = Actor(account_id=1, name="librarian", grants=EVERYTHING)
READER = Actor(account_id=2, name="reader", grants={"books.view": Reach.ALL})


def blocks() -> dict[str, str]:
    """The code on the page, by the file name in its first line."""
    found = re.findall(r"```python\n# (\S+)\n(.*?)```", DOC.read_text("utf-8"), re.DOTALL)
    return dict(found)


def _module() -> ModuleType:
    made = ModuleType("grid_example_books")
    sys.modules[made.__name__] = made
    exec(compile(blocks()["books.py"], str(DOC), "exec"), made.__dict__)
    return made


books: Any = sys.modules.get("grid_example_books") or _module()
Book, Shelf, Author, Binding, BOOKS, site = (
    books.Book,
    books.Shelf,
    books.Author,
    books.Binding,
    books.BOOKS,
    books.site,
)


def create(engine: Engine, count: int = 0) -> None:
    """The example's tables, three shelves, and as many books, the last one added first in the list."""
    books.Library.metadata.create_all(engine)
    with writing(engine) as session:
        session.add_all([Shelf(id=n, code=1000 + n, name=f"Shelf {n}") for n in (1, 2, 3)])
        session.add_all([Author(id=n, name=name) for n, name in enumerate(("曹雪芹", "高鹗", "Austen"), start=1)])
        session.flush()
        session.add_all([a_book(number) for number in range(1, count + 1)])


def forget(engine: Engine) -> None:
    """The example's tables and all that is in them are gone."""
    books.Library.metadata.drop_all(engine)


def a_book(number: int = 1, **fields: Any) -> Any:
    """Book 1, Book 2, ... added a minute apart; every second one bound in cloth, every third on shelf 1001."""
    made = {
        "id": number,
        "name": f"Book {number}",
        "pages": number * 10,
        "price": number * 100,
        "binding": Binding.CLOTH if number % 2 == 0 else Binding.PAPER,
        "shelf_code": 1001 if number % 3 == 0 else 1002,
        "added_at": NOW - timedelta(days=30) + timedelta(minutes=number),
    }
    return Book(**(made | fields))


def connect(engine: Engine, **more: Any) -> None:
    """The example's site on that database, at noon of 20 May 2026 in Shanghai."""
    options = {"reading": partial(reading, engine), "writing": partial(writing, engine), "now": lambda: NOW}
    site.connect(**(options | more))


@contextmanager
def session_on(engine: Engine, count: int = 0) -> Iterator[Session]:
    """A writing session on the example's tables with so many books."""
    create(engine, count)
    with writing(engine) as session:
        yield session
