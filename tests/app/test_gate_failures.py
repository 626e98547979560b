"""What a person sees when something goes wrong, and what the log keeps: never a traceback, never a customer."""

import logging
import re
import subprocess
import sys

from sqlmodel import select
from streamlit.testing.v1 import AppTest

from crm.domain.records import AuditEntry
from crm.errors import NotAllowed
from crm.i18n import says
from crm.settings import ROOT
from crm.store.session import reading, writing
from crm.ui.failures import described
from crm.ui.session import TOKEN
from tests.app.people import a_person, token_of
from tests.app.served import served

PHONE = "13800138000"


def a_page_that_fails():
    from crm.ui.failures import on_error

    try:
        try:
            raise KeyError("13800138000")
        except KeyError as error:
            raise ValueError("no such phone: 13800138000") from error
    except ValueError as error:
        on_error(error)


def a_page_that_is_refused():
    from crm.errors import Conflict
    from crm.i18n import says
    from crm.ui.failures import on_error

    on_error(Conflict(says("Somebody else changed it.")))


def test_an_unexpected_error_shows_one_sentence_with_a_number(caplog):
    with caplog.at_level(logging.ERROR, "crm.ui"):
        at = AppTest.from_function(a_page_that_fails).run()

    number = re.fullmatch(r"Something went wrong\. Tell an administrator this number: (\w{8})", at.error[0].value)
    assert number
    assert number[1] in caplog.text
    assert "ValueError" in caplog.text
    assert "KeyError" in caplog.text
    assert "a_page_that_fails" in caplog.text
    assert PHONE not in caplog.text


def test_an_error_meant_for_people_is_shown_as_its_message():
    at = AppTest.from_function(a_page_that_is_refused).run()

    assert [one.value for one in at.error] == ["Somebody else changed it."]


def test_an_error_that_causes_itself_is_described_once():
    error = ValueError("a")
    error.__cause__ = KeyError("b")
    error.__cause__.__context__ = error

    assert described(error).count("ValueError") == 1


def test_what_a_service_refuses_in_a_callback_is_recorded(sqlite_url):
    with writing() as session:
        li = a_person(session, "consultant", "li")

    def refuse():
        from crm.ui.session import writing_as_somebody

        with writing_as_somebody():
            raise NotAllowed(says("You are not allowed to do this."), "customers.delete")

    at = AppTest.from_string(
        "import streamlit as st\n"
        "from crm.errors import NotAllowed\n"
        "try:\n    st.session_state['refuse']()\n"
        "except NotAllowed:\n    st.write('refused')\n"
    )
    at.session_state["refuse"] = refuse
    at.session_state[TOKEN] = token_of(li)
    at.run()

    assert at.markdown[0].value == "refused"
    with reading() as session:
        noted = session.exec(select(AuditEntry)).all()
    assert [(one.account_id, one.action, one.subject) for one in noted] == [(li.id, "refused", "customers.delete")]


def test_a_database_that_is_not_there_is_said_in_a_sentence(tmp_path):
    with served(THANOS_VAR=str(tmp_path / "empty")) as here:
        sent = here.visit("customers", cookie="thanos=anything")

    assert "Back in a moment" in sent
    assert "Traceback" not in sent
    assert "sqlite" not in sent


def test_a_wrong_setting_stops_the_server_with_one_line(tmp_path):
    settings = tmp_path / "settings.toml"
    settings.write_text("[sign_in]\nsesion_hours = 3\n", "utf-8")

    ended = subprocess.run(
        [sys.executable, "-m", "crm.ui.web"],
        cwd=ROOT,
        env={"PATH": "", "THANOS_SETTINGS": str(settings)},
        capture_output=True,
        text=True,
        timeout=60,
    )

    assert ended.returncode == 1
    assert ended.stderr.strip().count("\n") == 0
    assert "Did you mean sign_in.session_hours?" in ended.stderr
