"""Servers for tests, each a process of its own, which share what takes seconds of each: their imports.

`python -m tests.app.fresh` imports all that pages need and runs nothing of it. Then it forks a server for each line of
JSON on its standard input, answers with the number of that process, and ends with whoever asked. A server is as fresh
as one that was started: what it reads of its environment it reads itself, and nobody has visited it.
"""

import contextlib
import gc
import json
import os
import pkgutil
import signal
import sys
from importlib import import_module
from pathlib import Path
from types import FrameType

from streamlit.web import cli

import crm.grid
import crm.tables
import crm.ui
import crm.ui.web
from crm.settings import ROOT
from tests.app.components import scan_component_manifests


def main() -> None:
    """Serves as asked, until nobody is there to ask."""
    for package in (crm.tables, crm.grid, crm.ui):
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            import_module(module.name)
    scan_component_manifests()
    # No server looks at what it inherits when it collects garbage, which would copy all of it.
    gc.collect()
    gc.freeze()
    signal.signal(signal.SIGCHLD, _forget)
    for line in sys.stdin:
        child = os.fork()
        if not child:
            serve(**json.loads(line))
            os._exit(0)
        _children.add(child)
        sys.stdout.write(f"{child}\n")
        sys.stdout.flush()
    for child in tuple(_children):
        with contextlib.suppress(ProcessLookupError):
            os.kill(child, signal.SIGKILL)


def serve(said: str, environment: dict[str, str], bare: bool) -> None:
    """One server in that environment, on its PORT; what it says on standard error is written to the file `said`.

    `bare`: as `streamlit run app.py` starts it, without our own around it.
    """
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    for number, path, mode in ((0, os.devnull, "rb"), (1, os.devnull, "wb"), (2, said, "wb")):
        with Path(path).open(mode) as file:
            os.dup2(file.fileno(), number)
    os.environ.clear()
    os.environ.update(environment)
    try:
        if bare:
            cli.main(["run", str(ROOT / "app.py"), "--server.port", environment["PORT"]])
        else:
            crm.ui.web.serve()
    except Exception:
        sys.excepthook(*sys.exc_info())
    except SystemExit:
        pass


_children: set[int] = set()


def _forget(_signal: int, _frame: FrameType | None) -> None:
    with contextlib.suppress(ChildProcessError):
        while child := os.waitpid(-1, os.WNOHANG)[0]:
            _children.discard(child)


if __name__ == "__main__":
    main()
