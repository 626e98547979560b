"""What strangers and colleagues typed is drawn as they typed it: no link, no picture, no colour."""

import json
from datetime import UTC, datetime

import pytest
from streamlit.testing.v1 import AppTest

from crm.domain.customers import CustomerState
from crm.domain.staff import Department
from crm.domain.teaching import ScoreState
from crm.i18n import says
from crm.services.access import roles
from crm.services.access.permissions import SYSTEM
from crm.store.engine import make_engine
from crm.store.session import writing
from tests.app.people import a_person, page_as
from tests.builders import NOON, a_customer, an_account, an_employee
from tests.grid_example import connect, create
from tests.school_builders import a_class_group, a_course_record, a_student_in, a_study_record

LURE = "[You won](http://evil.example) ![](http://evil.example/seen)"
SHOWN = r"\[You won\](http://evil.example) \!\[\](http://evil.example/seen)"


@pytest.fixture
def lured(sqlite_url) -> int:
    """A customer in the pool, so named."""
    with writing() as session:
        customer = a_customer(
            session, LURE, state=CustomerState.PUBLIC, created_at=datetime(2025, 3, 3, tzinfo=UTC), major=LURE
        )
        assert customer.id is not None
        return customer.id


def test_a_customers_name_on_the_record(lured):
    page = page_as("sales_manager", "customers")
    page.query_params["open"] = str(lured)

    page.run()

    assert [one.value for one in page.header] == [SHOWN]
    assert LURE in [one.value for one in page.text]


def test_what_a_link_searches_for_and_filters_by(lured):
    page = page_as("sales_manager", "customers")
    page.query_params["q"] = "![](http://evil.example)"
    page.query_params["source"] = LURE

    page.run()

    drawn = [one.label for one in page.button] + [one.value for one in page.error]
    assert any("evil.example" in one for one in drawn)
    assert not any("](" in one.replace(r"\](", "") for one in drawn)


def test_who_somebody_is_and_where_they_work(sqlite_url):
    with writing() as session:
        account = an_account(session, display_name=LURE)
        session.add(Department(code=4711, name=LURE))
        session.flush()
        an_employee(session, LURE, account_id=account.id, department=4711)
        key = account.id
    page = page_as("administrator", "people")
    page.query_params["open"] = str(key)

    page.run()

    drawn = [one.value for one in [*page.caption, *page.header]]
    assert sum(SHOWN in one for one in drawn) >= 2
    assert not any(LURE in one for one in drawn)


def test_what_a_day_is_called(sqlite_url):
    with writing() as session:
        student = a_person(session, "student")
        group = a_class_group(session)
        row = a_study_record(
            session, a_course_record(session, group, title=LURE, initialised_at=NOON),
            a_student_in(session, group, account_id=student.id), score_state=ScoreState.GRADED, score=80,
        )  # fmt: skip
        assert row.id is not None
    grades, gradebook = page_as(student, "grades"), page_as("administrator", "gradebook")
    grades.session_state["grades:as-table"] = True
    gradebook.query_params["tab"] = "class"

    grades.run()
    gradebook.run()

    assert grades.table[0].value.iloc[0, 1] == SHOWN
    told = json.loads(gradebook.dataframe[0].proto.columns)
    assert SHOWN in [column.get("help") for column in told.values()]


def test_what_a_role_is_called(sqlite_url):
    page = page_as("administrator", "permissions")
    with writing() as session:
        roles.create(session, SYSTEM, LURE[:40], datetime.now(UTC))

    page.run()

    assert any(r"\[You won\]" in name for name in page.table[0].value.columns)


def test_why_a_row_was_not_made_on_the_spot(tmp_path):
    engine = make_engine(f"sqlite:///{tmp_path / 'books.db'}")
    create(engine)
    connect(engine)

    def script() -> None:
        from crm.grid.render import render_table
        from tests.grid_example import BOOKS, LIBRARIAN

        render_table(BOOKS, LIBRARIAN)

    page = AppTest.from_function(script, default_timeout=30)
    page.session_state["books:add:creating"] = "author_ids"
    page.session_state["books:add:new-error"] = says("{name} is no author.", name=LURE)
    page.query_params["add"] = ""
    page.run()

    assert f":red[:material/error: {SHOWN} is no author.]" in [one.value for one in page.markdown]
    engine.dispose()
