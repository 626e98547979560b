"""Keeps what Streamlit says of the theme at the beginning of every run.

For that it looks at each of its 200 options six times, in the thread that serves everybody: a tenth of what a filter
costs, and the same each time, since its settings are read once. So what it said at the first run is said again.
"""

from collections.abc import Callable
from threading import Lock

from streamlit.proto.NewSession_pb2 import CustomThemeConfig
from streamlit.runtime import app_session

Fill = Callable[..., None]


def keep_theme() -> None:
    """From here on, each part of the theme is worked out once a process. Harmless when called again."""
    fill = app_session._populate_theme_msg
    if not hasattr(fill, "kept"):
        app_session._populate_theme_msg = remembering(fill)


def remembering(fill: Fill) -> Fill:
    """The same as `fill(message, section)`, worked out once a section."""
    kept: dict[str, CustomThemeConfig] = {}
    lock = Lock()

    def filled(message: CustomThemeConfig, section: str = "theme") -> None:
        with lock:
            if section not in kept:
                kept[section] = CustomThemeConfig()
                fill(kept[section], section)
        # A part of which nothing is said stays away, instead of being there and empty.
        if kept[section].ByteSize():
            message.MergeFrom(kept[section])

    filled.kept = kept  # type: ignore[attr-defined]
    return filled
