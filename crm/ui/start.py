"""What happens once in a process, before its first page."""

import gc
import logging
import pkgutil
from functools import cache
from importlib import import_module
from threading import Lock

import crm.grid
import crm.tables
import crm.ui

_one = Lock()


def start() -> None:
    """Prepares this process for pages. The server calls it before it listens, and every run once more.

    Raises `Misconfigured` when a setting or a declared table is wrong.
    """
    with _one:
        _start()


@cache
def _start() -> None:
    from crm.grid.keeping import Keeping
    from crm.services import bulk_runs, saved_views, shown_columns
    from crm.services.access import audit
    from crm.tables.site import site
    from crm.ui.gallery import reading_garden, writing_garden
    from crm.ui.serving import door
    from crm.ui.serving.export_files import offer
    from crm.ui.serving.garbage import keep_cheap
    from crm.ui.session import again, now, reading_as_somebody, writing_as_somebody

    # Everything a page may need, so that no visitor waits for an import. Some modules warn that nobody visits yet.
    logging.disable(logging.WARNING)
    for package in (crm.tables, crm.grid, crm.ui):
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            import_module(module.name)
    logging.disable(logging.NOTSET)
    keeping = Keeping(
        reading=reading_as_somebody, writing=writing_as_somebody, views=saved_views, columns=shown_columns
    )
    site.connect(
        reading=reading_as_somebody,
        writing=writing_as_somebody,
        now=now,
        who=again,
        exported=audit.exported,
        offer=offer if door.is_open() else None,
        keeping=keeping,
        runs=bulk_runs,
    )
    site.connect("gallery", reading=reading_garden, writing=writing_garden, now=now, who=again, keeping=keeping)
    # What was imported is looked at once.
    gc.collect()
    keep_cheap()
