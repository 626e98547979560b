"""People for tests of pages: made in the database, and signed in as the form would leave them.

at = page_as("consultant", "pool").run()            # the whole app, at that page
at = signed_out_at("pages/pool.py").run()           # that script alone, as a visitor
"""

import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlmodel import Session, select
from streamlit.runtime.scriptrunner import script_runner
from streamlit.testing.v1 import AppTest
from streamlit.util import calc_hash

from crm.domain.accounts import Account
from crm.domain.staff import Employee
from crm.rbac import store as rbac
from crm.services.access import sign_in
from crm.services.access.passwords import hashed
from crm.services.access.permissions import install_roles
from crm.settings import ROOT
from crm.store.session import writing
from crm.ui.session import TOKEN
from tests.builders import an_account

PASSWORD = "correct horse battery"
PATIENCE = 30


def a_person(session: Session, role: str, name: str | None = None, **values: Any) -> Account:
    """A sign-in with one of the default roles and the password PASSWORD."""
    install_roles(session)
    account = an_account(session, name, **{"password_hash": hashed(PASSWORD), "locale": "en", **values})
    found = rbac.role_named(session, role)
    assert found is not None and found.id is not None and account.id is not None
    rbac.give_role(session, account.id, [found.id])
    return account


def page_as(who: str | Account | Employee, page: str = "home") -> AppTest:
    """The app at that page (its address), not yet run, for a role (somebody new), an account, or staff."""
    at = signed_out_at("app.py")
    at.session_state[TOKEN] = token_of(who)
    at._page_hash = calc_hash(page)
    return at


def signed_out_at(script: str) -> AppTest:
    """A script of the app for a visitor, not yet run."""
    return AppTest.from_file(str(ROOT / script), default_timeout=PATIENCE)


def token_of(who: str | Account | Employee) -> str:
    """A session of that person, as the browser's cookie would name it."""
    now = datetime.now(UTC)
    with writing() as session:
        if isinstance(who, str):
            name = a_person(session, who).name
        elif isinstance(who, Employee):
            name = session.exec(select(Account).where(Account.id == who.account_id)).one().name
        else:
            name = who.name
        tried = sign_in.attempt(session, name, "test", now)
        ticket = sign_in.admit(session, tried, True, "test", now)
        assert ticket is not None
        token = sign_in.redeem(session, ticket, now)
        assert token is not None
        return token


def _as_served(main_script: str) -> None:
    """Runs app.py on every page, as our server does. AppTest would take `pages/` for the navigation."""
    code = compile(Path(main_script).read_text("utf-8"), main_script, "exec")
    exec(code, sys.modules["__main__"].__dict__)


script_runner._mpa_v1 = _as_served
