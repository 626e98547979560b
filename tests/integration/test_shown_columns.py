"""Which columns somebody shows and hides: for that person and table, on any machine."""

from dataclasses import replace

import pytest
from sqlmodel import Session

from crm.errors import Invalid, NotAllowed
from crm.rbac import Actor, Reach
from crm.services import shown_columns
from tests.builders import an_account

NEEDS = "customers.view"


@pytest.fixture
def ann(session: Session) -> Actor:
    return Actor(account_id=an_account(session, "ann").id, name="ann", grants={NEEDS: Reach.OWN})


def test_the_last_choice_counts_for_that_person_and_table(session: Session, ann: Actor) -> None:
    ben = replace(ann, account_id=an_account(session, "ben").id)

    shown_columns.keep(session, ann, "customers", NEEDS, {"note": False})
    shown_columns.keep(session, ann, "customers", NEEDS, {"note": True, "gender": False})

    assert shown_columns.of_table(session, ann, "customers", NEEDS) == {"note": True, "gender": False}
    assert shown_columns.of_table(session, ann, "pool", NEEDS) == {}
    assert shown_columns.of_table(session, ben, "customers", NEEDS) == {}


def test_only_who_may_open_the_table_chooses_and_only_as_oneself(session: Session, ann: Actor) -> None:
    for actor in (replace(ann, grants={}), replace(ann, seeing_as="consultant")):
        with pytest.raises(NotAllowed):
            shown_columns.keep(session, actor, "customers", NEEDS, {"note": False})
    with pytest.raises(Invalid):
        shown_columns.keep(session, ann, "customers", NEEDS, {"x" * 2000: False})
    assert shown_columns.of_table(session, ann, "customers", NEEDS) == {}
