"""Somebody can always administer: whatever two administrators do to each other at the same moment."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlmodel import select

from crm.domain.accounts import Account
from crm.errors import ThanosError
from crm.rbac import Reach
from crm.rbac import store as rbac
from crm.rbac.tables import Role
from crm.services.access import accounts, roles
from crm.services.access.permissions import POWERS, SYSTEM, install_roles
from crm.services.staff import leaving
from crm.services.staff.leaving import HandOut
from crm.store.session import reading, writing
from tests.builders import NOON, an_account

ONE, TWO = "one", "two"


@pytest.fixture
def two(engine):
    """Two administrators, each by a role of their own, and nobody else."""
    with writing() as session:
        install_roles(session)
        for name in (ONE, TWO):
            account = an_account(session, name)
            key = roles.create(session, SYSTEM, f"Chief {name}", NOON, copy_of=1)
            rbac.give_role(session, account.id, [key])


def demote(session, name):
    accounts.set_roles(session, SYSTEM, name, ["finance"], NOON)


def disable(session, name):
    accounts.disable(session, SYSTEM, name, NOON)


def disable_and_hand_out(session, name):
    leaving.disable(session, SYSTEM, name, HandOut(), NOON)


def edit_the_role(session, name):
    role = session.exec(select(Role).where(Role.name == f"chief_{name}")).one()
    roles.save(session, SYSTEM, role.id, role.version, {"people.manage": Reach.OWN, "permissions.edit": None}, NOON)


WAYS = (demote, disable, disable_and_hand_out, edit_the_role)


@pytest.mark.parametrize("first", WAYS)
@pytest.mark.parametrize("second", WAYS)
def test_of_two_at_once_one_stays_whichever_way_they_go(two, first, second):
    def tried(way, name):
        try:
            with writing() as session:
                way(session, name)
        except ThanosError:
            return False
        return True

    with ThreadPoolExecutor(2) as threads:
        done = [threads.submit(tried, first, ONE), threads.submit(tried, second, TWO)]
        gone = [one.result() for one in done]

    assert sum(gone) == 1
    with reading() as session:
        able = [
            account.name
            for account in session.exec(select(Account).where(Account.active))
            if all(rbac.granted_to(session, account.id).grants.get(power) is Reach.ALL for power in POWERS)
        ]
    assert able == [TWO if gone[0] else ONE]


def test_a_role_that_makes_the_last_administrator_is_not_deleted(two):
    with writing() as session:
        disable(session, TWO)
    with reading() as session:
        role = session.exec(select(Role).where(Role.name == "chief_one")).one()

    with pytest.raises(ThanosError), writing() as session:
        roles.delete(session, SYSTEM, role.id, role.version, NOON)
