"""Files that were handed in: in `homework` under the var folder, each under a name that says nothing, used once.

A file is whole before a row names it, and a row never names another file than the one it was written with. What no row
names (a hand-in that was replaced, a transaction that failed) is removed by `forget`.
"""

import os
import re
import secrets
import time
from collections.abc import Collection, Iterable
from pathlib import Path

from crm.errors import Unavailable
from crm.i18n import says
from crm.settings import settings

NAME = re.compile(r"[A-Za-z0-9_-]{43}")
RESTING_SECONDS = 3600
"""A younger file may belong to a row that is being written."""


def keep(content: bytes) -> str:
    """Keeps the content and returns the name it has from here on. Raises `Unavailable` if the disk does not take it."""
    name = secrets.token_urlsafe(32)
    _write(name, (content,))
    return name


def put_back(name: str, size: int, parts: Iterable[bytes]) -> None:
    """Keeps a file of a backup under the name that its row has, unless it is there. Raises `Unavailable` as `keep`."""
    there = path_of(name)
    if there is None or there.stat().st_size != size:
        _write(name, parts)


def _write(name: str, parts: Iterable[bytes]) -> None:
    folder = _folder()
    # Another each time: what was killed half way leaves its own behind, and is no reason not to do it again.
    part = folder / f".{name}.{secrets.token_hex(4)}.part"
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with os.fdopen(os.open(part, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "wb") as file:
            for some in parts:
                file.write(some)
            file.flush()
            os.fsync(file.fileno())
        part.replace(folder / name)
    except OSError as error:
        part.unlink(missing_ok=True)
        raise Unavailable(says("There is no room for the file: {why}.", why=error.strerror or "")) from None


def path_of(name: str) -> Path | None:
    """Where the file of that name is; None where there is none."""
    path = _folder() / name
    return path if NAME.fullmatch(name) and path.is_file() else None


def forget(named: Collection[str]) -> int:
    """Remove the files that no row names and that are no younger than an hour. Returns how many."""
    gone = 0
    folder = _folder()
    for file in folder.iterdir() if folder.is_dir() else ():
        name = file.name.removeprefix(".").partition(".")[0]
        old = file.stat().st_mtime < time.time() - RESTING_SECONDS
        if old and NAME.fullmatch(name) and (name != file.name or name not in named):
            file.unlink(missing_ok=True)
            gone += 1
    return gone


def _folder() -> Path:
    return settings().var / "homework"
