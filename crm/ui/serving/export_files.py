"""Exported files: kept for a while in `var/exports`, and handed to nobody but the person who made them.

A page cannot stream a file to the browser without holding it in memory; a route beside the pages can. A file's own
name keeps whose it is and what they had to be allowed for it: whoever lost that meanwhile does not get it any more.
"""

import re
import secrets
import shutil
import time
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import FileResponse, Response

from crm.errors import NotAllowed
from crm.i18n import says
from crm.rbac import Actor, Reach
from crm.settings import settings
from crm.ui.serving.visitors import ask, say

ROUTE = "/exports/{token}/{name}"
KEPT_SECONDS = 15 * 60
_TOKEN = re.compile(r"[A-Za-z0-9_-]{43}")


def offer(actor: Actor, file: Path, name: str, needs: Iterable[str]) -> str:
    """Takes the file over and returns the address where this person, signed in, can fetch it for 15 minutes.

    They have to be allowed all that it `needs` then too, as far as now. Raises `NotAllowed` without it.
    """
    granted = {}
    for need in needs:
        actor.require(need)
        granted[need] = actor.grants[need]
    folder = _folder()
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    forget_old(folder)
    token = secrets.token_urlsafe(32)
    kept = "+".join(f"{need}={int(reach)}" for need, reach in granted.items())
    shutil.move(file, folder / f"{actor.account_id}.{token}.{kept}")
    return f"/exports/{token}/{quote(name, safe='')}"


def forget_old(folder: Path) -> None:
    """Files that nobody may fetch any more are gone. Called before each new one, and at the start."""
    for old in folder.glob("*"):
        # Another process may forget the same one.
        with suppress(FileNotFoundError):
            if old.stat().st_mtime < time.time() - KEPT_SECONDS:
                old.unlink()


async def fetch(request: Request) -> Response:
    """The file, to whom it belongs; that there is none to anybody else."""
    token, name = request.path_params["token"], request.path_params["name"]
    file, language = await ask(request, lambda _session, actor: _file_of(actor, token))
    if file is None:
        return say(says("There is no such file, or its time is over. Export it again."), language, 404)
    return FileResponse(file, filename=name, headers={"Cache-Control": "no-store"})


def _file_of(actor: Actor, token: str) -> Path | None:
    """The file of that token; None where there is none. Raises `NotAllowed` for who may not have it (any more)."""
    file = next(_folder().glob(f"*.{token}.*"), None) if _TOKEN.fullmatch(token) else None
    if file is None or file.stat().st_mtime < time.time() - KEPT_SECONDS:
        return None
    owner, _token, kept = file.name.split(".", 2)
    needs = {need: Reach(int(reach)) for need, _, reach in (one.partition("=") for one in kept.split("+"))}
    lost = next((need for need, reach in needs.items() if (actor.reach(need) or 0) < reach), None)
    if owner == str(actor.account_id) and lost is None:
        return file
    raise NotAllowed(says("This file is not yours to open."), lost or next(iter(needs)))


def _folder() -> Path:
    return settings().var / "exports"
