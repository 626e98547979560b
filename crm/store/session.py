"""Sessions: one to read, one to write. A service gets one and never commits: whoever opened it does.

Without an engine of the caller's they are on the database that the settings name, and none is opened on one that a
newer version of this program wrote: `Unavailable`, as when it cannot be reached.
"""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache

from sqlalchemy import Engine
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session as AnySession
from sqlmodel import Session

from crm.errors import Unavailable
from crm.i18n import says
from crm.store.engine import WRITES, engine


@contextmanager
def reading(on: Engine | None = None) -> Iterator[Session]:
    """A session for reading. Never blocks a writer on SQLite, never is blocked by one."""
    with _translated(), Session(on or _ours(), expire_on_commit=False) as session:
        yield session


@contextmanager
def writing(on: Engine | None = None) -> Iterator[Session]:
    """A transaction for writing: committed at the end, rolled back on any error.

    On SQLite it takes the write lock at once, so that what it reads stays true until it writes.
    """
    with (
        _translated(),
        Session((on or _ours()).execution_options(**{WRITES: True}), expire_on_commit=False) as session,
    ):
        try:
            yield session
            session.commit()
        except BaseException:
            session.rollback()
            raise


def is_postgres(session: AnySession) -> bool:
    """Whether the session talks to PostgreSQL (else SQLite)."""
    return session.get_bind().dialect.name == "postgresql"


def _ours() -> Engine:
    ours = engine()
    _require_not_newer(ours)
    return ours


@lru_cache(maxsize=4)
def _require_not_newer(ours: Engine) -> None:
    """Looked at until it holds, then not again: an upgrade begins with stopping everything."""
    # Only now: it brings Alembic along, which tells every log how it was loaded, and reads the revisions.
    logging.getLogger("alembic").setLevel(logging.WARNING)
    from crm.store import migrate

    migrate.require_not_newer(ours)


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except OperationalError as error:
        text = " ".join(_causes(error)).lower()
        if "full" in text or "no space" in text:
            raise Unavailable(says("The disk is full. Nothing was written. Free some space and try again.")) from error
        if any(word in text for word in ("locked", "busy", "deadlock")):
            raise Unavailable(says("The database is busy. Nothing was written. Try again in a moment.")) from error
        if "no such table" in text or "no such column" in text:
            raise Unavailable(says("The database is not up to date. Run: python -m crm migrate")) from error
        raise Unavailable(
            says("The database cannot be reached. Nothing was written. Try again in a moment.")
        ) from error


def _causes(error: BaseException | None) -> Iterator[str]:
    """What the database said, first and last: after its own rollback, undoing a savepoint fails as well."""
    while error is not None:
        if isinstance(error, OperationalError):
            yield str(error.orig)
        error = error.__cause__ or error.__context__
