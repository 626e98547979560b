"""A school of two people in the database, an administrator and a consultant, and what they may do at this moment."""

from functools import cache

from sqlmodel import Session, select

from crm.domain.accounts import Account
from crm.domain.staff import Employee
from crm.rbac import Actor
from crm.rbac import store as rbac
from crm.services.access import sign_in
from crm.services.access.passwords import hashed
from crm.services.access.permissions import install_roles
from tests.builders import NOON, an_account

PASSWORD = "correct horse battery"


def two_people(session: Session) -> Session:
    """An administrator `admin` and a consultant `li`, who is Li Na and reads Chinese."""
    install_roles(session)
    for name, role, display_name, locale in (
        ("admin", "administrator", "admin", None),
        ("li", "consultant", "Li Na", "zh"),
    ):
        made = an_account(
            session,
            name,
            display_name=display_name,
            locale=locale,
            password_hash=_hash(),
            must_change_password=True,
        )
        found = rbac.role_named(session, role)
        assert found is not None and found.id is not None and made.id is not None
        rbac.give_role(session, made.id, [found.id])
    return session


@cache
def _hash() -> str:
    """One for all: bcrypt is slow by intent."""
    return hashed(PASSWORD)


def account(session: Session, name: str) -> Account:
    """The sign-in of that name."""
    return session.exec(select(Account).where(Account.name == name)).one()


def actor(session: Session, name: str) -> Actor:
    """The person of that sign-in, by the roles and the staff of this moment."""
    found = account(session, name)
    assert found.id is not None
    granted = rbac.granted_to(session, found.id)
    works = session.exec(select(Employee).where(Employee.account_id == found.id)).one_or_none()
    return Actor(
        found.id,
        found.display_name,
        granted.grants,
        granted.roles,
        owner_id=works.id if works else None,
        department=works.department_code if works else None,
        address="10.0.0.7",
    )


def token(session: Session, name: str) -> str:
    """A new session of that sign-in, as the browser's cookie would name it."""
    attempt = sign_in.attempt(session, name, "", NOON)
    ticket = sign_in.admit(session, attempt, True, "", NOON)
    assert ticket is not None
    made = sign_in.redeem(session, ticket, NOON)
    assert made is not None
    return made
