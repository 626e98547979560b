"""Managing sign-ins: who may, what is refused, and that somebody can always manage them."""

import json
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlmodel import select

from crm.domain.accounts import Account
from crm.domain.records import AuditEntry
from crm.errors import Denial, Invalid, NotAllowed, NotFound, Refused, ThanosError
from crm.rbac import Reach
from crm.rbac import store as rbac
from crm.rbac.tables import Role, RolePermission
from crm.services.access import accounts, audit, own_account, roles, sign_in
from crm.services.access.passwords import matches
from crm.services.access.permissions import PAGES, SYSTEM, install_roles
from crm.store.session import reading, writing
from tests.builders import NOON as NOW
from tests.school import PASSWORD, account, actor, token


def test_a_sign_in_gets_a_password_to_hand_over_and_to_change(school):
    secret = accounts.create(school, SYSTEM, " Wang.Fang ", "sales_manager", None, "", None, NOW)

    made = account(school, "wang.fang")
    assert matches(secret, made.password_hash)
    assert made.must_change_password
    assert made.display_name == "wang.fang"
    assert rbac.granted_to(school, made.id).roles == ("sales_manager",)


@pytest.mark.parametrize("name", ["", "x", "-dash", "two words", "a/b", "x" * 65])
def test_a_name_that_cannot_be_one_is_refused(school, name):
    with pytest.raises(Invalid) as refused:
        accounts.create(school, SYSTEM, name, "consultant", None, "", None, NOW)

    assert set(refused.value.fields) == {"name"}


def test_a_name_is_taken_however_it_is_written(school):
    with pytest.raises(Invalid) as refused:
        accounts.create(school, SYSTEM, "ＬＩ", "consultant", None, "", None, NOW)

    assert str(refused.value) == "li is taken."


def test_a_role_that_is_not_there_is_refused_with_the_ones_that_are(school):
    with pytest.raises(NotFound) as refused:
        accounts.create(school, SYSTEM, "zhao", "boss", None, "", None, NOW)

    assert "administrator" in str(refused.value)


@pytest.mark.parametrize("do", [accounts.disable, accounts.reset_password])
def test_whoever_may_not_manage_sign_ins_cannot(school, do):
    with pytest.raises(NotAllowed):
        do(school, actor(school, "li"), "admin", NOW)


def test_nobody_gives_or_manages_more_than_they_may_themselves(school):
    helper = rbac.add_role(school, "helper", PAGES.pages["home"].title, {"people.manage": Reach.ALL})
    accounts.create(school, SYSTEM, "zhao", "finance", None, "", None, NOW)
    rbac.give_role(school, account(school, "zhao").id, [helper])
    zhao = actor(school, "zhao")

    for attempt in (
        lambda: accounts.create(school, zhao, "friend", "administrator", None, "", None, NOW),
        lambda: accounts.set_roles(school, zhao, "zhao", ["administrator"], NOW),
        lambda: accounts.reset_password(school, zhao, "admin", NOW),
        lambda: accounts.disable(school, zhao, "admin", NOW),
    ):
        with pytest.raises(NotAllowed):
            attempt()
    assert accounts.create(school, zhao, "friend", "finance", None, "", None, NOW)


def test_the_last_one_who_can_manage_sign_ins_stays(school):
    for attempt in (
        lambda: accounts.disable(school, SYSTEM, "admin", NOW),
        lambda: accounts.set_roles(school, SYSTEM, "admin", ["consultant"], NOW),
    ):
        with pytest.raises(Refused):
            attempt()
    accounts.create(school, SYSTEM, "second", "administrator", None, "", None, NOW)

    accounts.disable(school, SYSTEM, "admin", NOW)

    assert not account(school, "admin").active


def test_a_disabled_administrator_is_no_second_one(school):
    accounts.create(school, SYSTEM, "second", "administrator", None, "", None, NOW)
    accounts.disable(school, SYSTEM, "second", NOW)

    with pytest.raises(Refused):
        accounts.disable(school, SYSTEM, "admin", NOW)


def test_two_who_disable_each_other_at_once_do_not_both_succeed(engine):
    with writing() as session:
        install_roles(session)
        for name in ("one", "two"):
            accounts.create(session, SYSTEM, name, "administrator", PASSWORD, "", None, NOW)

    def disable(name):
        try:
            with writing() as session:
                accounts.disable(session, SYSTEM, name, NOW)
        except ThanosError:
            return False
        return True

    with ThreadPoolExecutor(2) as pool:
        done = list(pool.map(disable, ["one", "two"]))

    assert sum(done) == 1
    with reading() as session:
        assert len(session.exec(select(Account).where(Account.active)).all()) == 1


def test_a_person_changes_their_own_password(school):
    li = actor(school, "li")

    own_account.change_password(school, li, PASSWORD, "another good one", NOW)

    changed = account(school, "li")
    assert matches("another good one", changed.password_hash)
    assert not changed.must_change_password


@pytest.mark.parametrize(
    ("current", "new", "field"),
    [("wrong", "another good one", "current"), (PASSWORD, "short", "password"), (PASSWORD, PASSWORD, "password")],
)
def test_a_wrong_current_or_a_bad_new_password_is_refused(school, current, new, field):
    with pytest.raises(Invalid) as refused:
        own_account.change_password(school, actor(school, "li"), current, new, NOW)

    assert set(refused.value.fields) == {field}


def test_another_password_ends_every_session_but_the_one_it_was_changed_in(school):
    li = actor(school, "li")
    here, elsewhere = (token(school, "li") for _ in range(2))
    number = sign_in.signed_in(school, here, "", NOW).sign_in_id

    own_account.change_password(school, li, PASSWORD, "another good one", NOW, keep=number)

    assert sign_in.signed_in(school, here, "", NOW)
    assert sign_in.signed_in(school, elsewhere, "", NOW) is None


def test_signing_out_everywhere_ends_this_session_too(school):
    here = token(school, "li")

    own_account.sign_out_everywhere(school, actor(school, "li"), NOW)

    assert sign_in.signed_in(school, here, "", NOW) is None


def test_a_session_of_somebody_else_cannot_be_kept(school):
    theirs = token(school, "admin")
    number = sign_in.signed_in(school, theirs, "", NOW).sign_in_id

    own_account.change_password(school, actor(school, "li"), PASSWORD, "another good one", NOW, keep=number)

    assert sign_in.signed_in(school, theirs, "", NOW)


def test_a_language_that_there_is_not_is_refused(school):
    own_account.set_locale(school, actor(school, "li"), "en")

    assert account(school, "li").locale == "en"
    with pytest.raises(Invalid):
        own_account.set_locale(school, actor(school, "li"), "fr")


def test_what_is_done_to_sign_ins_is_in_the_audit_log_without_passwords(school):
    admin = actor(school, "admin")
    secret = accounts.reset_password(school, admin, "li", NOW)
    accounts.set_roles(school, admin, "li", ["finance"], NOW)

    entries = school.exec(select(AuditEntry).where(AuditEntry.account_id == admin.account_id)).all()

    assert [entry.subject_id for entry in entries] == [account(school, "li").id] * 2
    assert json.loads(entries[1].after) == {"roles": ["finance"]}
    assert secret not in repr([entry.model_dump() for entry in entries])


def test_the_same_refusal_is_noted_once_in_ten_minutes(school):
    li = actor(school, "li")
    for _ in range(3):
        audit.record_refusals(school, li, [Denial("staff.view")], NOW)
        school.flush()

    noted = school.exec(select(AuditEntry).where(AuditEntry.action == audit.REFUSED)).all()

    assert [(entry.account_id, entry.subject) for entry in noted] == [(li.account_id, "staff.view")]


def test_installing_roles_again_changes_nothing_that_people_changed(school):
    finance = rbac.role_named(school, "finance")
    rbac.grant(school, finance.id, {"pool.view": Reach.ALL})
    student = rbac.role_named(school, "student")
    school.delete(student)
    school.flush()

    install_roles(school)

    assert rbac.grants_of_role(school, finance.id)["pool.view"] is Reach.ALL
    assert rbac.role_named(school, "student") is None


def test_an_upgrade_gives_administrators_the_new_pages(school):
    administrator = school.exec(select(Role).where(Role.name == "administrator")).one()
    gone = school.exec(
        select(RolePermission).where(RolePermission.role_id == administrator.id, RolePermission.page == "jobs")
    ).all()
    for one in gone:
        school.delete(one)
    school.flush()

    rbac.grant(school, administrator.id, {"old.view": Reach.ALL})

    roles.install(school, NOW)
    roles.install(school, NOW)

    assert set(rbac.grants_of_role(school, administrator.id)) == set(PAGES.permissions)
    (entry,) = school.exec(select(AuditEntry).where(AuditEntry.subject == "role")).all()
    assert (entry.account_id, entry.action, entry.subject_id) == (None, "permissions.edit", administrator.id)
    name = {"role": "administrator"}
    new = [one for one in PAGES.permissions if one.startswith("jobs.")]
    assert json.loads(entry.before) == {**name, **dict.fromkeys(new), "old.view": "all"}
    assert json.loads(entry.after) == {**name, **dict.fromkeys(new, "all"), "old.view": None}
