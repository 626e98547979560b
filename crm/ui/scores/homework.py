"""Homework on the screen: handing it in, what was handed in, and its file."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple, cast

import streamlit as st

from crm.errors import Conflict, Invalid, ThanosError
from crm.grid.state import stay_chosen
from crm.i18n import Says, _, literal, marked, says
from crm.rbac import Actor
from crm.services.scores.homework import HAND_IN, LONGEST_NOTE, LONGEST_TEXT, File, fetch, hand_in
from crm.services.scores.my_grades import DECIDED, HandedIn, Homework, Own, handed_in, homework
from crm.settings import settings
from crm.ui.address import choose, chosen
from crm.ui.file_upload import file_upload
from crm.ui.parts import opened
from crm.ui.scores.grades_chart import standings
from crm.ui.serving import door
from crm.ui.serving.homework_route import address
from crm.ui.session import now, reading_as_somebody, today, writing_as

SAID, ROUND, CHOSEN = "homework:said", "homework:round", "homework"
SEEN, ASKED = "homework:seen", "homework:asked"


class Given(NamedTuple):
    """What stands in the form of that turn."""

    turn: str
    text: str
    note: str
    file: File | None


class Due(NamedTuple):
    """What can be handed in in any of the student's classes, the earliest due first, and what is chosen of it."""

    found: Mapping[int, Homework]
    day: HandedIn | None


class Asked(NamedTuple):
    """The question that waits in the form of that turn: what was handed in meanwhile."""

    turn: str
    conflict: Conflict


def read_due(session: Any, actor: Actor, classes: Mapping[int, Says], read: Own) -> Due:
    """What `due_next` draws."""
    school_day = today()

    def urgency(one: Homework) -> tuple[bool, bool, int]:
        """What waits and is not late, by its due date; then what is late, the latest first; then what is in."""
        late = one.due_on is not None and one.due_on < school_day
        when = (one.due_on or one.held_on).toordinal()
        return one.handed_in, late, -when if late else when

    found = {one.id: one for one in sorted(homework(session, actor, classes, read), key=urgency)}
    key = chosen(CHOSEN, list(found))
    return Due(found, None if key is None else handed_in(session, actor, key))


def due_next(actor: Actor, classes: Mapping[int, Says], due: Due) -> None:
    """What is due next in any of the student's classes, and the form to hand it in: the earliest due first."""
    said = st.session_state.pop(SAID, None)
    if said is not None:
        st.toast(marked(said), icon=":material/check:")
    if due.day is None:
        return

    def named(key: int) -> str:
        name = _named(due.found[key])
        return f"{name} · {classes[due.found[key].class_id]}" if len(classes) > 1 else name

    st.subheader(_("Homework"), anchor=False)
    choose(CHOSEN, _("Day"), list(due.found), named)
    _one(actor, due.day)


def scored(actor: Actor, own: Own) -> None:
    """What a teacher has judged in one class: what was asked for, what was handed in, and the remark in full.

    Made only for whoever opens it.
    """
    states = own.days.columns.state
    if not any(state in DECIDED for state in states):
        return
    shown = opened(_("Scored homework"), "homework:scored")
    if not shown.open:
        return
    latest = own.days.only([state in DECIDED for state in states])[::-1]
    words = standings(latest.columns)
    of = {one.id: (one, word) for one, word in zip(latest, words, strict=True)}

    def named(key: int) -> str:
        one, word = of[key]
        day = _("Day {number}, {date}", number=one.day_number, date=one.held_on)
        return " · ".join(part for part in (one.homework, word, day) if part)

    with shown:
        box = f"homework:scored:{own.class_id}"
        stay_chosen(box, of, named)
        key = st.selectbox(_("Day"), list(of), format_func=named, key=box)
        with reading_as_somebody() as session:
            day = handed_in(session, actor, key)
        _what_was(actor, day)
        if day.text:
            st.text(day.text)
        if of[key][0].remark:
            st.caption(_("Remark"))
            st.text(of[key][0].remark)


def _named(one: Homework) -> str:
    due = _("due {day}", day=one.due_on) if one.due_on else _("no due date")
    state = _("handed in") if one.handed_in else due
    day = _("Day {number}, {date}", number=one.day_number, date=one.held_on)
    return f"{one.title} · {state} · {day}"


def asked_for(brief: str | None, exam_points: str | None) -> None:
    """What a homework asks for and what earns points in it, as far as the teacher wrote that down."""
    if brief:
        st.text(brief)
    if exam_points:
        st.caption(_("Exam points"))
        st.text(exam_points)


def _one(actor: Actor, day: HandedIn) -> None:
    with st.container(border=True):
        _what_was(actor, day)
        if actor.may(HAND_IN):
            _form(actor, day)


def _what_was(actor: Actor, day: HandedIn) -> None:
    """What was asked for, when it was handed in, and the file."""
    asked_for(day.brief, day.exam_points)
    if day.handed_in_at:
        late = " " + _("(late)") if day.late else ""
        st.caption(_("Handed in {moment}", moment=day.handed_in_at) + late)
    if day.file and day.file_name:
        download(actor, day.id, day.file, day.file_name)


def _form(actor: Actor, day: HandedIn) -> None:
    rules = settings().homework
    turn = f"{day.id}:{st.session_state.get(ROUND, 0)}"
    # What was there when the form was first drawn: other windows and the teacher go on meanwhile.
    if f"homework:text:{turn}" not in st.session_state:
        st.session_state[SEEN] = day
    seen: HandedIn = st.session_state[SEEN]
    with st.form(f"homework:{turn}", border=False):
        text = st.text_area(
            _("Your text"), value=seen.text or "", max_chars=LONGEST_TEXT, height=140, key=f"homework:text:{turn}"
        )
        file = file_upload(_("Or a file"), rules.kinds, rules.max_megabytes, key=f"homework:file:{turn}")
        note = st.text_input(
            _("Remark for the teacher"), value=seen.note or "", max_chars=LONGEST_NOTE, key=f"homework:note:{turn}"
        )
        pressed = st.form_submit_button(
            _("Hand in again") if seen.handed_in_at is not None else _("Hand in"),
            type="primary",
            icon=":material/upload:",
            key=f"homework:hand-in:{turn}",
        )
    asked: Asked | None = st.session_state.get(ASKED)
    given = Given(turn, text, note, File(file.name, file.getvalue()) if file is not None else None)
    if pressed:
        _give(actor, day, given, seen.handed_in_at)
    elif asked is not None and asked.turn == turn:
        _meanwhile(actor, day, given, asked)


def _give(actor: Actor, day: HandedIn, given: Given, seen: datetime | None) -> None:
    try:
        with writing_as(actor) as (session, me):
            hand_in(session, me, day.id, text=given.text, note=given.note, file=given.file, seen=seen, now=now())
    except Conflict as conflict:
        st.session_state[ASKED] = Asked(given.turn, conflict)
    except Invalid as invalid:
        for why in invalid.fields.values():
            _wrong(why)
        return
    except ThanosError as error:
        _wrong(error.says)
        return
    else:
        st.session_state[SAID] = says("Handed in: {title}.", title=day.homework)
        _over()
    # What was handed in stays in sight, although what is due next comes first.
    st.query_params[CHOSEN] = str(day.id)
    st.rerun()


def _meanwhile(actor: Actor, day: HandedIn, given: Given, asked: Asked) -> None:
    """What came in from elsewhere, and the choice: it is replaced only by who saw it."""
    theirs = asked.conflict.theirs
    with st.container(border=True, gap="small"):
        st.warning(marked(asked.conflict.says), icon=":material/warning:")
        for part in (theirs["text"], theirs["file"]):
            if part:
                st.text(str(part))
        with st.container(horizontal=True):
            replaces = st.button(_("Replace it by what stands here"), key="homework:replace", type="primary")
            keeps = st.button(_("Keep it"), key="homework:keep")
    if replaces:
        _give(actor, day, given, cast(datetime | None, theirs["handed_in_at"]))
    elif keeps:
        _over()
        st.rerun()


def _over() -> None:
    """The form is done with, and the next one begins with what is handed in now."""
    st.session_state[ASKED] = None
    st.session_state[ROUND] = st.session_state.get(ROUND, 0) + 1


def _wrong(why: Says) -> None:
    st.error(marked(why), icon=":material/error:")


def download(actor: Actor, number: int, file: str, name: str) -> None:
    """A way to the file: by the route where the server has one, else through the page."""
    if door.is_open():
        st.link_button(literal(name), address(number, file, name), icon=":material/download:")
        return

    def content() -> bytes:
        with reading_as_somebody() as session:
            return fetch(session, actor, number, file)[0].read_bytes()

    st.download_button(
        literal(name), content, name, icon=":material/download:", on_click="ignore", key=f"file:{number}"
    )
