"""Handed-in files: a route that asks at every click who is there and whether they may, and answers with a download."""

from pathlib import Path
from urllib.parse import quote

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import FileResponse, PlainTextResponse, Response

from crm.errors import NotFound, Unavailable
from crm.services import homework
from crm.store.homework_files import NAME
from crm.store.session import reading
from crm.ui import door
from crm.ui.session import by_cookie

ROUTE = "/homework/{number}/{file}/{name}"


def address(number: int, file: str, name: str) -> str:
    """Where the file of a study record can be fetched by whoever may, as long as it is the one that was handed in."""
    return f"/homework/{number}/{file}/{quote(name, safe='')}"


async def fetch(request: Request) -> Response:
    """The file, as a download that no browser opens by itself; that there is none to whoever may not have it."""
    cookie = request.cookies.get(door.cookie_name())
    number, file = request.path_params["number"], request.path_params["file"]
    # Not left to the route: it fails on a number of thousands of digits.
    whole = number.isascii() and number.isdigit() and len(number) < 10
    known = bool(cookie) and NAME.fullmatch(file) is not None and whole
    found = await run_in_threadpool(_found, cookie or "", int(number), file) if known else None
    if found is None:
        return PlainTextResponse("There is no such file, or it is not yours to open.", 404)
    path, name = found
    headers = {"Cache-Control": "no-store", "Content-Security-Policy": "sandbox; default-src 'none'"}
    return FileResponse(path, filename=name, media_type="application/octet-stream", headers=headers)


def _found(cookie: str, number: int, file: str) -> tuple[Path, str] | None:
    try:
        with reading() as session:
            actor = by_cookie(session, cookie)
            return homework.fetch(session, actor, number, file) if actor else None
    except (NotFound, Unavailable):
        return None
