"""What several tests of services stand on."""

import pytest
from sqlmodel import Session

from tests.school import two_people


@pytest.fixture
def school(session: Session) -> Session:
    """An administrator `admin` and a consultant `li`."""
    return two_people(session)
