"""The way to a file that a page has just written: by the route where the server has one, else through the page."""

from collections.abc import Iterable
from pathlib import Path

import streamlit as st

from crm.i18n import _
from crm.rbac import Actor
from crm.ui.serving import door
from crm.ui.serving.export_files import offer

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
ICON = ":material/download:"


def file_link(actor: Actor, file: Path, called: str, needs: Iterable[str]) -> None:
    """Takes the sheet over and gives it to the actor under that name, as long as they have what it `needs`.

    By the route the download begins by itself; the button is there in case the browser asks first.
    """
    if not door.is_open():
        st.download_button(_("Download"), file.read_bytes(), called, XLSX, icon=ICON, on_click="ignore")
        return
    address = offer(actor, file, called, needs)
    st.link_button(_("Download"), address, icon=ICON)
    st.iframe(address, height=1, width=1)
