"""Keeps Streamlit's own collection of garbage cheap.

Streamlit collects all garbage after every run, in the thread that served it, and looks at every object of the
process for that: at what was imported, and at the state of everybody who is signed in. With 100 people it took longer
than drawing the page. So whatever lives when a run begins is put aside, and the collection after the run sees only
what the run made. What dies in a cycle while put aside would stay for good (some 30 KB a run), so everything is
looked at once in many runs.
"""

import gc
from itertools import count

THOROUGH = 500
"""After so many runs everything is looked at: a third of a second, and some 15 MB at most to be freed."""
_runs = count(1)


def put_aside() -> None:
    """Called where a run begins."""
    if next(_runs) % THOROUGH == 0:
        gc.unfreeze()
        gc.collect()
    gc.freeze()
