"""What happens once in a process, before its first page."""

import gc
import pkgutil
from datetime import UTC, datetime
from functools import cache
from importlib import import_module
from threading import Lock

import crm.tables
from crm.store.session import reading, writing

_one = Lock()


def start() -> None:
    """Prepares this process for pages. Every run calls it; all but the first return at once.

    Raises `Misconfigured` when a setting or a declared table is wrong.
    """
    with _one:
        _start()


@cache
def _start() -> None:
    from crm.tables.site import site
    from crm.ui.session import again

    for module in pkgutil.iter_modules(crm.tables.__path__, "crm.tables."):
        import_module(module.name)
    site.connect(reading=reading, writing=writing, now=lambda: datetime.now(UTC), who=again)
    # Streamlit collects all garbage after every run. What was imported stays for good, and is not searched again:
    # a page's run costs an eighth.
    gc.collect()
    gc.freeze()
