"""Two who change rights at the same moment: nobody gets more than was looked at, and somebody can always administer."""

import pytest
from sqlmodel import select

from crm.domain.accounts import Account
from crm.errors import Invalid, NotAllowed, NotFound, Refused
from crm.rbac import Actor, Reach
from crm.rbac import store as rbac
from crm.services.access import accounts, roles
from crm.services.access.permissions import POWERS, SYSTEM, install_roles
from crm.store.session import reading, writing
from tests.at_once import meanwhile
from tests.builders import NOON, an_account

HELPS = {"people.view": Reach.ALL, "people.manage": Reach.ALL}


@pytest.fixture
def chief(engine):
    """The id of a role with every power, at version 1, which nobody has; an administrator, and somebody else."""
    with writing(engine) as session:
        install_roles(session)
        rbac.give_role(session, an_account(session, "boss").id, [1])
        an_account(session, "joe")
        return roles.create(session, SYSTEM, "Chief", NOON, copy_of=1)


def give(name, *wanted, by=SYSTEM):
    return lambda session: accounts.set_roles(session, by, name, wanted, NOON)


def change(role_id, **wanted):
    named = {name.replace("_", "."): reach for name, reach in wanted.items()}
    return lambda session: roles.save(session, SYSTEM, role_id, 1, named, NOON)


@pytest.mark.parametrize("moves_first", [True, False])
def test_the_last_administrator_is_not_moved_to_a_role_that_loses_the_powers(engine, chief, moves_first):
    move, empty = give("boss", "chief"), change(chief, people_manage=None, permissions_edit=None)

    _done, told = meanwhile(engine, *((move, empty) if moves_first else (empty, move)))

    assert isinstance(told, Refused)
    with reading(engine) as session:
        boss = session.exec(select(Account).where(Account.name == "boss")).one()
        grants = rbac.granted_to(session, boss.id).grants
        assert all(grants.get(power) is Reach.ALL for power in POWERS)


@pytest.mark.parametrize(("deletes_first", "error"), [(True, NotFound), (False, Refused)])
def test_a_role_that_is_given_while_it_is_deleted_is_one_or_the_other(engine, chief, deletes_first, error):
    given = give("joe", "chief")

    def gone(session):
        roles.delete(session, SYSTEM, chief, 1, NOON)

    _done, told = meanwhile(engine, *((gone, given) if deletes_first else (given, gone)))

    assert isinstance(told, error)


def test_nobody_gives_themselves_a_role_that_grows_beyond_them_meanwhile(engine, chief):
    with writing(engine) as session:
        small, helper = (roles.create(session, SYSTEM, title, NOON) for title in ("Small", "Helper"))
        rbac.grant(session, helper, HELPS)
        account = session.exec(select(Account).where(Account.name == "joe")).one()
        rbac.give_role(session, account.id, [helper])
    joe = Actor(account.id, "joe", HELPS)

    _done, told = meanwhile(engine, change(small, payments_decide=Reach.ALL), give("joe", "helper", "small", by=joe))

    assert isinstance(told, NotAllowed)
    with reading(engine) as session:
        assert rbac.granted_to(session, account.id).grants == HELPS


def test_of_two_who_make_the_same_role_or_sign_in_the_second_is_told(engine, chief):
    def role(session):
        return roles.create(session, SYSTEM, "Helper", NOON)

    def sign_in(session):
        return accounts.create(session, SYSTEM, "helper", "student", None, "", None, NOON)

    told = [meanwhile(engine, make, make)[1] for make in (role, sign_in)]

    assert [isinstance(one, Invalid) and set(one.fields) for one in told] == [{"title"}, {"name"}]


def test_two_roles_are_not_called_alike_at_once(engine, chief):
    def rename(role_id):
        return lambda session: roles.rename(session, SYSTEM, role_id, 1, "Head of it all", NOON)

    _done, told = meanwhile(engine, rename(chief), rename(2))

    assert isinstance(told, Invalid)


def test_a_role_that_somebody_calls_administrator_is_given_nothing_by_an_upgrade(engine, chief):
    with writing(engine) as session:
        give("boss", "chief")(session)
        roles.delete(session, SYSTEM, 1, 1, NOON)
        made = roles.create(session, SYSTEM, "Administrator", NOON)

        roles.install(session, NOON)

        assert rbac.grants_of_role(session, made) == {}
