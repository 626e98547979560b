"""Fresh servers, many for the time of one: `python -m tests.app.fresh PORT...`

The imports are done once; then each server is a process of its own, forked before anything was served,
as fresh as one started by `streamlit run app.py`: nobody has called `st.navigation` in it.
"""

import contextlib
import os
import signal
import sys
from collections.abc import Sequence
from types import FrameType

from streamlit.web import cli

import crm.grid.render
import crm.tables.customers
import crm.ui.shell
import crm.ui.sign_in_form  # noqa: F401
from crm.settings import ROOT


def main(ports: Sequence[str]) -> None:
    """Serves on each port until it is told to stop."""
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
