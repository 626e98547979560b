"""The people who sign in, on the screen."""

import pytest

from crm.store.session import writing
from tests.app.people import a_person, page_as


@pytest.fixture(autouse=True)
def _sqlite(sqlite_url):
    """The page is the same on both engines."""


def test_an_administrator_sees_who_signs_in_with_which_roles_and_sessions():
    with writing() as session:
        boss = a_person(session, "administrator", "boss", display_name="Boss")
        a_person(session, "consultant", "li", display_name="Li Na", active=False)

    at = page_as(boss, "people").run()

    assert not at.exception
    frame = at.dataframe[0].value.set_index("name")
    assert dict(frame["roles"]) == {"boss": "Administrator", "li": "Consultant"}
    assert dict(frame["active"]) == {"boss": True, "li": False}
    assert frame["sessions"].fillna(0).to_dict() == {"boss": 1, "li": 0}
    assert {name for name, when in frame["last_sign_in"].items() if str(when) not in ("", "NaT", "None")} == {"boss"}
    assert not [name for name in frame.columns if "password" in name]


def test_nobody_else_opens_the_list_of_people():
    at = page_as("sales_manager", "people").run()

    assert at.warning[0].value.startswith("You may not open this page.")
    assert not at.dataframe
