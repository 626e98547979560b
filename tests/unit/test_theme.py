"""What is said of the theme is what Streamlit itself would say, at every run."""

import pytest
from streamlit import config
from streamlit.proto.NewSession_pb2 import NewSession
from streamlit.runtime import app_session

from crm.ui.serving.theme import keep_theme, remembering

PARTS = ("", "light", "dark", "sidebar", "light.sidebar", "dark.sidebar")


def said(fill) -> NewSession:
    """The theme as the beginning of a run says it."""
    message = NewSession()
    for part in PARTS:
        here = message.custom_theme
        for name in part.split(".") if part else ():
            here = getattr(here, name)
        fill(here, f"theme.{part}") if part else fill(here)
    return message


@pytest.fixture
def _themed(monkeypatch):
    """Options of most of the parts, as .streamlit/config.toml has them."""
    before = {key: config.get_option(key) for key in ("theme.font", "theme.light.primaryColor", "theme.dark.textColor")}
    config.set_option("theme.font", "sans-serif")
    config.set_option("theme.light.primaryColor", "#5b4bb7")
    config.set_option("theme.dark.textColor", "#e9e7f2")
    yield
    for key, value in before.items():
        config.set_option(key, value)


def test_the_theme_is_said_as_streamlit_says_it_the_second_time_too(_themed):
    plain = said(app_session._populate_theme_msg)
    remembered = remembering(app_session._populate_theme_msg)

    assert plain.custom_theme.light.primary_color == "#5b4bb7"
    assert said(remembered).SerializeToString() == plain.SerializeToString()
    assert said(remembered).SerializeToString() == plain.SerializeToString()


def test_each_part_is_worked_out_once():
    asked = []
    remembered = remembering(lambda message, section: asked.append(section))

    said(remembered)
    said(remembered)

    assert asked == ["theme", *(f"theme.{part}" for part in PARTS[1:])]


def test_streamlit_begins_its_runs_with_ours(monkeypatch):
    monkeypatch.setattr(app_session, "_populate_theme_msg", app_session._populate_theme_msg)

    keep_theme()
    ours = app_session._populate_theme_msg
    keep_theme()

    assert app_session._populate_theme_msg is ours
    assert "_populate_theme_msg" in app_session.AppSession._create_new_session_message.__code__.co_names
