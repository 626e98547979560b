"""The audit log on the screen: who, what, before, after, when, from where; for those who may."""

from datetime import UTC, datetime, timedelta

import pytest

from crm.errors import Denial
from crm.rbac import Actor
from crm.services.access import accounts, audit
from crm.services.access.permissions import SYSTEM
from crm.store.session import writing
from crm.tables.audit import AUDIT
from tests.app.people import a_person, page_as

NOW = datetime.now(UTC)


@pytest.fixture(autouse=True)
def _sqlite(sqlite_url):
    """The page is the same on both engines; what it asks is tested on both."""


@pytest.fixture
def admin():
    with writing() as session:
        boss = a_person(session, "administrator", "boss", display_name="Boss")
        a_person(session, "consultant", "li", display_name="Li Na")
        by = Actor(boss.id, "Boss", SYSTEM.grants, address="10.0.0.7")
        accounts.set_roles(session, by, "li", ["finance"], NOW)
        audit.record_refusals(session, Actor(None, "nobody"), [Denial("staff.view")], NOW)
        return boss


def shown(at):
    assert not at.exception, at.exception
    return at.dataframe[0].value if at.dataframe else None


def test_the_log_shows_who_what_before_after_and_from_where(admin):
    frame = shown(page_as(admin, "audit").run())

    row = frame[frame["after"].str.contains("Roles")].iloc[0]
    assert (row["account_id"], row["action"], row["address"]) == ("Boss", "People: Manage sign-ins", "10.0.0.7")
    assert (row["before"], row["after"]) == ("Roles: consultant", "Roles: finance")
    assert row["concerning"].startswith("Sign-in ")


def test_it_is_narrowed_by_person_action_and_date(admin):
    for query, found in (
        ({"person": str(admin.id)}, ["People: Manage sign-ins"]),
        ({"action": "refused"}, ["Refused"]),
        ({"at": f"{NOW - timedelta(days=3):%Y-%m-%d}..{NOW - timedelta(days=2):%Y-%m-%d}"}, None),
    ):
        at = page_as(admin, "audit")
        for name, value in query.items():
            at.query_params[name] = value

        frame = shown(at.run())

        assert (None if frame is None else list(frame["action"])) == found


def test_nobody_else_opens_it(admin):
    at = page_as("sales_manager", "audit").run()

    assert at.warning[0].value.startswith("You may not open this page.")
    assert not at.dataframe


def test_nothing_on_the_page_can_be_edited():
    assert (AUDIT.save, AUDIT.add, AUDIT.edit, AUDIT.actions) == (None, None, None, ())
    assert not [column.name for column in AUDIT.columns if column.edit]
