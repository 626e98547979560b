"""A class's scores as a sheet, on the screen: fetched, and looked at before they come in again."""

import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import streamlit as st

from crm.errors import ThanosError
from crm.i18n import Says, _, language, marked, says_n, show
from crm.rbac import Actor
from crm.services.scores import score_sheets
from crm.services.scores.score_sheets import EXPORT, IMPORT, Checked
from crm.settings import settings
from crm.ui.file_link import file_link
from crm.ui.file_upload import file_upload
from crm.ui.session import now, reading_as_somebody, writing_as

CHECKED, SAID, ROUND = "sheet:checked", "sheet:said", "sheet:round"


def sheets(actor: Actor, class_id: int) -> None:
    """Export and import of a class's scores, as far as the actor may."""
    for sentence, wrong in st.session_state.pop(SAID, ()):
        (st.warning if wrong else st.success)(marked(sentence), icon=":material/info:")
    if actor.may(EXPORT):
        st.caption(_("The sheet has a student a row and a day a column. It is also the one to fill in and import."))

        def write(file: Path) -> int:
            with reading_as_somebody() as session:
                return score_sheets.export(session, actor, class_id, file, language(), now())

        file_out(actor, "scores", _("Export the scores"), _("Scores"), f"class={class_id}", write)
    if actor.may(IMPORT):
        _import(actor, class_id)


def file_out(actor: Actor, key: str, label: str, name: str, what: str, write: Callable[[Path], int]) -> None:
    """A button that writes a file, notes it in the audit log, and then gives it to the person who pressed it."""
    if not st.button(label, key=f"export:{key}", icon=":material/download:"):
        return
    folder = Path(tempfile.mkdtemp(prefix="export-"))
    file, called = folder / "file.xlsx", f"{name} {show(now())[:10]}.xlsx"
    try:
        rows = write(file)
        with writing_as(actor) as (session, me):
            score_sheets.note_export(session, me, what, rows, now())
        st.success(str(says_n("The file has {count} row.", "The file has {count} rows.", count=rows)))
        file_link(actor, file, called, (EXPORT,))
    except ThanosError as error:
        st.error(marked(error.says), icon=":material/error:")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _import(actor: Actor, class_id: int) -> None:
    turn = st.session_state.get(ROUND, 0)
    file = file_upload(
        _("Scores to import (xlsx)"),
        ["xlsx"],
        settings().imports.max_megabytes,
        key=f"sheet:file:{turn}",
        tip=_("An empty cell changes nothing. Nothing is written before you confirm."),
    )
    if file is None:
        st.session_state.pop(CHECKED, None)
        return
    source = (file.file_id, class_id)
    known: tuple[tuple[str, int], Checked | Says] | None = st.session_state.get(CHECKED)
    if known is None or known[0] != source:
        known = (source, _look(actor, class_id, file.getvalue()))
        st.session_state[CHECKED] = known
    found = known[1]
    if isinstance(found, Says):
        st.error(marked(found), icon=":material/error:")
        return
    _preview(found)
    if found.cells:
        label = str(says_n("Import {count} score", "Import {count} scores", count=len(found.cells)))
        st.button(label, key="sheet:run", type="primary", icon=":material/upload:", on_click=_run, args=(actor, found))
    else:
        st.info(_("There is no new score in this sheet."), icon=":material/info:")


def _look(actor: Actor, class_id: int, content: bytes) -> Checked | Says:
    """What was found, or why nothing could be: kept, so that it is not read again at every click."""
    try:
        with reading_as_somebody() as session:
            return score_sheets.check(session, actor, class_id, content, now())
    except ThanosError as error:
        return error.says


def _preview(found: Checked) -> None:
    figures = ((_("Rows"), found.rows), (_("Changes"), len(found.new)), (_("As before"), found.same))
    with st.container(horizontal=True):
        for name, figure in (*figures, (_("Wrong"), len(found.wrong))):
            st.metric(name, show(figure), border=True, width=130)
    if found.wrong:
        st.warning(_("These cells are not taken. The others can come in."), icon=":material/error:")
        wrong = [(one.row, one.column, str(one.why)) for one in found.wrong]
        st.dataframe(pd.DataFrame(wrong, columns=[_("Row"), _("Column"), _("Why")]), hide_index=True, key="sheet:wrong")
    if found.new:
        columns = [_("Row"), _("Student"), _("Day"), _("Before"), _("After")]
        st.dataframe(pd.DataFrame(found.new, columns=columns), hide_index=True, key="sheet:new")


def _run(actor: Actor, found: Checked) -> None:
    try:
        with writing_as(actor) as (session, me):
            told = score_sheets.run(session, me, found, now())
    except ThanosError as error:
        st.session_state[SAID] = [(error.says, True)]
        return
    said = [(says_n("{count} score came in.", "{count} scores came in.", count=told.saved), False)]
    if told.why:
        stayed = says_n(
            "{count} score was changed by somebody else meanwhile and stays as it is.",
            "{count} scores were changed by somebody else meanwhile and stay as they are.",
            count=len(told.why),
        )
        said.append((stayed, True))
    st.session_state[SAID] = said
    st.session_state.pop(CHECKED, None)
    st.session_state[ROUND] = st.session_state.get(ROUND, 0) + 1
