"""Scoring a day by keyboard: a sheet with the names in one order, and one save for all that was typed.

The sheet is drawn from what was read when it was opened, so that it stands still under the keyboard, and is read
again after each save. What could not be saved keeps what was typed, with the reason beside it; what was not saved yet
is there again when one comes back to the day.
"""

from typing import Any

import pandas as pd
import streamlit as st

from crm.domain.scores import letter_of
from crm.domain.teaching import ScoreState
from crm.errors import ThanosError
from crm.grid.editor import ROW
from crm.i18n import Says, _, literal, marked, says, says_n, show
from crm.rbac import Actor
from crm.services.scores import gradebook_scopes
from crm.services.scores.gradebook_scopes import SCORE, Day
from crm.services.scores.scoring import LONGEST_REMARK, REMARK, TYPED, Line, Told, save, sheet
from crm.ui.address import choose
from crm.ui.classes.day_links import day_links
from crm.ui.scores.homework import asked_for, download
from crm.ui.scores.typed_scores import NOT_SAVED, Drawn, Unsaved, changes, opened, unsaved
from crm.ui.session import again, now, reading_as_somebody, today, writing_as

DRAWN, SAID, EPOCH, UNSAVED = "scoring:drawn", "scoring:said", "scoring:epoch", "scoring:unsaved"
FRESH = "scoring:fresh"


def scoring(actor: Actor, class_id: int) -> None:
    """Chooses a day and draws its sheet."""
    try:
        with reading_as_somebody() as session:
            days = {day.id: day for day in gradebook_scopes.days(session, actor, SCORE, class_id)}
    except ThanosError as error:
        st.info(marked(error.says), icon=":material/info:")
        return
    if not days:
        st.info(_("No day of this class is initialised yet, so there is nobody to score."), icon=":material/event:")
        return
    school_day = today()
    order = sorted(days, key=lambda key: days[key].held_on > school_day)
    left: dict[int, Unsaved] = st.session_state.get(UNSAVED, {})
    not_saved = _("not saved")

    def called(key: int) -> str:
        return day_name(days[key]) + (f" · {not_saved}" if key in left else "")

    day_id = choose("day", _("Day"), order, called)
    if day_id is None:
        return
    day_links(actor, class_id, day_id, "gradebook")
    others = [day_name(days[key]) for key in order if key in left and key != day_id]
    if others:
        st.info(
            marked(says("What you typed on other days is kept, and not saved yet: {days}", days="; ".join(others))),
            icon=":material/edit_note:",
        )
    st.session_state[FRESH] = True
    _day(actor, days[day_id])


@st.fragment
def _day(drawn_for: Actor, day: Day) -> None:
    """One day. What is typed reaches the server cell by cell, so that nothing else has to be drawn for it."""
    # The page has just checked the person when it is the page that draws; a fragment alone asks again.
    actor = drawn_for if st.session_state.pop(FRESH, False) else again(drawn_for)
    if actor is None:
        st.rerun(scope="app")
    try:
        drawn = _drawn(actor, day.id)
    except ThanosError as error:
        st.error(marked(error.says), icon=":material/error:")
        return
    if day.homework:
        title, due = literal(day.homework), day.due_on
        st.caption(
            _("Homework: {title}, due {day}", title=title, day=due) if due else _("Homework: {title}", title=title)
        )
    if drawn.sheet.brief or drawn.sheet.exam_points:
        with st.expander(_("What is asked for")):
            asked_for(drawn.sheet.brief, drawn.sheet.exam_points)
    before = sum(why == NOT_SAVED for _text, why in (drawn.kept or {}).values())
    if before:
        text = says_n(
            "{count} cell has what you typed before and did not save yet.",
            "{count} cells have what you typed before and did not save yet.",
            count=before,
        )
        st.info(str(text), icon=":material/edit_note:")
    _editor(actor, drawn)
    # Below what was pressed, where one looks, and where it moves no row.
    for sentence, wrong in st.session_state.pop(SAID, ()):
        (st.warning if wrong else st.success)(
            marked(sentence), icon=":material/error:" if wrong else ":material/check:"
        )
    _read_homework(actor, drawn)


def day_name(day: Day) -> str:
    """How a day is told from the others."""
    name = _("Day {number}, {date}", number=day.number, date=day.held_on)
    return f"{name} · {day.title}" if day.title else name


def _drawn(actor: Actor, day_id: int) -> Drawn:
    drawn: Drawn | None = st.session_state.get(DRAWN)
    # An editor that was out of sight is gone: then the sheet is read anew, with what was typed into it before.
    if drawn is not None and drawn.sheet.course_record_id == day_id and drawn.key in st.session_state:
        return drawn
    with reading_as_somebody() as session:
        fresh = sheet(session, actor, day_id, now())
    epoch = st.session_state[EPOCH] = st.session_state.get(EPOCH, 0) + 1
    drawn = opened(fresh, st.session_state.get(UNSAVED, {}).get(day_id), epoch)
    _keep(day_id, unsaved(drawn, {}))
    st.session_state[DRAWN] = drawn
    return drawn


def _keep(day_id: int, left: Unsaved | None) -> None:
    """Keeps what is not saved of that day, in this session; None: all of it is."""
    kept: dict[int, Unsaved] = st.session_state.setdefault(UNSAVED, {})
    if left is None:
        kept.pop(day_id, None)
    else:
        kept[day_id] = left


def _typed(drawn: Drawn) -> None:
    state = st.session_state.get(drawn.key)
    if state is not None:
        _keep(drawn.sheet.course_record_id, unsaved(drawn, state["edited_rows"]))


def _editor(actor: Actor, drawn: Drawn) -> None:
    lines = drawn.sheet.lines
    columns: dict[str, Any] = {
        "name": [line.name for line in lines],
        TYPED: [drawn.cell(line, TYPED) for line in lines],
        # Beside what was typed: at the end, where there is room for it, a laptop shows its first words.
        **({"why": [drawn.why(line) for line in lines]} if drawn.kept else {}),
        "letter": [_letter(line) for line in lines],
        REMARK: [drawn.cell(line, REMARK) for line in lines],
        "handed_in": [_handed_in(line) for line in lines],
    }
    frame = pd.DataFrame(columns, index=[line.id for line in lines], dtype="str")
    column = st.column_config
    st.caption(_("A letter (A+ to D) or a number, or copied, failed, missing. Enter goes down to the next student."))
    st.data_editor(
        frame,
        key=drawn.key,
        hide_index=True,
        num_rows="fixed",
        height=ROW * len(frame) + 38,
        row_height=ROW,
        placeholder="",
        alt=_("Scores of the day"),
        on_change=_typed,
        args=(drawn,),
        disabled=[name for name in columns if name not in (TYPED, REMARK)],
        column_config={
            "name": column.TextColumn(_("Student"), pinned=True, width=150),
            TYPED: column.TextColumn(_("Score"), width=110, max_chars=40),
            "letter": column.TextColumn(_("Letter"), width=80),
            REMARK: column.TextColumn(_("Remark"), width=280, max_chars=LONGEST_REMARK),
            "handed_in": column.TextColumn(_("Handed in"), width=170),
            "why": column.TextColumn(_("Not saved"), width=420),
        },
    )
    st.button(
        _("Save"), key="scoring:save", type="primary", icon=":material/check:", on_click=_save, args=(actor, drawn)
    )


def _letter(line: Line) -> str:
    if line.score.number is not None:
        return letter_of(line.score.number)
    return "" if line.state is ScoreState.NOT_DUE else str(line.state.label)


def _handed_in(line: Line) -> str:
    if line.handed_in_at is None:
        return ""
    return show(line.handed_in_at) + (" " + _("(late)") if line.late else "")


def _read_homework(actor: Actor, drawn: Drawn) -> None:
    """What one student handed in, chosen by name: under the sheet, so that scoring goes on beside it."""
    found = {line.id: line for line in drawn.sheet.lines if line.text or line.file or line.note}
    if not found:
        return
    key = st.selectbox(
        _("Read what was handed in"),
        list(found),
        index=None,
        format_func=lambda one: found[one].name,
        placeholder=_("Choose a student"),
        key=f"scoring:read:{drawn.sheet.course_record_id}",
    )
    line = found.get(key) if key is not None else None
    if line is None:
        return
    with st.container(border=True):
        st.caption(_handed_in(line))
        if line.note:
            st.caption(literal(line.note))
        if line.text:
            st.text(line.text)
        if line.file and line.file_name:
            download(actor, line.id, line.file, line.file_name)


def _save(actor: Actor, drawn: Drawn) -> None:
    """One save for everything that was typed. Positions become rows by the sheet that was drawn."""
    state = st.session_state.get(drawn.key)
    if state is None:
        return
    overlay: dict[int, dict[str, Any]] = state["edited_rows"]
    cells = changes(drawn, overlay)
    if not cells:
        return
    try:
        with writing_as(actor) as (session, me):
            told = save(session, me, cells, now())
    except ThanosError as error:
        st.session_state[SAID] = [(error.says, True)]
        return
    by_id = {one.id: one for one in cells}
    kept = {
        (row, name): ((by_id[row].score if name == TYPED else by_id[row].remark) or "", why)
        for (row, name), why in told.why.items()
    }
    # Read anew, so that saving once more puts one's own where somebody else was quicker.
    _keep(drawn.sheet.course_record_id, Unsaved(kept, {}) if kept else None)
    st.session_state.pop(DRAWN, None)
    st.session_state[SAID] = list(_said(told))


def _said(told: Told) -> list[tuple[Says, bool]]:
    said: list[tuple[Says, bool]] = []
    if told.saved:
        said.append((says_n("{count} cell saved.", "{count} cells saved.", count=told.saved), False))
    if told.why:
        wrong = says_n(
            "{count} cell is not saved. It keeps what you typed, with the reason beside it.",
            "{count} cells are not saved. They keep what you typed, with the reasons beside them.",
            count=len(told.why),
        )
        said.append((wrong, True))
    return said or [(says("Nothing was changed."), False)]
