"""The web server: Streamlit's pages, and around them what Streamlit has no answer for.

How to start it, for `python -m crm run` and everybody else:

    python -m crm.ui.web                  # port from PORT (8501), stops on SIGTERM or Ctrl-C
    serve(port=8501)                      # the same from Python; blocks

From any folder. It is ready when `GET /_stcore/health` answers `ok`. It listens on this machine only,
unless the settings `server.listen` and `school.address` say more. It uses all cores, with a process for each
(`crm.ui.serving.processes`), unless the setting `server.processes` says otherwise.
`streamlit run app.py` works too, but then a sign-in lasts only as long as its browser tab.
"""

import logging
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs, urlsplit

import streamlit as st
from starlette.concurrency import run_in_threadpool
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route
from streamlit.runtime.pages_manager import PagesManager
from streamlit.web.server.server_util import is_url_from_allowed_origins

from crm.errors import ThanosError, Unavailable
from crm.i18n import says
from crm.services.access import sign_in
from crm.settings import ROOT, settings
from crm.store.session import writing
from crm.ui.failures import on_error, silence_streamlit
from crm.ui.serving import door, export_files, homework_route, processes
from crm.ui.serving.closed import Closed
from crm.ui.serving.headers import SecurityHeaders
from crm.ui.serving.theme import keep_theme
from crm.ui.serving.uploads import UploadsOfTheSignedIn
from crm.ui.serving.visitors import ask, say
from crm.ui.start import start

APP = ROOT / "app.py"
MAX_FORM = 4096
THIS_MACHINE = ("localhost", "127.0.0.1")


def make_app(listens: Callable[[int], None] = lambda _port: None) -> st.App:
    """The ASGI application: pages, the routes of the door, headers, and what a failure looks like.

    `listens` is told the port once visitors may come.
    """

    @asynccontextmanager
    async def prepared(_app: st.App) -> AsyncIterator[None]:
        start()
        listens(int(st.get_option("server.port") or 0))
        yield

    # A page opened before `st.navigation` ran once would run without app.py around it. Every page asks
    # for its permission itself; this is a second lock on the same door.
    PagesManager.uses_pages_directory = False
    silence_streamlit()
    keep_theme()
    door.open_door()
    return st.App(
        APP,
        lifespan=prepared,
        routes=[
            Route(door.SIGN_IN, enter, methods=["POST"]),
            Route(door.SIGN_OUT, leave, methods=["POST"]),
            Route(door.SCRIPT, script, methods=["GET"]),
            Route(export_files.ROUTE, export_files.fetch, methods=["GET"]),
            Route(homework_route.ROUTE, homework_route.fetch, methods=["GET"]),
        ],
        middleware=[Middleware(SecurityHeaders), Middleware(Closed), Middleware(UploadsOfTheSignedIn)],
        on_script_error=on_error,
    )


def serve(port: int | None = None) -> None:
    """Serves the app until it is told to stop. `port`: else PORT, else 8501.

    Raises `Unavailable` if the port is taken, `Misconfigured` when a setting or a declared table is wrong.
    """
    # Streamlit looks for .streamlit/config.toml beside the script that was started.
    sys.argv = [str(APP)]
    number, count = port or settings().port, processes.wanted()
    if count == 1:
        make_app().run(config=server_options(number))
        return
    door.open_door()
    start()
    if status := processes.serve_together(count, number, _serve_behind):
        sys.exit(status)


def _serve_behind(tell: Callable[[int], None]) -> None:
    """One of several processes: on a port of this machine that the system chooses."""

    def listens(port: int) -> None:
        processes.end_with_parent()
        tell(port)

    # What was imported before has read Streamlit's settings, and Streamlit warns that ours for this process differ.
    logging.getLogger("streamlit.config").disabled = True
    make_app(listens).run(config={**server_options(0), "server.address": "127.0.0.1"})


def server_options(port: int) -> dict[str, Any]:
    """What Streamlit's own settings take from ours, beside .streamlit/config.toml.

    Only visitors who came by a name of this school are answered: another name that leads here is a trick
    (DNS rebinding). Without `school.address`, a server for everybody knows no name and takes any.
    """
    here = settings()
    name = urlsplit(here.school.address).hostname
    hosts = [*THIS_MACHINE, name] if name else list(THIS_MACHINE)
    return {
        "server.port": port,
        "server.address": here.server.listen,
        "server.allowedHosts": hosts if name or here.server.listen in THIS_MACHINE else [],
        "server.corsAllowedOrigins": [here.school.address.rstrip("/")] if name else [],
        "server.maxUploadSize": max(here.imports.max_megabytes, here.homework.max_megabytes),
    }


async def enter(request: Request) -> Response:
    """Exchanges a one-time ticket for the session's cookie, and goes on to where the person wanted to be.

    A ticket that is used, late or made up leads to the sign-in form again, and sets nothing.
    """
    if not from_here(request):
        return await _refused(request)
    fields = await _fields(request)
    back = RedirectResponse(door.own_path(fields.get("to", "/")), 303)
    old = request.cookies.get(door.cookie_name())
    try:
        token = await run_in_threadpool(_redeemed, fields.get("ticket", ""), old)
    except Unavailable:
        return back
    if token:
        back.set_cookie(
            door.cookie_name(),
            token,
            max_age=settings().sign_in.session_hours * 3600,
            path="/",
            secure=settings().sign_in.secure_cookie,
            httponly=True,
            samesite="lax",
        )
    return back


async def leave(request: Request) -> Response:
    """Ends the session of the cookie, and clears it."""
    if not from_here(request):
        return await _refused(request)
    token = request.cookies.get(door.cookie_name())
    if token:
        await run_in_threadpool(_ended, token)
    out = RedirectResponse("/", 303)
    out.delete_cookie(
        door.cookie_name(), path="/", secure=settings().sign_in.secure_cookie, httponly=True, samesite="lax"
    )
    return out


async def script(_request: Request) -> Response:
    """The script that posts a page's ticket."""
    return Response(door.JAVASCRIPT, media_type="text/javascript", headers={"Cache-Control": "no-cache"})


def from_here(request: Request) -> bool:
    """Whether a page of this site sent the request. Another site could sign somebody in as itself, or out.

    Browsers say so: by Sec-Fetch-Site where the connection is trustworthy, by Origin on every POST.
    """
    site = request.headers.get("sec-fetch-site")
    if site is not None:
        return site == "same-origin"
    origin = request.headers.get("origin")
    if not origin:
        return False
    return urlsplit(origin).netloc == request.headers.get("host") or bool(is_url_from_allowed_origins(origin))


async def _fields(request: Request) -> dict[str, str]:
    body = b""
    async for part in request.stream():
        body += part
        if len(body) > MAX_FORM:
            return {}
    return {name: values[0] for name, values in parse_qs(body.decode("utf-8", "replace")).items()}


def _redeemed(ticket: str, old: str | None) -> str | None:
    now = datetime.now(UTC)
    with writing() as session:
        token = sign_in.redeem(session, ticket, now)
        if token and old:
            sign_in.end(session, old, now)
    return token


def _ended(token: str) -> None:
    with writing() as session:
        sign_in.end(session, token, datetime.now(UTC))


async def _refused(request: Request) -> Response:
    _nothing, language = await ask(request, lambda _session, _actor: None)
    return say(says("This has to come from a page of this site."), language, 403)


if __name__ == "__main__":
    try:
        serve()
    except ThanosError as error:
        sys.exit(str(error))
    except KeyboardInterrupt:
        sys.exit(130)
