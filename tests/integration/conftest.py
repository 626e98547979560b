"""What several tests of services stand on."""

import pytest
from sqlmodel import Session

from crm.domain.staff import Employee
from crm.rbac import Actor
from crm.services.access.permissions import install_roles
from tests.builders import a_consultant, an_actor, an_employee
from tests.school import two_people
from tests.teaching import Taught


@pytest.fixture
def school(session: Session) -> Session:
    """An administrator `admin` and a consultant `li`."""
    return two_people(session)


@pytest.fixture
def taught(session: Session) -> Taught:
    """A class with a day that is initialised, and who is in it."""
    return Taught(session)


@pytest.fixture
def finance(session: Session) -> Actor:
    """Who decides payments."""
    install_roles(session)
    return an_actor(role="finance", of=an_employee(session, "Qian"))


@pytest.fixture
def seller(session: Session) -> Employee:
    """A consultant."""
    return a_consultant(session, "Li Na")
