"""The gate: what a page shows to whom, run by run."""

from datetime import UTC, datetime

import bcrypt
import pytest
from sqlmodel import select

from crm.domain.accounts import Account, SignIn
from crm.domain.records import AuditEntry
from crm.services.access import accounts
from crm.services.access.passwords import OF_THE_DEMO, hashed
from crm.services.access.permissions import SYSTEM
from crm.settings import ROOT
from crm.store.session import reading, writing
from tests.app.people import PASSWORD, a_person, page_as, signed_out_at

PAGES = sorted(f"pages/{file.name}" for file in (ROOT / "pages").glob("*.py"))
WRONG = "The name or the password is wrong."


@pytest.fixture(autouse=True)
def _sqlite(sqlite_url):
    """The gate is the same on both engines; services are tested on both."""


@pytest.fixture
def li():
    with writing() as session:
        return a_person(session, "consultant", "li", display_name="Li Na")


def sign_in_as(at, name, password):
    at.text_input[0].input(name)
    at.text_input[1].input(password)
    return at.button[0].click().run()


def shows_only_the_form(at):
    return (
        not at.exception
        and [one.label for one in at.text_input] == ["User name", "Password"]
        and [one.label for one in at.button] == ["Sign in"]
        and [one.value for one in at.header] == ["Thanos Training School"]
        and not at.title
        and not at.dataframe
        and not at.sidebar.children
    )


@pytest.mark.parametrize("page", ["app.py", *PAGES])
def test_a_visitor_sees_the_form_and_nothing_else(page):
    at = signed_out_at(page).run()

    assert shows_only_the_form(at)


@pytest.mark.parametrize("page", PAGES)
def test_somebody_without_any_role_sees_no_page_but_their_own_account(page, li):
    with writing() as session:
        accounts.set_roles(session, SYSTEM, "li", [], datetime.now(UTC))

    at = page_as(li, page.removeprefix("pages/").removesuffix(".py").replace("_", "-")).run()

    assert not at.exception
    if page != "pages/account.py":
        assert [one.value for one in at.warning] == [
            "You may not open this page. If your work needs it, ask an administrator to give you a role that may."
        ]
        assert not at.dataframe
        assert len(at.title) == 1


def test_the_right_password_opens_the_app(li):
    at = sign_in_as(signed_out_at("app.py").run(), " LI ", PASSWORD)

    assert not at.exception
    assert not at.text_input
    assert "Sign out" in [one.label for one in at.sidebar.button]


@pytest.mark.parametrize(
    ("name", "password"),
    [("li", "wrong"), ("nobody", PASSWORD), ("li", "x" * 100), ("nobody", "x" * 100), ("", ""), ("li", "")],
)
def test_every_wrong_sign_in_reads_the_same(li, name, password):
    at = sign_in_as(signed_out_at("app.py").run(), name, password)

    assert [one.value for one in at.error] == [WRONG]
    assert not at.title


@pytest.mark.usefixtures("real_rounds")
@pytest.mark.parametrize("name", ["li", "nobody"])
def test_a_wrong_sign_in_costs_one_comparison_whether_the_name_exists_or_not(li, name, monkeypatch):
    compared = []
    compare = bcrypt.checkpw
    monkeypatch.setattr(bcrypt, "checkpw", lambda *given: compared.append(given) or compare(*given))

    sign_in_as(signed_out_at("app.py").run(), name, "wrong")

    assert len(compared) == 1
    assert compared[0][1].startswith(b"$2b$12$")


def test_after_five_wrong_tries_the_form_asks_to_wait(li):
    at = signed_out_at("app.py").run()
    for _ in range(5):
        at = sign_in_as(at, "li", "wrong")

    at = sign_in_as(at, "li", PASSWORD)

    assert at.error[0].value.startswith("Too many attempts.")
    assert not at.title


def test_a_disabled_account_reads_as_a_wrong_password(li):
    with writing() as session:
        session.exec(select(Account).where(Account.name == "li")).one().active = False

    at = sign_in_as(signed_out_at("app.py").run(), "li", PASSWORD)

    assert [one.value for one in at.error] == [WRONG]


def test_a_session_that_was_ended_loses_the_page_at_the_next_run(li):
    at = page_as(li, "account").run()
    assert at.title[0].value == "My account"
    with writing() as session:
        session.exec(select(SignIn)).one().ended_at = datetime.now(UTC)

    at.run()

    assert shows_only_the_form(at)


def test_what_a_session_kept_of_one_person_is_gone_when_they_are(li):
    at = page_as(li, "account").run()
    at.session_state["note"] = "a customer's phone number"
    with writing() as session:
        accounts.disable(session, SYSTEM, "li", datetime.now(UTC))

    at.run()

    assert "note" not in at.session_state


def test_a_page_that_a_role_does_not_open_says_so_and_it_is_noted(li):
    at = page_as(li, "staff").run()
    at.run()

    assert at.warning[0].value.startswith("You may not open this page.")
    assert not at.dataframe
    with reading() as session:
        noted = session.exec(select(AuditEntry).where(AuditEntry.action == "refused")).all()
    assert [(one.account_id, one.subject) for one in noted] == [(li.id, "staff.view")]


def test_a_role_taken_away_closes_the_page_at_the_next_run(li):
    at = page_as(li, "home").run()
    assert not at.warning
    with writing() as session:
        accounts.set_roles(session, SYSTEM, "li", [], datetime.now(UTC))

    at.run()

    assert at.warning


def test_a_password_that_was_handed_over_has_to_be_changed_first():
    with writing() as session:
        li = a_person(session, "consultant", "li", must_change_password=True)
    at = page_as(li, "home").run()
    assert [one.value for one in at.title] == ["Choose a password of your own"]
    assert not at.sidebar.children

    for field, value in zip(at.text_input, [PASSWORD, "another good one", "another good one"], strict=True):
        field.input(value)
    at.button[0].click().run()

    assert not at.exception
    assert at.title[0].value != "Choose a password of your own"


@pytest.mark.parametrize("password", [OF_THE_DEMO, PASSWORD])
def test_a_demo_school_asks_nobody_to_change_its_own_password_but_every_other_one(monkeypatch, password):
    from crm.settings import settings

    monkeypatch.setenv("THANOS_DEMO", "1")
    settings.cache_clear()
    with writing() as session:
        li = a_person(session, "consultant", "li", must_change_password=True, password_hash=hashed(password))

    at = page_as(li, "home").run()

    assert (at.title[0].value == "Choose a password of your own") is (password != OF_THE_DEMO)


def test_everybody_reads_in_their_own_language(li):
    with writing() as session:
        accounts_li = session.exec(select(Account).where(Account.name == "li")).one()
        accounts_li.locale = "zh"

    at = page_as(li, "account").run()

    from crm.i18n import _, read_in

    with read_in("zh"):
        assert at.title[0].value == _("My account")


def test_a_language_chosen_at_the_sign_in_is_remembered_for_the_person(li):
    with writing() as session:
        session.exec(select(Account).where(Account.name == "li")).one().locale = None
    at = signed_out_at("app.py").run()

    at = at.segmented_control[0].set_value("zh").run()
    assert [one.label for one in at.text_input] == ["用户名", "密码"]
    at = sign_in_as(at, "li", PASSWORD)

    assert "退出登录" in [one.label for one in at.sidebar.button]
    with reading() as session:
        assert session.exec(select(Account.locale).where(Account.name == "li")).one() == "zh"


def test_a_wrong_password_changes_nobodys_language(li):
    at = signed_out_at("app.py").run()

    at = sign_in_as(at.segmented_control[0].set_value("zh").run(), "li", "wrong")

    with reading() as session:
        assert session.exec(select(Account.locale).where(Account.name == "li")).one() == "en"


def test_a_wrong_try_at_the_current_password_is_counted(li):
    at = page_as(li, "account").run()
    for _ in range(6):
        for field, value in zip(at.text_input, ["wrong", "another good one", "another good one"], strict=True):
            field.input(value)
        at = next(one for one in at.button if one.label == "Change password").click().run()

    assert at.error[0].value.startswith("Too many attempts.")
