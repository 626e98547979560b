"""Scoring a day by keyboard: a sheet with the names in one order, and one save for all that was typed.

The sheet is drawn from what was read when it was opened, so that it stands still under the keyboard, and is read
again after each save. What could not be saved keeps what was typed, with the reason beside it.
"""

from dataclasses import dataclass, replace
from typing import Any

import pandas as pd
import streamlit as st

from crm.domain.calendar import day_of
from crm.domain.scores import letter_of, typed
from crm.domain.teaching import ScoreState
from crm.errors import ThanosError
from crm.i18n import Says, _, literal, marked, says, says_n, show
from crm.rbac import Actor
from crm.services import gradebook_scopes
from crm.services.gradebook_scopes import SCORE, Day
from crm.services.scoring import LONGEST_REMARK, REMARK, TYPED, Line, Sheet, Told, Typed, save, sheet
from crm.settings import settings
from crm.ui.address import choose
from crm.ui.homework import download
from crm.ui.session import now, reading_as_somebody, writing_as

DRAWN, SAID = "scoring:drawn", "scoring:said"
ROW = 35


@dataclass(frozen=True)
class Drawn:
    """A sheet as it stands on the screen. `kept` are the cells that show what was typed and not saved, and why."""

    sheet: Sheet
    epoch: int = 0
    kept: dict[tuple[int, str], tuple[str, Says]] | None = None

    def cell(self, line: Line, name: str) -> str:
        """What the frame holds there."""
        kept = (self.kept or {}).get((line.id, name))
        return kept[0] if kept else stored(line, name)

    def why(self, line: Line) -> str:
        """What is wrong in that row."""
        return " ".join(str(why) for (row, _name), (_typed, why) in (self.kept or {}).items() if row == line.id)


def stored(line: Line, name: str) -> str:
    """What the database holds there, as it would be typed."""
    return typed(line.score) if name == TYPED else line.remark


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
    today = day_of(now(), settings().zone)
    order = sorted(days, key=lambda key: days[key].held_on > today)
    day_id = choose("day", _("Day"), order, lambda key: day_name(days[key]))
    if day_id is None:
        return
    drawn = _drawn(actor, day_id)
    for sentence, wrong in st.session_state.pop(SAID, ()):
        (st.warning if wrong else st.success)(
            marked(sentence), icon=":material/error:" if wrong else ":material/check:"
        )
    homework, due = days[day_id].homework, days[day_id].due_on
    if homework:
        title = literal(homework)
        st.caption(
            _("Homework: {title}, due {day}", title=title, day=due) if due else _("Homework: {title}", title=title)
        )
    _editor(actor, drawn)
    _read_homework(actor, drawn)


def day_name(day: Day) -> str:
    """How a day is told from the others."""
    name = _("Day {number}, {date}", number=day.number, date=day.held_on)
    return f"{name} · {day.title}" if day.title else name


def _drawn(actor: Actor, day_id: int) -> Drawn:
    drawn: Drawn | None = st.session_state.get(DRAWN)
    # An editor that was out of sight is gone, with what was typed into it: then the sheet is read anew.
    gone = drawn is not None and not drawn.kept and f"scoring:{drawn.epoch}" not in st.session_state
    if drawn is None or gone or drawn.sheet.course_record_id != day_id:
        with reading_as_somebody() as session:
            drawn = Drawn(sheet(session, actor, day_id, now()), epoch=drawn.epoch + 1 if drawn else 0)
        st.session_state[DRAWN] = drawn
    return drawn


def _editor(actor: Actor, drawn: Drawn) -> None:
    lines = drawn.sheet.lines
    columns: dict[str, Any] = {
        "name": [line.name for line in lines],
        TYPED: [drawn.cell(line, TYPED) for line in lines],
        "letter": [_letter(line) for line in lines],
        REMARK: [drawn.cell(line, REMARK) for line in lines],
        "handed_in": [_handed_in(line) for line in lines],
    }
    if drawn.kept:
        columns["why"] = [drawn.why(line) for line in lines]
    frame = pd.DataFrame(columns, index=[line.id for line in lines], dtype="str")
    column = st.column_config
    with st.form(f"scoring:form:{drawn.epoch}", border=False, enter_to_submit=False):
        st.caption(
            _("A letter (A+ to D) or a number, or copied, failed, missing. Enter goes down to the next student.")
        )
        st.data_editor(
            frame,
            key=f"scoring:{drawn.epoch}",
            hide_index=True,
            num_rows="fixed",
            height=ROW * len(frame) + 38,
            row_height=ROW,
            placeholder="",
            alt=_("Scores of the day"),
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
        st.form_submit_button(
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
    state = st.session_state.get(f"scoring:{drawn.epoch}")
    if state is None:
        return
    overlay: dict[int, dict[str, Any]] = state["edited_rows"]
    cells = changes(drawn, overlay)
    if not cells:
        return
    try:
        with writing_as(actor) as (session, me):
            told = save(session, me, cells, now())
        with reading_as_somebody() as session:
            fresh = sheet(session, me, drawn.sheet.course_record_id, now())
    except ThanosError as error:
        st.session_state[SAID] = [(error.says, True)]
        return
    by_id = {one.id: one for one in cells}
    kept = {
        (row, name): ((by_id[row].score if name == TYPED else by_id[row].remark) or "", why)
        for (row, name), why in told.why.items()
    }
    st.session_state[DRAWN] = replace(drawn, sheet=fresh, epoch=drawn.epoch + 1, kept=kept)
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


def changes(drawn: Drawn, overlay: dict[int, dict[str, Any]]) -> list[Typed]:
    """What differs from what the database held when the sheet was drawn, by row. A position that was not drawn is
    nobody's, and a column that is not typed into is passed over: only a forged message holds them.
    """
    found = []
    for position, line in enumerate(drawn.sheet.lines):
        over = overlay.get(position, {})
        now_there = {
            name: str(over.get(name) or "") if name in over else drawn.cell(line, name) for name in (TYPED, REMARK)
        }
        changed = {name: text for name, text in now_there.items() if text.strip() != stored(line, name)}
        if changed:
            found.append(
                Typed(line.id, line.version, (line.score, line.remark), changed.get(TYPED), changed.get(REMARK))
            )
    return found
