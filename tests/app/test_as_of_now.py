"""A button that was drawn for somebody does nothing once they lost the right to it, or were signed out."""

import pytest
from sqlmodel import select

from crm.domain.accounts import Account
from crm.domain.records import AuditEntry
from crm.domain.teaching import Apology
from crm.rbac import store as rbac
from crm.services.classes.study_records import initialise
from crm.store.session import reading, writing
from tests.app.people import a_person, page_as
from tests.builders import an_employee, school_day
from tests.granted import NOW
from tests.school_builders import a_class_group, a_course_record, a_student
from tests.teaching import an_apology, in_class

TODAY = school_day(NOW)


@pytest.fixture
def school(sqlite_url):
    """A class teacher and a student who apologised; a day that is initialised for all but one. Its id."""
    with writing() as session:
        teacher = an_employee(session, account_id=a_person(session, "class_teacher", "teacher").id)
        group = a_class_group(session, teacher=teacher, starts_on=TODAY)
        student = a_student(session, "Zhang San", account_id=a_person(session, "student", "zhang").id)
        in_class(session, student, group)
        day = a_course_record(session, group, TODAY)
        initialise(session, [day.id], NOW)
        in_class(session, a_student(session, "Li Si"), group)
        an_apology(session, student, group, TODAY)
    return day.id


def written() -> list[str]:
    """What the audit log has of what was done: each thing that a person does here leaves a line there."""
    with reading() as session:
        return [one.action for one in session.exec(select(AuditEntry)) if one.action not in ("refused", "sign-in")]


def who(name: str) -> Account:
    with reading() as session:
        return session.exec(select(Account).where(Account.name == name)).one()


def disable(name: str) -> None:
    with writing() as session:
        session.exec(select(Account).where(Account.name == name)).one().active = False


def complete(day: int) -> None:
    with writing() as session:
        initialise(session, [day], NOW)


def pressed(at, key: str):
    return next(one for one in at.button if (one.key or "").startswith(key)).click()


@pytest.mark.parametrize("key", ["attendance:initialise", "attendance:confirm"])
def test_a_class_teacher_who_was_disabled_writes_nothing_by_a_button_that_is_still_there(school, key):
    at = page_as(who("teacher"), "attendance")
    at.query_params["day"] = str(school)
    at.run()
    if key == "attendance:confirm":
        complete(school)
        at.run()
    disable("teacher")
    before = written()

    pressed(at, key).run()

    assert not at.exception
    assert written() == before
    assert "Sign in" in [one.label for one in at.button]


def test_who_lost_the_role_since_the_drawing_is_refused_and_the_try_is_kept(school):
    complete(school)
    at = page_as(who("teacher"), "attendance")
    at.query_params["day"] = str(school)
    at.run()
    with writing() as session:
        rbac.change_grants(session, rbac.role_named(session, "class_teacher").id, {"attendance.take": None})
    before = written()

    pressed(at, "attendance:confirm").run()

    assert written() == before
    with reading() as session:
        refused = session.exec(select(AuditEntry).where(AuditEntry.action == "refused")).all()
    assert [one.subject for one in refused] == ["attendance.take"]


def test_a_student_who_was_disabled_takes_no_apology_back(school):
    at = page_as(who("zhang"), "grades").run()
    disable("zhang")

    pressed(at, "apologies:back").run()

    with reading() as session:
        assert [one.state for one in session.exec(select(Apology))] == ["asked"]
