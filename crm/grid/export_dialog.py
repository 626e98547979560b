"""The dialog that exports: what goes out, in which form, progress, and the file."""

import tempfile
from dataclasses import dataclass, replace
from pathlib import Path

import streamlit as st

from crm.errors import ThanosError
from crm.grid.export import FORMATS, Format, chunks, count, described, exporter, write
from crm.grid.seeing import visible
from crm.grid.state import Here
from crm.grid.view import View
from crm.i18n import Says, _, listed, says_n, show

MIME = {"csv": "text/csv", "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"}


@dataclass(eq=False)
class Exporting:
    """An export that was asked for, and once it is written how many rows it has and where it can be had."""

    view: View
    rows: int | None = None
    address: str = ""
    data: bytes = b""
    name: str = ""
    error: Says | None = None
    fetched: bool = False


def ask_for_file(here: Here, view: View) -> None:
    """The dialog opens with the next drawing."""
    here.remember("exporting", Exporting(replace(view, page=1)))


def export_dialog(here: Here) -> None:
    """The dialog of the export that was asked for."""
    asked: Exporting | None = here.recall("exporting")
    if asked is None or not here.actor.may(here.config.export):
        here.remember("exporting", None)
        return

    def dismissed() -> None:
        here.remember("exporting", None)

    @st.dialog(_("Export"), on_dismiss=dismissed)
    def opened() -> None:
        me = here.again()
        if me is None or me.recall("exporting") is not asked:
            st.rerun()
        area = st.empty()
        with area.container():
            if asked.name:
                _file(me, asked)
                return
            chosen = _choice(me, asked)
        if chosen is not None:
            with area.container():
                _write(me, asked, chosen)
            st.rerun(scope="fragment")

    opened()


def _choice(here: Here, asked: Exporting) -> Format | None:
    if asked.error is not None:
        st.error(str(asked.error), icon=":material/error:")
    with here.connection.reading() as session:
        total = count(here.config, session, here.actor, asked.view, here.zone)
    st.markdown(str(says_n("**{count}** row matches.", "**{count}** rows match.", count=total)))
    columns = listed(here.config.label(one.name, one.label) for one in visible(here.config, here.actor))
    st.caption(_("Columns: {columns}", columns=columns))
    with st.form(here.key("export:form"), border=False):
        form = st.radio(
            _("Format"),
            FORMATS,
            key=here.key("export:format"),
            format_func=lambda one: {"xlsx": "Excel (xlsx)", "csv": "CSV"}[one],
            horizontal=True,
        )
        st.caption(_("The audit log keeps who exported what, and how many rows."))
        with st.container(horizontal=True, horizontal_alignment="right"):
            cancelled = st.form_submit_button(_("Cancel"))
            pressed = st.form_submit_button(_("Export"), type="primary", icon=":material/download:")
    if cancelled:
        here.remember("exporting", None)
        st.rerun()
    return form if pressed else None


def _write(here: Here, asked: Exporting, form: Format) -> None:
    """Writes the file where the host fetches it from; the audit log's entry is written before it can be had."""
    config, connection, now = here.config, here.connection, here.connection.now()
    bar = st.progress(0.0, text=_("{count} rows", count=0))
    if st.button(_("Cancel"), key=here.key("export:stop")):
        return
    asked.error = None
    folder = Path(tempfile.mkdtemp(prefix="export-"))
    file = folder / f"file.{form}"
    try:
        with connection.writing():
            # Whoever may look only is refused here, and that is recorded.
            actor = exporter(config, here.actor)
        with connection.reading() as session:
            total = max(1, count(config, session, actor, asked.view, here.zone))

            def progress(done: int) -> None:
                bar.progress(min(1.0, done / total), text=_("{count} rows", count=done))

            rows = chunks(config, session, actor, asked.view, here.zone, now)
            written = write(file, form, config, actor, rows, progress)
        with connection.writing() as session:
            kept = {"format": form, "rows": written, "view": described(config, asked.view)}
            connection.exported(session, here.actor, config.name, config.export, kept, now)
        asked.rows, name = written, f"{config.title} {show(now)[:10]}.{form}"
        if connection.offer is None:
            asked.data = file.read_bytes()
        else:
            columns = (column.see for column in visible(config, actor) if column.see is not None)
            asked.address = connection.offer(actor, file, name, (config.permission, config.export, *columns))
        asked.name = name
    except ThanosError as error:
        asked.error = error.says
    finally:
        file.unlink(missing_ok=True)
        folder.rmdir()


def _file(here: Here, asked: Exporting) -> None:
    written = says_n("The file has {count} row.", "The file has {count} rows.", count=asked.rows or 0)
    st.success(str(written), icon=":material/check:")
    with st.container(horizontal=True, horizontal_alignment="right"):
        if asked.address:
            st.link_button(_("Download"), asked.address, icon=":material/download:")
        else:
            st.download_button(
                _("Download"),
                asked.data,
                asked.name,
                MIME[asked.name.rpartition(".")[2]],
                key=here.key("export:file"),
                icon=":material/download:",
                on_click="ignore",
            )
        if st.button(_("Close"), key=here.key("export:close")):
            here.remember("exporting", None)
            st.rerun()
    if asked.address and not asked.fetched:
        # The download begins by itself; the button is there in case the browser asks first.
        asked.fetched = True
        st.iframe(asked.address, height=1, width=1)
