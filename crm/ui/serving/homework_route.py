"""Handed-in files: a route that asks at every click who is there and whether they may, and answers with a download."""

from pathlib import Path
from typing import Any
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import FileResponse, Response

from crm.i18n import says
from crm.rbac import Actor
from crm.services.scores import homework
from crm.store.homework_files import NAME
from crm.ui.serving.visitors import ask, say

ROUTE = "/homework/{number}/{file}/{name}"


def address(number: int, file: str, name: str) -> str:
    """Where the file of a study record can be fetched by whoever may, as long as it is the one that was handed in."""
    return f"/homework/{number}/{file}/{quote(name, safe='')}"


async def fetch(request: Request) -> Response:
    """The file, as a download that no browser opens by itself; that there is none to whoever may not have it."""
    number, file = request.path_params["number"], request.path_params["file"]
    # Not left to the route: it fails on a number of thousands of digits.
    whole = number.isascii() and number.isdigit() and len(number) < 10
    known = whole and NAME.fullmatch(file) is not None

    def find(session: Any, actor: Actor) -> tuple[Path, str] | None:
        return homework.fetch(session, actor, int(number), file) if known else None

    found, language = await ask(request, find)
    if found is None:
        return say(says("There is no such file, or it is not yours to open."), language, 404)
    path, name = found
    headers = {"Cache-Control": "no-store", "Content-Security-Policy": "sandbox; default-src 'none'"}
    return FileResponse(path, filename=name, media_type="application/octet-stream", headers=headers)
