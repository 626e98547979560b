"""*My grades* and *Gradebook* on the screen: nobody else's by any address, nothing changed by looking."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
from sqlmodel import SQLModel, select
from streamlit.testing.v1 import AppTest

from crm.domain.accounts import Account
from crm.domain.classes import ClassGroup
from crm.domain.scores import NONE
from crm.domain.students import Student
from crm.domain.teaching import Attendance, CourseRecord, ScoreState, StudyRecord
from crm.i18n import says
from crm.rbac import store as rbac
from crm.services.access.permissions import install_roles
from crm.services.scores.my_grades import of_class
from crm.services.scores.scoring import REMARK, TYPED, Line, Sheet
from crm.store.session import reading, writing
from crm.ui.scores.grades_chart import chart_frame, chart_spec, drawn
from crm.ui.scores.typed_scores import NOT_SAVED, Drawn, changes, opened, unsaved
from tests.app.people import page_as
from tests.builders import an_actor, school_day
from tests.school_builders import a_class_group, a_course_record, a_student_in, a_study_record, an_enrolment
from tests.scored import Class, a_day, a_scored_class, grade

NOW = datetime.now(UTC)
READ_ERROR = says("At most {count} characters fit here.", count=2000)
TODAY = school_day(NOW)
LAPTOP = 946
"""How wide a table is where the window is 1280."""
WATCHED = ("study_record", "course_record", "enrolment", "student")


@pytest.fixture(autouse=True)
def _sqlite(sqlite_url):
    """The page is the same on both engines; what it calls is tested on both."""


@pytest.fixture
def two_classes():
    """Two classes, of which each student has a role and a sign-in, and whose days are scored in every state."""
    with writing() as session:
        install_roles(session)
        return [_a_class(session, number) for number in (60, 77)]


def _a_class(session, number) -> Class:
    klass = a_scored_class(session, 2, starts_on=TODAY - timedelta(days=40))
    for ago, state in ((3, ScoreState.COPIED), (9, None), (6, ScoreState.FAILED), (5, ScoreState.NOT_DUE)):
        for row in a_day(session, klass, TODAY - timedelta(days=ago), due_in=1, title=f"Day of {number}")[1]:
            grade(row, number) if state is None else setattr(row, "score_state", state)
    for who, role in ((klass.students[0].account_id, "student"), (klass.lecturer.account_id, "lecturer")):
        found = rbac.role_named(session, role)
        rbac.give_role(session, who, [found.id])
        session.get(Account, who).locale = "en"
    session.flush()
    return klass


def of(account_id):
    with reading() as session:
        return session.exec(select(Account).where(Account.id == account_id)).one()


def rows():
    with reading() as session:
        return {name: session.execute(select(SQLModel.metadata.tables[name])).all() for name in WATCHED}


def theirs(other, name):
    """What an address would say for the class, a day, or a student's homework of the other class."""
    with reading() as session:
        day = session.exec(select(CourseRecord).where(CourseRecord.class_group_id == other.group.id)).all()[-1]
        row = session.exec(select(StudyRecord).where(StudyRecord.course_record_id == day.id)).first()
    return str({"class": other.group.id, "day": day.id, "homework": row.id}[name])


HOSTILE = ({}, {"class": "theirs"}, {"homework": "theirs"}, {"day": "theirs"}, {"student": "3", "score": "100"})


@pytest.mark.parametrize("query", HOSTILE)
def test_a_student_reads_nobody_elses_scores_by_any_address_and_changes_nothing_by_looking(two_classes, query):
    mine, other = two_classes
    before = rows()
    at = page_as(of(mine.students[0].account_id), "grades")
    for name, value in query.items():
        at.query_params[name] = theirs(other, name) if value == "theirs" else value

    at.run()

    assert not at.exception
    shown = at.dataframe[0].value
    assert set(shown["title"]) == {"Day of 60"}
    assert [one for one in shown["score"] if one[:1].isdigit()] == ["60 (C+)"]
    assert rows() == before


@pytest.mark.parametrize("query", HOSTILE)
def test_a_lecturer_opens_own_classes_by_any_address_and_changes_nothing_by_looking(two_classes, query):
    mine, other = two_classes
    before = rows()
    at = page_as(of(mine.lecturer.account_id), "gradebook")
    for name, value in query.items():
        at.query_params[name] = theirs(other, name) if value == "theirs" else value

    at.run()

    assert not at.exception
    assert [box.value for box in at.selectbox if box.key == "address:class"] == [mine.group.id]
    assert rows() == before


def test_a_student_has_no_gradebook_and_a_lecturer_no_grades(two_classes):
    mine, _other = two_classes

    for who, page in ((mine.students[0].account_id, "gradebook"), (mine.lecturer.account_id, "grades")):
        at = page_as(of(who), page).run()
        assert at.warning[0].value.startswith("You may not open this page.")
        assert not at.dataframe


def test_a_student_sees_the_formula_how_each_day_counts_and_what_is_due_in_every_class(two_classes):
    mine, other = two_classes
    with writing() as session:
        student = session.get(Student, mine.students[0].id)
        an_enrolment(session, student, session.get(ClassGroup, other.group.id), joined_on=TODAY, paid=False)
        day = a_course_record(
            session, other.group, TODAY, homework_title="Second class", homework_due_on=TODAY - timedelta(days=300),
            homework_brief="Write a loop.", exam_points="Five for the loop.", initialised_at=NOW,
        )  # fmt: skip
        theirs = a_study_record(session, day, student).id
    at = page_as(of(mine.students[0].account_id), "grades")
    at.query_params["class"] = str(mine.group.id)
    at.query_params["homework"] = str(theirs)

    at.run()

    assert not at.exception
    assert set(at.dataframe[0].value["counts"]) == {"No: not confirmed"}
    assert any("Days attended of days that count." in one.value for one in at.caption)
    box = next(one for one in at.selectbox if one.key == "address:homework")
    assert sum("Second class" in one for one in box.options) == 1
    assert len({one.rpartition(" · ")[2] for one in box.options}) == 2, "each names its class"
    assert {"Write a loop.", "Five for the loop."} <= {one.value for one in at.text}


def test_what_was_scored_is_read_again_by_its_student_with_what_the_teacher_said(two_classes):
    mine, _other = two_classes
    with writing() as session:
        asked = select(StudyRecord).where(StudyRecord.student_id == mine.students[0].id, StudyRecord.score == 60)
        row = session.exec(asked).one()
        row.homework_text, row.handed_in_at, row.teacher_remark = "while True: pass", NOW, "It never ends."
        session.get(CourseRecord, row.course_record_id).homework_brief = "Write a loop."
    at = page_as(of(mine.students[0].account_id), "grades").run()
    read = ("Write a loop.", "while True: pass", "It never ends.")
    assert not {one.value for one in at.text} & set(read)

    at.session_state["homework:scored"] = True
    at.run()
    box = at.selectbox(key=f"homework:scored:{mine.group.id}")
    assert [one.partition(" · Day ")[0] for one in box.options] == [
        "Exercise · Copied", "Exercise · Did not pass", "Exercise · 60 (C+)",
    ]  # fmt: skip
    box.set_value(row.id).run()

    assert not at.exception
    assert [one.value for one in at.text if one.value in read] == list(read)


def test_of_two_windows_with_one_homework_the_second_is_asked_and_loses_nothing_typed(two_classes):
    mine, _other = two_classes
    with writing() as session:
        day = a_course_record(session, mine.group, TODAY, homework_title="Loops", initialised_at=NOW)
        key = a_study_record(session, day, session.get(Student, mine.students[0].id)).id
    who = of(mine.students[0].account_id)
    windows = [page_as(who, "grades"), page_as(who, "grades")]
    for at in windows:
        at.query_params["homework"] = str(key)
        at.run()

    def hand_in(at, text):
        next(one for one in at.text_area if one.label == "Your text").set_value(text)
        next(one for one in at.button if one.label in ("Hand in", "Hand in again")).click().run()

    def handed_in():
        with reading() as session:
            return session.get(StudyRecord, key).homework_text

    hand_in(windows[0], "from my phone")
    hand_in(windows[1], "from here")

    assert handed_in() == "from my phone"
    assert any("handed in meanwhile" in one.value for one in windows[1].warning)
    assert "from my phone" in [one.value for one in windows[1].text]
    windows[1].button(key="homework:replace").click().run()
    assert handed_in() == "from here"
    assert not windows[1].warning and not windows[1].exception


def test_a_student_apologises_before_the_first_day():
    with writing() as session:
        install_roles(session)
        group = a_class_group(session, starts_on=TODAY + timedelta(days=1))
        student = a_student_in(session, group)
        rbac.give_role(session, student.account_id, [rbac.role_named(session, "student").id])
        session.get(Account, student.account_id).locale = "en"

    at = page_as(of(student.account_id), "grades")
    at.session_state["apologies:ask"] = True
    at.run()

    assert any(one.value == "Apologies" for one in at.subheader)
    assert any(one.label == "Ask" for one in at.button)


def test_who_is_at_risk_is_shown_with_the_formula_and_the_way_to_the_records(two_classes):
    mine, _other = two_classes
    with writing() as session:
        for row in session.exec(select(StudyRecord).where(StudyRecord.student_id == mine.students[0].id)):
            row.attendance = Attendance.ABSENT
        for day in session.exec(select(CourseRecord)):
            day.taken_at = NOW
    at = page_as(of(mine.lecturer.account_id), "gradebook")
    at.query_params["tab"] = "at-risk"
    at.session_state["at-risk:in-full"] = True

    at.run()

    assert any("- Absent 4 days in a row.\n- " in one.value for one in at.markdown), "each reason on its line"
    (row,) = at.dataframe[0].value.itertuples()
    assert (row.attendance, row.days.partition("#")[2]) == (0, "0%20of%204")
    assert any("Days attended of days that count." in one.value for one in at.caption)

    records = page_as(of(mine.lecturer.account_id), "attendance")
    records.query_params.update(parse_qs(urlsplit(row.days).query))
    rows = records.run().dataframe[0].value
    assert list(rows["held_on"]) == [str(TODAY - timedelta(days=ago)) for ago in (3, 5, 6, 9)]
    assert set(rows["student"]) == {"01"}


def test_the_chart_has_points_in_day_order_and_no_number_for_a_state(two_classes):
    mine, _other = two_classes
    me = an_actor(role="student", account_id=mine.students[0].account_id)
    with reading() as session:
        days = of_class(session, me, mine.group.id, NOW).days

    frame = chart_frame(drawn(days)).to_pylist()

    assert [one["day"] for one in frame] == sorted(one["day"] for one in frame)
    assert [one["score"] for one in frame] == [60.0, None, None, None]
    assert [one["mark"] for one in frame] == [None, "Did not pass", "Missing", "Copied"]
    marks = chart_spec("en")["layer"][-1]["encoding"]
    assert "field" not in marks["y"]


def a_sheet(*names, **values):
    lines = tuple(
        Line(number, 3, number, name, NONE, ScoreState.NOT_DUE, "", None, False, None, None, None, None)
        for number, name in enumerate(names, 1)
    )
    return Drawn(Sheet(1, TODAY, lines), **values)


def test_what_a_sheet_of_scores_brings_is_told_in_words_of_scores():
    def script() -> None:
        from crm.i18n import read_in
        from crm.services.scores.score_sheets import Checked
        from crm.ui.scores.score_sheets import _preview

        with read_in("zh"):
            _preview(Checked(1, 1))

    told = AppTest.from_function(script).run().metric

    assert [one.label for one in told] == ["行数", "更改", "不变", "有误"]


def test_a_laptop_shows_the_median_of_the_class_whole(two_classes):
    mine, _ = two_classes

    table = page_as(of(mine.students[0].account_id), "grades").run().dataframe[0]

    widths = {name: one.get("width", 0) for name, one in json.loads(table.proto.columns).items()}
    names = list(table.value)
    assert sum(widths[name] for name in names[: names.index("median") + 1]) <= LAPTOP


def test_what_was_typed_belongs_to_the_row_that_was_drawn_there():
    found = changes(a_sheet("A", "B", "C"), {1: {TYPED: "b+"}, 2: {REMARK: "Good", "name": "forged"}, 9: {TYPED: "A"}})

    assert [(one.id, one.version, one.score, one.remark) for one in found] == [(2, 3, "b+", None), (3, 3, None, "Good")]


def test_what_was_not_saved_is_tried_again_with_the_next_save():
    drawn = a_sheet("A", "B", kept={(1, TYPED): ("ninety", NONE)})

    assert [(one.id, one.score) for one in changes(drawn, {})] == [(1, "ninety")]
    assert [(one.id, one.score) for one in changes(drawn, {0: {TYPED: "90"}})] == [(1, "90")]
    assert changes(drawn, {0: {TYPED: None}}) == []


def test_what_was_typed_and_not_saved_is_there_again_with_the_rows_as_they_were_seen():
    drawn = a_sheet("A", "B", kept={(2, REMARK): ("x" * 3000, READ_ERROR)})
    left = unsaved(drawn, {0: {TYPED: "b+"}})
    meanwhile = a_sheet("A", "B", "C").sheet
    newer = replace(meanwhile, lines=tuple(one._replace(version=9) for one in meanwhile.lines))

    back = opened(newer, left, 5)

    assert back.kept == {(1, TYPED): ("b+", NOT_SAVED), (2, REMARK): ("x" * 3000, READ_ERROR)}
    assert [one.version for one in back.sheet.lines] == [3, 3, 9]
    assert next((one.id, one.version, one.score) for one in changes(back, {})) == (1, 3, "b+")
    assert unsaved(back, {0: {TYPED: None}, 1: {REMARK: None}}) is None
    assert opened(newer, None, 5) == Drawn(newer, 5)


def test_another_day_drops_nothing_that_was_typed(two_classes):
    mine, _other = two_classes
    with writing() as session:
        first = session.exec(select(CourseRecord).where(CourseRecord.class_group_id == mine.group.id)).first()
        first.homework_brief, first.exam_points, day = "Write a loop.", "Five for the loop.", first.id
    at = page_as(of(mine.lecturer.account_id), "gradebook")
    at.query_params["day"] = str(day)
    at.run()
    assert {"Write a loop.", "Five for the loop."} <= {one.value for one in at.text}
    at.session_state["scoring:unsaved"] = {day: unsaved(at.session_state["scoring:drawn"], {1: {TYPED: "b+"}})}

    days = next(box for box in at.selectbox if box.key == "address:day")
    other = next(place for place in range(len(days.options)) if place != days.index)
    days.select_index(other).run()
    assert at.dataframe[0].value["score"].tolist()[1] != "b+"
    assert any("not saved yet: Day " in one.value for one in at.info)

    box = next(box for box in at.selectbox if box.key == "address:day")
    box.select_index(next(place for place, one in enumerate(box.options) if one.endswith("not saved"))).run()

    assert not at.exception
    assert at.dataframe[0].value["score"].tolist()[1] == "b+"
    assert at.dataframe[0].value["why"].tolist()[1] == "Typed, and not saved yet."
    assert list(at.dataframe[0].value)[:3] == ["name", "score", "why"], "the reason stands beside what was typed"
