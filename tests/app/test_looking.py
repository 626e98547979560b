"""Whatever is looked at, by whatever address, nothing is written: what a page does, a button does."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlmodel import SQLModel, select

from crm.domain.payments import PaymentKind
from crm.services.access.permissions import PAGES
from crm.services.classes.study_records import initialise
from crm.store.session import reading, writing
from tests.app.people import a_person, page_as
from tests.builders import a_consultant, a_private_customer, a_public_customer, an_employee, school_day
from tests.school_builders import a_class_group, a_course_record, a_deleted_day, a_deposit, a_student_in
from tests.teaching import an_apology

NOW = datetime.now(UTC)
TODAY = school_day(NOW)


@pytest.fixture
def administrator(sqlite_url):
    """Somebody who may do everything, holds customers and teaches, in a school where everything waits to be done."""
    with writing() as session:
        account = a_person(session, "administrator")
        me = a_consultant(session, account_id=account.id)
        a_private_customer(session, me, since=NOW - timedelta(days=9))
        a_public_customer(session, an_employee(session))
        group = a_class_group(session, me, teacher=me, starts_on=TODAY)
        student = a_student_in(session, group, "Zhang San", consultant=me)
        a_deposit(session, a_private_customer(session, me, since=NOW), group, kind=PaymentKind.TUITION)
        day = a_course_record(session, group, TODAY, homework_title="Loops", homework_due_on=TODAY)
        initialise(session, [day.id], NOW)
        a_course_record(session, group, TODAY + timedelta(days=1))
        a_deleted_day(session, group, NOW)
        an_apology(session, student, group, TODAY)
    return account


def everything():
    """Every row of every table."""
    with reading() as session:
        return {
            name: session.execute(select(*table.c).order_by(*table.primary_key.columns)).all()
            for name, table in SQLModel.metadata.tables.items()
        }


@pytest.mark.parametrize("asked", ["open", "delete"])
@pytest.mark.parametrize("page", [name for name in PAGES.pages if name != "gallery"])
def test_looking_changes_nothing(administrator, page, asked):
    at = page_as(administrator, page)
    at.query_params[asked] = "1"
    before = everything()

    at.run()

    assert not at.exception, at.exception
    after = everything()
    # What somebody was denied is kept; nothing else is.
    assert after.pop("audit_entry")[: len(before["audit_entry"])] == before.pop("audit_entry")
    assert {name for name, rows in after.items() if rows != before[name]} == set()
