"""Importing a sheet, step by step: choose, look, confirm, read who got whom."""

from contextlib import suppress
from dataclasses import replace
from functools import partial
from io import BytesIO

import pandas as pd
import streamlit as st
from streamlit.runtime.scriptrunner import RerunException, StopException

from crm.errors import ThanosError, Unreadable
from crm.grid.editor import ROW
from crm.grid.pager import room_for
from crm.i18n import Language, Says, _, labelled, language, marked, show
from crm.rbac import Actor
from crm.services.imports.import_check import check_sheet
from crm.services.imports.import_checked import Checked, Progress, Verdict
from crm.services.imports.import_files import write_report, write_template
from crm.services.imports.import_run import ImportResult, run_import
from crm.settings import settings
from crm.store.session import reading
from crm.ui.file_link import XLSX
from crm.ui.file_upload import file_upload
from crm.ui.session import now, writing_as

PAGE = 100
FILE, CHECKED, UNREADABLE, SOURCE, RESULT, ROUND = (
    f"import:{part}" for part in ("file", "checked", "unreadable", "source", "result", "round")
)


def import_sheet(actor: Actor) -> None:
    """The whole way of a sheet. What was checked and not yet imported stays in this session only."""
    told: tuple[ImportResult, Checked] | None = st.session_state.get(RESULT)
    if told is not None:
        _told(actor, *told)
        st.button(_("Import another sheet"), on_click=_start_over, icon=":material/add:")
        return
    _choose(actor)
    file = st.session_state.get(f"{FILE}:{st.session_state.get(ROUND, 0)}")
    if file is None:
        _forget()
        return
    if st.session_state.get(SOURCE) != file.file_id:
        _look(actor, file.name, file.getvalue(), file.file_id)
    unreadable: Says | None = st.session_state.get(UNREADABLE)
    if unreadable is not None:
        st.error(marked(unreadable), icon=":material/error:")
    checked: Checked | None = st.session_state.get(CHECKED)
    if checked is not None:
        _preview(actor, checked)
        _confirm(actor, checked)


def _choose(actor: Actor) -> None:
    left, right = st.columns([3, 2], gap="large", vertical_alignment="bottom")
    with left:
        file_upload(
            _("Your sheet (xlsx)"),
            ["xlsx"],
            settings().imports.max_megabytes,
            key=f"{FILE}:{st.session_state.get(ROUND, 0)}",
            tip=_("Columns in any order, headers in English or Chinese. Nothing is written before you confirm."),
        )
    with right:
        st.caption(_("The template has drop-down lists, an example and instructions."))
        st.download_button(
            _("Download the template"),
            data=partial(_template, actor, language()),
            file_name=_("customers.xlsx"),
            mime=XLSX,
            icon=":material/download:",
            on_click="ignore",
            key="import:template",
        )


def _template(actor: Actor, lang: Language) -> bytes:
    # Made when it is clicked, outside of any run, where nobody knows the reader's language.
    made = BytesIO()
    with reading() as session:
        write_template(session, actor, made, lang)
    return made.getvalue()


def _look(actor: Actor, name: str, content: bytes, file_id: str) -> None:
    """Checks the sheet and remembers what was found."""
    _forget()
    bar = st.progress(0.0, text=_("Reading the file"))
    try:
        with reading() as session:
            found = check_sheet(session, actor, content, name, now(), _onto(bar))
    except Unreadable as error:
        # Kept, so that a file that takes its whole time to be refused is not read again at every click.
        bar.empty()
        st.session_state[UNREADABLE] = error.says
        st.session_state[SOURCE] = file_id
        return
    except ThanosError as error:
        bar.empty()
        st.error(marked(error.says), icon=":material/error:")
        return
    bar.empty()
    st.session_state[CHECKED] = found
    st.session_state[SOURCE] = file_id


def _preview(actor: Actor, checked: Checked) -> None:
    counts: dict[Verdict | None, int] = {
        None: checked.rows,
        "new": len(checked.numbers),
        "duplicate": len(checked.duplicates),
        "wrong": len(checked.wrong),
    }
    names: dict[Verdict | None, str] = {
        None: _("Rows"),
        "new": _("New"),
        "duplicate": _("Known already"),
        "wrong": _("Wrong"),
    }
    for warning in checked.warnings:
        st.warning(marked(warning), icon=":material/info:")
    chosen = st.segmented_control(
        _("Rows to show"),
        options=list(counts),
        default=None,
        format_func=lambda one: f"{names[one]} {show(counts[one])}",
        key="import:only",
        label_visibility="collapsed",
    )
    pages = max(1, -(-counts[chosen] // PAGE))
    page = 1
    if pages > 1:
        page = st.pagination(pages, key=f"import:page:{chosen}", width=room_for(pages)) or 1
    rows = checked.preview(chosen, (page - 1) * PAGE, PAGE)
    st.dataframe(
        pd.DataFrame(
            [(row.row, names[row.verdict], row.name, row.contact, _reasons(row.reasons)) for row in rows],
            columns=[_("Row"), _("Becomes"), _("Name"), _("Contact"), _("Why")],
        ).set_index(_("Row")),
        height=min(ROW * (len(rows) + 1) + 4, 420),
        row_height=ROW,
        column_config={_("Why"): st.column_config.TextColumn(width="large")},
    )
    _offer_report(actor, checked)


def _offer_report(actor: Actor, checked: Checked) -> None:
    """The wrong rows as a sheet. Its download is no click for the page, which stays as and where it is."""
    if checked.wrong:
        st.download_button(
            _("Download the wrong rows to correct them"),
            data=partial(_report, actor, checked, language()),
            file_name=_("wrong rows.xlsx"),
            mime=XLSX,
            icon=":material/download:",
            on_click="ignore",
            key="import:report",
        )


def _reasons(reasons: tuple[tuple[str, Says], ...]) -> str:
    return " ".join(labelled(column, why) if column else str(why) for column, why in reasons)


def _report(actor: Actor, checked: Checked, lang: Language) -> bytes:
    made = BytesIO()
    write_report(actor, checked, made, lang)
    return made.getvalue()


def _confirm(actor: Actor, checked: Checked) -> None:
    count = len(checked.numbers)
    if not count:
        st.info(_("There is no new customer in this sheet."), icon=":material/info:")
        return
    if st.button(
        _("Import {count} customers", count=count),
        type="primary",
        key="import:confirm",
        icon=":material/upload:",
    ):
        bar = st.progress(0.0, text=_("Importing"))
        try:
            with writing_as(actor) as (session, me):
                result = run_import(session, me, checked, now(), _undisturbed(_onto(bar)))
        except ThanosError as error:
            bar.empty()
            st.error(marked(error.says), icon=":material/error:")
            return
        _forget()
        # Of the sheet only what did not come in is kept.
        st.session_state[RESULT] = (result, replace(checked, numbers=[], values=[], duplicates=[]))
        st.rerun()


def _told(actor: Actor, result: ImportResult, checked: Checked) -> None:
    st.success(
        _("Import {batch} is done: {count} customers came in.", batch=str(result.batch), count=result.imported),
        icon=":material/check_circle:",
    )
    figures = (
        (_("New"), result.imported),
        (_("Shared out"), result.assigned),
        (_("Waiting"), result.waiting),
        (_("Known already"), result.duplicates),
        (_("Wrong"), result.errors),
    )
    with st.container(horizontal=True):
        for name, figure in figures:
            st.metric(name, show(figure), border=True, width=150)
    _offer_report(actor, checked)
    if result.late:
        st.info(
            _("{count} rows were entered by somebody else in the meantime and were left out.", count=len(result.late))
        )
    if result.waiting and result.waiting_reason is not None:
        st.warning(
            _("{count} customers wait: {why}", count=result.waiting, why=result.waiting_reason),
            icon=":material/hourglass:",
        )
    if result.parts:
        st.subheader(_("Who got how many"))
        st.caption(_("In proportion to each one's weight, within the caps. Each customer's record says why."))
        _parts(result)


def _parts(result: ImportResult) -> None:
    name, count, why = _("Consultant"), _("Customers"), _("Why")
    most = max((part.count for part in result.parts), default=1)
    st.dataframe(
        pd.DataFrame([(part.name, part.count, str(part.why)) for part in result.parts], columns=[name, count, why]),
        hide_index=True,
        height="content",
        column_config={
            name: st.column_config.TextColumn(width=180),
            count: st.column_config.ProgressColumn(width=260, min_value=0, max_value=max(most, 1), format="%d"),
            why: st.column_config.TextColumn(width=320),
        },
    )


def _onto(bar: "st.delta_generator.DeltaGenerator"):  # type: ignore[no-untyped-def]
    def tell(done: float, what: Says) -> None:
        bar.progress(min(max(done, 0.0), 1.0), text=str(what))

    return tell


def _undisturbed(tell: Progress) -> Progress:
    """Progress that no click breaks off: Streamlit ends a run at its next drawing when something else is clicked.

    The import goes on and tells its result; the click is lost.
    """

    def told(done: float, what: Says) -> None:
        with suppress(RerunException, StopException):
            tell(done, what)

    return told


def _forget() -> None:
    for key in (CHECKED, UNREADABLE, SOURCE):
        st.session_state.pop(key, None)


def _start_over() -> None:
    _forget()
    st.session_state.pop(RESULT, None)
    st.session_state[ROUND] = st.session_state.get(ROUND, 0) + 1
