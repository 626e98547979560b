"""Journeys: of a customer, from a sheet to the pool and to another consultant, and of a homework, both ways."""

import json
import re
import sqlite3
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from openpyxl import load_workbook
from playwright.sync_api import expect
from sqlmodel import select

from crm.domain.accounts import Account
from crm.domain.staff import Employee
from crm.domain.students import Student
from crm.store.engine import make_engine
from crm.store.session import writing
from tests.browser.conftest import Person, School
from tests.builders import school_day
from tests.school_builders import (
    a_class_group,
    a_course_record,
    a_student,
    a_student_in,
    a_study_record,
    an_enrolment,
)

pytestmark = [pytest.mark.browser, pytest.mark.slow]
NAMES = [f"旅程{number:02}" for number in range(24)]


def test_a_sheet_comes_in_is_shared_out_followed_up_lapses_and_is_claimed(
    somebody: Callable[..., Person], school: School, tmp_path: Path
) -> None:
    manager = somebody("manager", "/import")
    sheet = _filled(_template(manager, tmp_path), tmp_path)

    manager.page.locator("input[type=file]").set_input_files(sheet)
    manager.sees("Import 24 customers").sees("Wrong 1")
    manager.press("Import 24 customers").sees("Who got how many")
    report = _corrected(manager, tmp_path)
    manager.settled().sees("Who got how many")

    holders = _holders(school)
    first = next(iter(holders))
    account = holders[first][0]
    consultant = somebody(account, f"/my-customers?q={first}")
    consultant.settled()
    consultant.page.goto(f"{school.address}/my-customers?open={holders[first][1]}")
    consultant.settled().sees(first).sees("Shared out")
    consultant.page.locator("textarea").fill("Wants to visit on Saturday.")
    consultant.press("Record the follow-up").sees("Kept. The next follow-up is due by")
    consultant.sees("Wants to visit on Saturday.")

    _six_days_pass(school)
    school.cli("jobs", "run", "expire-customers")

    consultant.open("/notifications")
    expect(consultant.page.locator("td").filter(has_text="went to the public pool").first).to_be_attached()
    customer = holders[first][1]
    consultant.open(f"/pool?open={customer}").sees("There is no such")
    another = somebody(next(name for name, _id in holders.values() if name != account), f"/pool?open={customer}")
    another.sees(first).sees("No follow-up in time")
    another.press("Claim").sees("Claimed. You find the customer in My customers.")
    another.sees("Claimed from the pool").sees("Wants to visit on Saturday.")

    manager.open("/import")
    manager.page.locator("input[type=file]").set_input_files(report)
    manager.sees("Import 1 customers")
    assert json.loads(school.cli("crm", "doctor", "--json"))["broken"] == []


def test_a_customer_pays_is_confirmed_and_signs_in_as_a_student(
    somebody: Callable[..., Person], school: School
) -> None:
    with closing(sqlite3.connect(school.var / "thanos.db", timeout=20)) as database, database:
        # Whatever the day, the class that is chosen has room.
        database.execute("UPDATE class_group SET capacity = 1000")
        (customer,) = database.execute(
            "SELECT max(c.id) FROM customer c JOIN employee e ON e.id = c.consultant_id"
            " JOIN account a ON a.id = e.account_id WHERE a.name = 'lina'"
        ).fetchone()
    consultant = somebody("lina", f"/my-customers?open={customer}")
    consultant.press("Record a payment").settled()
    form = consultant.page.get_by_role("dialog")
    for label, choice in (("Kind", "Deposit"), ("Class", "2")):
        form.get_by_role("combobox", name=re.compile(label)).first.fill(choice)
        consultant.page.get_by_role("option", name=re.compile(choice)).first.click()
    form.get_by_role("spinbutton", name="Amount").fill("500.25")
    form.get_by_role("textbox", name="Receipt number").fill("journey 1")
    form.get_by_role("button", name="Record", exact=True).click()
    consultant.sees("A payment awaits confirmation.").sees("Deposit: 500.25 yuan")

    with closing(sqlite3.connect(school.var / "thanos.db")) as database:
        (payment,) = database.execute("SELECT id FROM payment WHERE receipt_number = 'JOURNEY1'").fetchone()
    finance = somebody("finance", f"/payments?open={payment}")
    finance.press("Confirm")
    finance.page.get_by_role("dialog").get_by_role("button", name="Confirm", exact=True).click()
    finance.sees("1 payment confirmed.").sees("Open the student")
    finance.page.get_by_role("link", name="Open the student").click()
    finance.sees("Hand out a one-time password")
    finance.press("Hand out a one-time password").press("Make the password")
    password = finance.page.get_by_role("dialog").locator("code").inner_text()

    with closing(sqlite3.connect(school.var / "thanos.db")) as database:
        query = "SELECT a.name FROM account a JOIN student s ON s.account_id = a.id WHERE s.customer_id = ?"
        (name,) = database.execute(query, (customer,)).fetchone()
    student = somebody().sign_in_once(name, password, "own words of a student")
    student.sees(_name_of(school, customer))
    assert json.loads(school.cli("crm", "doctor", "--json"))["broken"] == []


def _name_of(school: School, customer: int) -> str:
    with closing(sqlite3.connect(school.var / "thanos.db")) as database:
        (name,) = database.execute("SELECT name FROM customer WHERE id = ?", (customer,)).fetchone()
    return str(name)


def _template(manager: Person, folder: Path) -> Path:
    with manager.page.expect_download() as download:
        manager.press("Download the template")
    path = folder / "template.xlsx"
    download.value.save_as(path)
    return path


def _filled(template: Path, folder: Path) -> Path:
    book = load_workbook(template)
    sheet = book.worksheets[0]
    for number, name in enumerate(NAMES):
        sheet.cell(row=3 + number, column=1, value=name)
        sheet.cell(row=3 + number, column=3, value=13700000000 + number)
    sheet.cell(row=3 + len(NAMES), column=1, value="没有电话")
    sheet.cell(row=3 + len(NAMES), column=3, value="12")
    path = folder / "filled.xlsx"
    book.save(path)
    return path


def _corrected(manager: Person, folder: Path) -> Path:
    """The report of the wrong row, with the wrong cell put right."""
    with manager.page.expect_download() as download:
        manager.press("Download the wrong rows to correct them")
    path = folder / "wrong.xlsx"
    download.value.save_as(path)
    book = load_workbook(path)
    sheet = book.worksheets[0]
    wrong = next(cell for row in sheet.iter_rows() for cell in row if cell.value == "12")
    wrong.value = "13755555555"
    book.save(path)
    return path


def _six_days_pass(school: School) -> None:
    """For the customers of the sheet: all that happened to them was six days ago."""
    ours = "(SELECT id FROM customer WHERE name LIKE '旅程%')"
    with closing(sqlite3.connect(school.var / "thanos.db", timeout=20)) as database, database:
        for table, columns, key in (
            ("customer", ("created_at", "follow_up_due_at", "deal_due_at"), "id"),
            ("assignment", ("opened_at",), "customer_id"),
            ("follow_up", ("at",), "customer_id"),
        ):
            earlier = ", ".join(
                f"{each} = strftime('%Y-%m-%d %H:%M:%f', {each}, '-6 days') || '000'" for each in columns
            )
            database.execute(f"UPDATE {table} SET {earlier} WHERE {key} IN {ours}")


def _holders(school: School) -> dict[str, tuple[str, int]]:
    """Who got each customer of the sheet: name to (sign-in, number)."""
    with closing(sqlite3.connect(school.var / "thanos.db")) as database:
        rows = database.execute(
            "SELECT c.name, a.name, c.id FROM customer c JOIN employee e ON e.id = c.consultant_id"
            " JOIN account a ON a.id = e.account_id WHERE c.name LIKE '旅程%' ORDER BY c.id"
        ).fetchall()
    assert len(rows) == len(NAMES)
    return {name: (re.sub(r"\W", "", account), number) for name, account, number in rows}


def test_a_day_is_scored_and_its_student_hands_in_and_sees_the_line(
    somebody: Callable[..., Person], school: School, tmp_path: Path
) -> None:
    class_id, day_id = _a_class_to_score(school)
    teacher = somebody("lecturer", f"/gradebook?class={class_id}&day={day_id}")
    teacher.sees("Enter goes down")

    cells = teacher.page.locator('[data-testid="stDataFrameResizable"]').first
    expect(cells.locator("#glide-cell-1-2")).to_be_attached()
    cell = teacher.settled().page.locator("#portal textarea, #portal input")
    for row, typed in enumerate(("b+", "ninety", "72")):
        box = cells.bounding_box()
        assert box is not None
        teacher.page.mouse.dblclick(box["x"] + 200, box["y"] + 52 + 35 * row)
        cell.fill(typed)
        cell.press("Enter")
        expect(cell).to_have_count(0)
    # The editor gathers what is typed for a moment before it hands it to the form, and nothing on the page tells of it.
    teacher.page.wait_for_timeout(600)
    teacher.press("Save").sees("2 cells saved.").sees("1 cell is not saved.")

    with closing(sqlite3.connect(school.var / "thanos.db")) as database:
        stored = database.execute(
            "SELECT score FROM study_record WHERE course_record_id = ? ORDER BY id", (day_id,)
        ).fetchall()
    assert stored == [(85,), (None,), (72,)]

    student = somebody("student", f"/grades?class={class_id}")
    student.sees("Homework")
    student.page.locator("input[type=file]").set_input_files(
        {"name": "mine.pdf", "mimeType": "application/pdf", "buffer": b"%PDF-1.7 mine"}
    )
    student.press("Hand in").sees("Handed in 20")
    with student.page.expect_download() as download:
        student.page.get_by_role("link", name="mine.pdf").click()
    assert Path(download.value.path()).read_bytes() == b"%PDF-1.7 mine"


def _a_class_to_score(school: School) -> tuple[int, int]:
    """A class of the demo's lecturer with three students, the second of whom is the demo's, and a day with homework."""
    engine = make_engine(f"sqlite:///{school.var / 'thanos.db'}")
    today = school_day(datetime.now(UTC))
    with writing(engine) as session:
        staff = session.exec(select(Employee).join(Account).where(Account.name == "lecturer")).one()
        account = session.exec(select(Account.id).where(Account.name == "student")).one()
        group = a_class_group(session, staff, starts_on=today + timedelta(days=1))
        me = session.exec(select(Student).where(Student.account_id == account)).one_or_none()
        second = me or a_student(session, "评分02", account_id=account)
        students = [a_student_in(session, group, "0评分", sign_in=False, paid=False), second]
        students.append(a_student_in(session, group, "龥评分", sign_in=False, paid=False))
        an_enrolment(session, second, group, paid=False)
        day = a_course_record(
            session, group, initialised_at=datetime.now(UTC), homework_title="Exercise", homework_due_on=today
        )
        for each in students:
            a_study_record(session, day, each)
        made = group.id or 0, day.id or 0
    engine.dispose()
    return made
