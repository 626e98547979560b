"""Exported files: kept for a while in `var/exports`, and handed to nobody but the person who made them.

A page cannot stream a file to the browser without holding it in memory; a route beside the pages can.
"""

import re
import secrets
import shutil
import time
from pathlib import Path
from urllib.parse import quote

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import FileResponse, PlainTextResponse, Response

from crm.errors import Unavailable
from crm.rbac import Actor
from crm.settings import settings
from crm.store.session import reading
from crm.ui import door
from crm.ui.session import by_cookie

ROUTE = "/exports/{token}/{name}"
KEPT_SECONDS = 15 * 60
_TOKEN = re.compile(r"[A-Za-z0-9_-]{43}")


def offer(actor: Actor, file: Path, name: str) -> str:
    """Takes the file over and returns the address where this person, signed in, can fetch it for 15 minutes."""
    folder = _folder()
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    forget_old(folder)
    token = secrets.token_urlsafe(32)
    shutil.move(file, folder / f"{actor.account_id}.{token}")
    return f"/exports/{token}/{quote(name, safe='')}"


def forget_old(folder: Path) -> None:
    """Files that nobody may fetch any more are gone. Called before each new one, and at the start."""
    for old in folder.glob("*"):
        if old.stat().st_mtime < time.time() - KEPT_SECONDS:
            old.unlink(missing_ok=True)


async def fetch(request: Request) -> Response:
    """The file, to whom it belongs; that there is none to anybody else."""
    token, name = request.path_params["token"], request.path_params["name"]
    cookie = request.cookies.get(door.cookie_name())
    file = await run_in_threadpool(_file_of, cookie, token) if cookie and _TOKEN.fullmatch(token) else None
    if file is None:
        return PlainTextResponse("There is no such file, or its time is over. Export it again.", 404)
    return FileResponse(file, filename=name, headers={"Cache-Control": "no-store"})


def _file_of(cookie: str, token: str) -> Path | None:
    try:
        with reading() as session:
            actor = by_cookie(session, cookie)
    except Unavailable:
        return None
    if actor is None:
        return None
    file = _folder() / f"{actor.account_id}.{token}"
    fresh = file.is_file() and file.stat().st_mtime >= time.time() - KEPT_SECONDS
    return file if fresh else None


def _folder() -> Path:
    return settings().var / "exports"
