"""Fresh servers, many for the time of one: `python -m tests.app.fresh PORT...`

The imports are done once; then each server is a process of its own, forked before anything was served,
as fresh as one started by `streamlit run app.py`: nobody has called `st.navigation` in it.
"""

import contextlib
import os
import pkgutil
import signal
import sys
from collections.abc import Sequence
from importlib import import_module
from types import FrameType

from streamlit.web import cli

import crm.grid
import crm.tables
import crm.ui
from crm.settings import ROOT


def main(ports: Sequence[str]) -> None:
    """Serves on each port until it is told to stop."""
    for package in (crm.tables, crm.grid, crm.ui):
        for module in pkgutil.iter_modules(package.__path__, f"{package.__name__}."):
            import_module(module.name)
    children = []
    for port in ports:
        child = os.fork()
        if not child:
            cli.main(["run", str(ROOT / "app.py"), "--server.port", port])
            os._exit(0)
        children.append(child)

    def stop(_signal: int, _frame: FrameType | None) -> None:
        for child in children:
            with contextlib.suppress(ProcessLookupError):
                os.kill(child, signal.SIGTERM)

    signal.signal(signal.SIGTERM, stop)
    for child in children:
        os.waitpid(child, 0)


if __name__ == "__main__":
    main(sys.argv[1:])
