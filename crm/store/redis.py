"""Redis proposes who gets the next customers; the database decides.

Redis keeps a copy of the sharing round and works out the order in one Lua call for up to `CHUNK` customers.
It can be flushed or killed at any moment: whenever it is away, slow or has another round than the database,
the caller learns it at once and works the order out itself (`crm.domain.sharing`), which is the same order.
"""

import hashlib
import logging
import time
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any, cast

import redis
from redis.backoff import NoBackoff
from redis.exceptions import ConnectionError as Disconnected
from redis.exceptions import NoScriptError
from redis.exceptions import TimeoutError as TimedOut
from redis.retry import Retry

from crm.domain.sharing import Member, Round, Taking
from crm.settings import settings

CHUNK = 5_000
"""Customers a call: a script that runs for long blocks everybody else."""
CONNECT_SECONDS = 0.5
ANSWER_SECONDS = 2.0
REST_SECONDS = 5.0
"""How long Redis is left alone after a failure, so that an outage costs one wait and not one a customer."""
# The braces keep both on one node of a cluster, as a script needs them.
ROUND_KEY = "thanos:{sharing}:round"
ANSWER_KEY = "thanos:{sharing}:answer:"

_SCRIPT = (Path(__file__).parent / "sharing.lua").read_text("utf-8")
_DIGEST = hashlib.sha1(_SCRIPT.encode(), usedforsecurity=False).hexdigest()
_log = logging.getLogger(__name__)


class Proposals:
    """Proposals of the Redis at `url`, for one process. Never raises what Redis raises."""

    def __init__(self, url: str) -> None:
        self._away_until = 0.0
        self._client: Any = redis.Redis.from_url(
            url,
            decode_responses=True,
            socket_connect_timeout=CONNECT_SECONDS,
            socket_timeout=ANSWER_SECONDS,
            retry=Retry(NoBackoff(), 0),
            retry_on_timeout=False,
        )

    def propose(
        self, now: Round, taking: Sequence[Taking], count: int, *, revision: str, after: str, batch: str
    ) -> list[int] | None:
        """The ids of those who get the next `count` customers (at most `CHUNK`), or None without Redis.

        `now` is the database's round of `revision`; the copy takes it over if it differs, and is left as
        revision `after`. The same `batch` asked again gives the same answer and changes nothing.
        """
        if time.monotonic() < self._away_until:
            return None
        held = written(now, revision)
        digest = hashlib.sha1(held.encode(), usedforsecurity=False).hexdigest()
        keys = (ROUND_KEY, ANSWER_KEY + batch)
        able = ";".join(f"{one.id},{one.weight},{one.room}" for one in taking)
        try:
            answer = self._ask(keys, (digest, after, able, count, ""))
            if answer == "stale":
                answer = self._ask(keys, (digest, after, able, count, held))
            return [int(part) for part in answer.split(",")] if answer else []
        except Exception as error:
            # Of every kind: what answers there need not be a Redis, nor speak as one.
            self._rest(error)
            return None

    def copy(self) -> tuple[str, Round] | None:
        """The copy that Redis holds, with its revision. None if it holds none or cannot be asked."""
        try:
            text = self._client.get(ROUND_KEY)
            return read(text) if text else None
        except Exception as error:
            self._rest(error)
            return None

    def close(self) -> None:
        """Give the connections back."""
        self._client.close()

    def _ask(self, keys: tuple[str, str], arguments: tuple[Any, ...]) -> str:
        try:
            return self._run(keys, arguments)
        except TimedOut:
            raise
        except Disconnected:
            # A connection of a Redis that was started again. The batch's name makes asking twice harmless.
            return self._run(keys, arguments)

    def _run(self, keys: tuple[str, str], arguments: tuple[Any, ...]) -> str:
        try:
            return cast(str, self._client.evalsha(_DIGEST, len(keys), *keys, *arguments))
        except NoScriptError:
            return cast(str, self._client.eval(_SCRIPT, len(keys), *keys, *arguments))

    def _rest(self, error: Exception) -> None:
        self._away_until = time.monotonic() + REST_SECONDS
        _log.warning("Redis cannot be used, the database decides alone for now: %s", _one_line(error))


def proposals() -> Proposals | None:
    """The proposals of the Redis that REDIS_URL names, one object a process. None where none is named."""
    url = settings().redis_url
    return _proposals(url) if url else None


@cache
def _proposals(url: str) -> Proposals | None:
    try:
        return Proposals(url)
    except ValueError as error:
        _log.warning("REDIS_URL cannot be used, the database decides alone: %s", _one_line(error))
        return None


def written(now: Round, revision: str) -> str:
    """A round as Redis keeps it. Equal rounds of equal revision are equal texts."""
    members = ";".join(f"{m.id},{m.weight},{m.served},{m.carry}" for m in now.members)
    return f"{revision}|{now.step}|{members}"


def read(text: str) -> tuple[str, Round]:
    """The other way round: revision and round. Raises `ValueError` on anything else."""
    revision, step, members = text.split("|")
    rows = (row.split(",") for row in members.split(";") if row)
    return revision, Round(int(step), tuple(Member(*map(int, row)) for row in rows))


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())[:200] or type(error).__name__
