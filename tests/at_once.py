"""Two transactions at once, for tests: the second comes while the first has written and not committed."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from sqlalchemy import Engine, text
from sqlmodel import Session

from crm.errors import ThanosError
from crm.store.session import reading, writing
from tests.servers import wait_for

Answer = TypeVar("Answer")
Other = TypeVar("Other")


def somebody_waits(engine: Engine) -> bool:
    """Whether a transaction waits for a row of another. On SQLite whoever comes second waits in any case."""
    if engine.dialect.name == "sqlite":
        return True
    with reading() as session:
        waiting = text(
            "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
        )
        return bool(session.scalar(waiting))


def meanwhile(
    engine: Engine, first: Callable[[Session], Answer], second: Callable[[Session], Other]
) -> tuple[Answer, Other | ThanosError]:
    """What each answers, or what the second is told, where it begins before the first commits.

    It is either done by then or waits for the first.
    """

    def come_second() -> Other | ThanosError:
        try:
            with writing(engine) as session:
                return second(session)
        except ThanosError as why:
            return why

    with ThreadPoolExecutor(1) as other:
        with writing(engine) as session:
            answer = first(session)
            session.flush()
            coming = other.submit(come_second)
            wait_for(lambda: coming.done() or somebody_waits(engine), "nobody waits for the first")
        return answer, coming.result(timeout=30)
