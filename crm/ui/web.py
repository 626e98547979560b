"""The web server: Streamlit's pages, and around them what Streamlit has no answer for.

How to start it, for `python -m crm run` and everybody else:

    python -m crm.ui.web                  # one process, port from PORT (8501), stops on SIGTERM or Ctrl-C
    serve(port=8501)                      # the same from Python; blocks

From any folder. It is ready when `GET /_stcore/health` answers `ok`. It listens on this machine only,
unless STREAMLIT_SERVER_ADDRESS and STREAMLIT_SERVER_ALLOWED_HOSTS (see .streamlit/config.toml) say more.
`streamlit run app.py` works too, but then a sign-in lasts only as long as its browser tab.
"""

import sys

import streamlit as st
from streamlit.runtime.pages_manager import PagesManager

from crm.settings import ROOT, settings

SCRIPT = ROOT / "app.py"


def make_app() -> st.App:
    """The ASGI application."""
    # A page opened before `st.navigation` ran once would run without app.py around it. Every page asks
    # for its permission itself; this is a second lock on the same door.
    PagesManager.uses_pages_directory = False
    return st.App(SCRIPT)


def serve(port: int | None = None) -> None:
    """Serves the app until it is told to stop. `port`: else PORT, else 8501."""
    # Streamlit looks for .streamlit/config.toml beside the script that was started.
    sys.argv = [str(SCRIPT)]
    make_app().run(config={"server.port": port or settings().port, "server.headless": True})


if __name__ == "__main__":
    serve()
