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
from typing import Any
from urllib.parse import urlsplit

import streamlit as st
from starlette.middleware import Middleware
from starlette.routing import Route
from streamlit.runtime.pages_manager import PagesManager

from crm.errors import ThanosError
from crm.settings import ROOT, settings
from crm.ui.failures import on_error, silence_streamlit
from crm.ui.serving import door, export_files, homework_route, processes, sign_in_routes
from crm.ui.serving.closed import Closed
from crm.ui.serving.headers import SecurityHeaders
from crm.ui.serving.theme import keep_theme
from crm.ui.serving.uploads import UploadsOfTheSignedIn
from crm.ui.start import start

APP = ROOT / "app.py"
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
            Route(door.SIGN_IN, sign_in_routes.enter, methods=["POST"]),
            Route(door.SIGN_OUT, sign_in_routes.leave, methods=["POST"]),
            Route(door.SCRIPT, sign_in_routes.script, methods=["GET"]),
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


if __name__ == "__main__":
    try:
        serve()
    except ThanosError as error:
        sys.exit(str(error))
    except KeyboardInterrupt:
        sys.exit(130)
