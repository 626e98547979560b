"""The pages of course records and attendance: what they show, and that looking at them writes nothing."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text
from sqlmodel import select

from crm.domain.calendar import day_of
from crm.domain.classes import ClassGroup
from crm.domain.students import Enrolment
from crm.domain.teaching import Attendance, CourseRecord, StudyRecord
from crm.services.classes.study_records import initialise
from crm.settings import settings
from crm.store.engine import engine
from crm.store.session import reading, writing
from tests.app.people import a_person, page_as
from tests.builders import an_employee, school_day
from tests.granted import NOW
from tests.school_builders import a_class_group, a_course_record, a_student
from tests.teaching import an_apology, in_class

TODAY = school_day(NOW)


@pytest.fixture
def teacher(sqlite_url):
    """The class teacher of a class with a student who apologised, and an initialised day."""
    with writing() as session:
        account = a_person(session, "class_teacher")
        who = an_employee(session, account_id=account.id)
        group = a_class_group(session, teacher=who, starts_on=TODAY)
        student = a_student(session, "Zhang San")
        in_class(session, student, group)
        day = a_course_record(session, group, TODAY, title="Loops")
        initialise(session, [day.id], NOW)
        an_apology(session, student, group, TODAY)
    return who


def everything() -> dict[str, list[tuple]]:
    """Every row of every table that holds history of the school."""
    with reading() as session:
        tables = ("course_record", "study_record", "apology", "enrolment", "notification", "audit_entry")
        return {name: session.execute(text(f"SELECT * FROM {name} ORDER BY id")).all() for name in tables}


@pytest.mark.parametrize(
    ("page", "query"),
    [
        ("course-records", {}),
        ("course-records", {"tab": "calendar"}),
        ("attendance", {}),
        ("attendance", {"day": "1"}),
        ("attendance", {"day": "999999"}),
        ("attendance", {"tab": "apologies"}),
        ("attendance", {"tab": "month"}),
        ("attendance", {"tab": "records"}),
    ],
)
def test_opening_a_page_changes_no_history(teacher, page, query):
    at = page_as(teacher, page)
    for name, value in query.items():
        at.query_params[name] = value
    before = everything()

    at.run()

    assert not at.exception, at.exception
    written = {name: rows for name, rows in everything().items() if rows != before[name]}
    # What somebody was denied is kept; nothing else is.
    assert set(written) <= ({"audit_entry"} if query.get("day") == "999999" else set())
    engine().dispose()


def test_course_records_begin_with_the_last_days_that_were_and_one_click_shows_those_planned(teacher):
    today = day_of(datetime.now(UTC), settings().zone)
    with writing() as session:
        group = session.exec(select(ClassGroup)).one()
        for away, title in ((-1, "Was"), (1, "Planned")):
            a_course_record(session, group, today + timedelta(days=away), title=title)
    at = page_as(teacher, "course-records").run()

    begun, address = titles(at), dict(at.query_params)
    at.button(key="course-records:chip:held_on").click().run()

    assert ("Was" in begun, "Planned" in begun, address) == (True, False, {})
    assert titles(at)[0] == "Planned"
    assert at.query_params["held_on"] in ("any", ["any"])


def test_where_no_day_is_there_yet_one_is_added_and_where_all_are_to_come_they_are_one_click_away(sqlite_url):
    with writing() as session:
        account = a_person(session, "class_teacher")
        group_id = a_class_group(session, teacher=an_employee(session, account_id=account.id)).id
    at = page_as(account, "course-records").run()

    offered = [button.label for button in at.button if "empty" in str(button.key)]
    with writing() as session:
        a_course_record(session, session.get(ClassGroup, group_id), TODAY + timedelta(days=9))
    at.run()
    said = [element.value for element in at.markdown]
    at.button(key="course-records:empty-clear").click().run()

    assert offered == ["Add a day"]
    assert "Nothing with the filter that this list begins with. There is something without it." in said
    assert len(titles(at)) == 1


def titles(at):
    return list(at.dataframe[0].value["title"])


def test_day_scores_and_course_record_are_one_click_from_each_other(teacher):
    with reading() as session:
        group = session.exec(select(ClassGroup.id)).one()
    ways = {}
    for page, query in (("attendance", {"day": "1"}), ("gradebook", {"class": str(group), "day": "1"})):
        at = page_as(teacher, page)
        for name, value in query.items():
            at.query_params[name] = value
        at.run()
        assert not at.exception, at.exception
        ways[page] = {
            one.proto.label: (one.proto.page, one.proto.query_string)
            for one in at.get("page_link")
            if one.proto.query_string
        }

    assert ways["attendance"] == {
        "Scores of the day": ("gradebook", f"class={group}&day=1"),
        "Title and homework": ("course-records", f"class={group}&edit=1"),
        "All days of the class": ("course-records", f"class={group}"),
    }
    assert ways["gradebook"]["Attendance of the day"] == ("attendance", "day=1")
    assert set(ways["gradebook"]) == {"Attendance of the day", "Title and homework", "All days of the class"}


def test_names_are_noted_after_a_preview_and_taken_back(teacher):
    at = page_as(teacher, "attendance").run()
    next(one for one in at.text_area if one.label == "Names").set_value("张三, zhang")
    next(one for one in at.button if one.label == "Preview").click().run()
    assert any("Zhang San" in one.value and "Late" in one.value for one in at.markdown)
    assert any("张三" in one.label for one in at.selectbox)

    next(one for one in at.button if one.label == "Apply to 1 student").click().run()
    assert [row.attendance for row in everything()["study_record"]] == ["late"]

    next(one for one in at.button if one.label == "Undo").click().run()
    assert [row.attendance for row in everything()["study_record"]] == ["present"]

    next(one for one in at.button if one.label == "Confirm the attendance").click().run()
    assert not at.exception
    assert all(row.taken_at for row in everything()["course_record"])


def test_the_same_is_noted_of_many_ticked_students(teacher):
    at = page_as(teacher, "attendance").run()
    at.button(key="attendance-of-day:tick").click().run()

    at.button(key="attendance-of-day:act:set").click().run()

    assert not at.exception, at.exception
    assert not at.error, at.error
    asked = next(one for one in at.selectbox if one.label == "Attendance *")
    assert (asked.options[0], asked.value) == ("Present", "present")


@pytest.fixture
def host(teacher):
    """A day of another class of the same course and teacher, on which nobody is yet, and a day that was missed."""
    with writing() as session:
        group = session.exec(select(ClassGroup)).one()
        row = session.exec(select(StudyRecord)).one()
        row.attendance = Attendance.ABSENT
        other = a_class_group(session, teacher_id=group.teacher_id, course_id=group.course_id, starts_on=TODAY)
        return a_course_record(session, other, TODAY - timedelta(days=100)).id


def pressed(at, label):
    next(one for one in at.button if one.label == label).click()
    return at.run()


def test_a_missed_day_is_made_up_where_nobody_else_is_and_that_is_taken_back(teacher, host):
    at = page_as(teacher, "attendance")
    at.query_params["day"] = str(host)
    at.run()
    chosen = next(one for one in at.selectbox if one.label == "Day of a class")
    assert "not initialised" in chosen.options[chosen.index].casefold()

    next(one for one in at.selectbox if one.label == "Who makes up which day here").select_index(0)
    pressed(at.run(), "Record the make-up")

    (missed, made) = everything()["study_record"]
    assert (made.course_record_id, made.makes_up_id, made.student_id) == (host, missed.id, missed.student_id)

    pressed(at, "Take the make-up back")

    assert not at.exception
    assert [row.id for row in everything()["study_record"]] == [missed.id]


def test_who_may_only_look_makes_nothing_up(teacher, host):
    at = page_as("sales_manager", "attendance")
    at.query_params["day"] = str(host)

    at.run()

    assert not [one for one in at.selectbox if one.label == "Who makes up which day here"]


@pytest.mark.parametrize("teaches", [False, True])
def test_the_calendar_begins_with_own_classes_for_who_teaches_and_with_all_for_who_does_not(teacher, teaches):
    with writing() as session:
        manager = an_employee(session, account_id=a_person(session, "sales_manager").id)
        if teaches:
            a_course_record(session, a_class_group(session, manager), TODAY, title="Mine")
    at = page_as(manager, "course-records")
    at.query_params["tab"] = "calendar"
    at.query_params["month"] = f"{TODAY:%Y%m}"

    at.run()

    shown = " ".join(one.proto.body for one in at.get("html"))
    assert ("Loops" in shown, "Mine" in shown) == (not teaches, teaches)
    assert [one.value for one in at.toggle] == ([True] if teaches else [])


def test_the_month_sheet_is_taken_home_where_no_route_hands_out_files_too(teacher):
    at = page_as(teacher, "attendance")
    at.query_params["tab"] = "month"
    at.run()

    pressed(at, "Export")

    assert not at.exception, at.exception
    assert [one.proto.label for one in at.get("download_button")] == ["Download"]


def test_a_day_stays_the_chosen_one_although_the_browser_still_calls_it_as_before(teacher):
    with writing() as session:
        group = session.exec(select(ClassGroup)).one()
        other = a_course_record(session, group, TODAY + timedelta(days=1), title="Later").id
    at = page_as(teacher, "attendance")
    at.query_params["day"] = str(other)
    at.run()
    before = at.selectbox(key="address:day").format_func(other)

    at.button(key="attendance:initialise").click().run()
    box = at.selectbox(key="address:day")
    told = box.proto.set_value, box.proto.raw_value
    # A browser sends words, and these are no choice any more.
    box.options.append(box.format_func(before))
    box.set_value(before)
    at.run()

    assert before.endswith("Not initialised")
    assert told == (True, before.replace("Not initialised", "Initialised"))
    assert (at.query_params["day"], at.selectbox(key="address:day").value) == (str(other), other)


def test_a_day_that_was_confirmed_stays_in_sight_although_another_waits(teacher):
    with writing() as session:
        group = session.exec(select(ClassGroup)).one()
        group.starts_on = TODAY - timedelta(days=9)
        for place in session.exec(select(Enrolment)):
            place.joined_on = group.starts_on
        first = session.exec(select(CourseRecord)).one()
        first.held_on = TODAY - timedelta(days=1)
        other = a_course_record(session, group, TODAY - timedelta(days=3))
        initialise(session, [other.id], NOW)
        first = first.id
    at = page_as(teacher, "attendance").run()

    at.button(key="attendance:confirm").click().run()

    assert at.selectbox(key="address:day").value == first
    assert any("Confirmed by" in one.value for one in at.caption)


def test_a_day_that_nobody_with_a_sign_in_confirmed_names_nobody(teacher):
    with writing() as session:
        session.exec(select(CourseRecord)).one().taken_at = datetime(2025, 3, 3, 9, 30, tzinfo=UTC)

    at = page_as(teacher, "attendance").run()

    assert [one.value for one in at.caption if one.value.startswith("Confirmed")] == ["Confirmed 2025-03-03 17:30."]


def test_names_that_were_applied_are_gone_from_the_box_and_so_are_their_minutes(teacher):
    at = page_as(teacher, "attendance").run()
    at.text_area(key="attendance:text:1").set_value("Zhang San")
    at.number_input(key="attendance:minutes").set_value(25)
    next(one for one in at.button if one.label == "Preview").click().run()

    at.button(key="attendance:apply").click().run()

    box = at.text_area(key="attendance:text:1")
    assert (box.value, box.proto.set_value) == ("", True)
    minutes = at.number_input(key="attendance:minutes")
    assert (minutes.value, minutes.proto.set_value) == (None, True)
