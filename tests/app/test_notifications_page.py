"""The page of notices: which are new, and each of them in full with the way to what it speaks of."""

from datetime import UTC, datetime

import pytest
from sqlmodel import select

from crm.domain.records import Notification
from crm.i18n import says
from crm.services.notices import notices
from crm.store.session import reading, writing
from tests.app.people import a_person, page_as

NOW = datetime.now(UTC)


@pytest.fixture
def li(sqlite_url):
    """A consultant with one notice."""
    with writing() as session:
        li = a_person(session, "consultant", "li")
        notices.tell(session, [li.id or 0], says("3 new customers"), says("Shared out to you."), "/my-customers", NOW)
    return li


def opened(person, notice_id):
    at = page_as(person, "notifications")
    at.query_params["open"] = str(notice_id)
    at.run()
    assert not at.exception, at.exception
    return at


def test_a_new_notice_is_marked_until_it_was_opened(li):
    frame = page_as(li, "notifications").run().dataframe[0].value
    assert list(frame["unread"]) == ["●"]

    at = opened(li, 1)

    assert [one.value for one in at.header] == ["3 new customers"]
    assert "Shared out to you." in [one.value for one in at.markdown]
    assert list(page_as(li, "notifications").run().dataframe[0].value["unread"]) == [""]


def test_nobody_opens_the_notice_of_somebody_else(li):
    with writing() as session:
        wang = a_person(session, "consultant", "wang")

    at = opened(wang, 1)

    assert [one.value for one in at.error] == ["There is no such record, or you may not see it."]
    with reading() as session:
        assert session.exec(select(Notification.read_at)).one() is None
