"""Keeps collections of all garbage cheap.

Streamlit collects all garbage after every run, in the thread that served it, and looks at every object of the
process for that: at what was imported, and at the state of everybody who is signed in. With 100 people it took longer
than drawing the page. What a run leaves in cycles is little (some 150 objects, 30 KB), so a collection of everything
puts aside whatever lives instead of looking at it, and only one in many looks at everything. The young are collected
as ever.
"""

import gc
from itertools import count

THOROUGH = 500
"""Of so many collections of everything one is thorough: a third of a second, and some 15 MB at most to be freed."""
YOUNG = 5000
"""So many objects are made before the young are looked at: a page makes thousands, most of which die by themselves."""
_EVERYTHING = 2
_collections = count(1)


def keep_cheap() -> None:
    """From now on, in this process. Called again, it changes nothing."""
    if _heed not in gc.callbacks:
        gc.set_threshold(YOUNG, *gc.get_threshold()[1:])
        gc.callbacks.append(_heed)


def _heed(phase: str, about: dict[str, int]) -> None:
    """Called by Python around each collection: what is put aside before it is not looked at."""
    if phase != "start" or about["generation"] != _EVERYTHING:
        return
    if next(_collections) % THOROUGH:
        gc.freeze()
    else:
        gc.unfreeze()
