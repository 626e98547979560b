"""Roles as things to manage: what changes, who may change it, and what can never be lost."""

import json

import pytest
from sqlmodel import select

from crm.domain.records import AuditEntry
from crm.errors import Conflict, Invalid, NotAllowed, NotFound, Refused
from crm.i18n import read_in
from crm.rbac import Actor, Reach
from crm.rbac import store as rbac
from crm.services.access import accounts, offers, own_account, roles
from crm.services.access.permissions import PAGES, SYSTEM, install_roles
from tests.builders import NOON as NOW
from tests.school import PASSWORD, actor


def role(session, name):
    return next(one for one in roles.all_roles(session, SYSTEM) if one.name == name)


def test_a_change_counts_at_once_and_is_in_the_audit_log(school):
    finance = role(school, "finance")

    version = roles.save(
        school,
        actor(school, "admin"),
        finance.id,
        finance.version,
        {"pool.view": Reach.ALL, "home.view": None, "notifications.view": Reach.OWN},
        NOW,
    )

    now = role(school, "finance")
    grants = {**finance.grants, "pool.view": Reach.ALL}
    del grants["home.view"]
    assert (now.version, dict(now.grants)) == (version, grants)
    kept = school.exec(select(AuditEntry).where(AuditEntry.action == "permissions.edit")).one()
    assert json.loads(kept.before) == {"role": "finance", "pool.view": None, "home.view": "own"}
    assert json.loads(kept.after) == {"role": "finance", "pool.view": "all", "home.view": None}


def test_the_second_of_two_administrators_reads_what_is_there_now(school):
    finance = role(school, "finance")
    admin = actor(school, "admin")
    roles.save(school, admin, finance.id, finance.version, {"pool.view": Reach.ALL}, NOW)

    with pytest.raises(Conflict) as refused:
        roles.save(school, admin, finance.id, finance.version, {"pool.view": Reach.OWN}, NOW)

    assert refused.value.theirs == {"pool.view": Reach.ALL}


@pytest.mark.parametrize("power", ["permissions.edit", "people.manage"])
@pytest.mark.parametrize("reach", [None, Reach.OWN])
def test_the_last_administrator_cannot_take_away_the_right_to_administer(school, power, reach):
    administrator = role(school, "administrator")

    with pytest.raises(Refused) as refused:
        roles.save(school, actor(school, "admin"), administrator.id, administrator.version, {power: reach}, NOW)

    assert str(refused.value).startswith("Nobody would be left who can administer.")


def test_nobody_gives_what_they_do_not_have(school):
    helper = roles.create(school, SYSTEM, "Helper", NOW)
    roles.save(school, SYSTEM, helper, 1, {"permissions.view": Reach.ALL, "permissions.edit": Reach.ALL}, NOW)
    accounts.create(school, SYSTEM, "helper", "helper", PASSWORD, "", None, NOW)
    by = actor(school, "helper")

    for name, wanted in (("helper", {"audit.view": Reach.ALL}), ("administrator", {"audit.view": None})):
        found = role(school, name)
        with pytest.raises(NotAllowed):
            roles.save(school, by, found.id, found.version, wanted, NOW)
    with pytest.raises(NotAllowed):
        roles.create(school, by, "Mine", NOW, copy_of=role(school, "administrator").id)


@pytest.mark.parametrize("name", ["li", "nobody"])
def test_whoever_may_not_look_or_edit_cannot(school, name):
    by = actor(school, "li") if name == "li" else Actor(1, "Nobody")
    finance = role(school, "finance")

    for do in (
        lambda: roles.all_roles(school, by),
        lambda: roles.who_may(school, by, "pool.view"),
        lambda: roles.seen_as(school, by, finance.id),
        lambda: roles.create(school, by, "Mine", NOW),
        lambda: roles.save(school, by, finance.id, finance.version, {"pool.view": Reach.ALL}, NOW),
        lambda: roles.rename(school, by, finance.id, finance.version, "Mine", NOW),
        lambda: roles.delete(school, by, finance.id, finance.version, NOW),
    ):
        with pytest.raises(NotAllowed):
            do()


def test_a_role_is_made_copied_renamed_and_deleted(school):
    admin = actor(school, "admin")
    made = roles.create(school, admin, "Night shift", NOW, copy_of=role(school, "consultant").id)
    assert role(school, "night_shift").grants == role(school, "consultant").grants

    version = roles.rename(school, admin, made, 1, "夜班", NOW)
    assert str(role(school, "night_shift").title) == "夜班"

    roles.delete(school, admin, made, version, NOW)
    assert rbac.role_named(school, "night_shift") is None
    kept = school.exec(select(AuditEntry).where(AuditEntry.action == "permissions.edit")).all()
    assert len(kept) == 3


@pytest.mark.parametrize("title", ["", "x", "x" * 65, "Finance", " finance "])
def test_a_role_has_a_name_of_its_own(school, title):
    with pytest.raises(Invalid) as refused:
        roles.create(school, SYSTEM, title, NOW)

    assert set(refused.value.fields) == {"title"}


def test_a_role_has_a_name_of_its_own_in_every_language(school):
    boss = actor(school, "admin")

    for title in ("管理员", "Administrator"):
        for reader in ("en", "zh"):
            with read_in(reader), pytest.raises(Invalid):
                roles.create(school, boss, title, NOW)


def test_a_role_that_somebody_has_cannot_be_deleted(school):
    consultant = role(school, "consultant")

    with pytest.raises(Refused) as refused:
        roles.delete(school, SYSTEM, consultant.id, consultant.version, NOW)

    assert str(refused.value) == "1 person has this role. Give them another one first."


def test_who_may_see_a_page_by_which_role(school):
    found = roles.who_may(school, actor(school, "admin"), "pool.view")

    assert [(one.display_name, one.reach, [str(title) for title in one.roles]) for one in found] == [
        ("admin", Reach.ALL, ["Administrator"]),
        ("Li Na", Reach.ALL, ["Consultant"]),
    ]


def test_other_eyes_look_only_and_never_farther_than_ones_own(school):
    admin, consultant = actor(school, "admin"), role(school, "consultant")

    eyes = roles.seen_as(school, admin, consultant.id)

    assert eyes.account_id == admin.account_id
    assert dict(eyes.grants) == {
        name: reach for name, reach in consultant.grants.items() if name.endswith((".view", ".money"))
    }
    assert dict(eyes.looking().grants) == dict(consultant.grants)
    with pytest.raises(NotAllowed):
        eyes.require("pool.claim")
    with pytest.raises(NotAllowed):
        own_account.set_locale(school, eyes, "zh")

    narrow = Actor(admin.account_id, "admin", {"permissions.see_as": Reach.ALL, "pool.view": Reach.OWN})
    assert roles.seen_as(school, narrow, role(school, "administrator").id).grants == {"pool.view": Reach.OWN}


def test_the_administrator_loses_what_is_no_longer_declared(school):
    administrator = role(school, "administrator")
    rbac.grant(school, administrator.id, {"staff.accounts": Reach.ALL})

    install_roles(school)

    assert role(school, "administrator").grants == PAGES.everything()


def test_what_is_wanted_of_a_role_that_is_gone_reaches_no_other(school):
    admin = actor(school, "admin")
    gone = roles.create(school, admin, "Night shift", NOW)
    roles.delete(school, admin, gone, 1, NOW)
    other = roles.create(school, admin, "Day shift", NOW)

    with pytest.raises(NotFound):
        roles.save(school, admin, gone, 1, {"pool.view": Reach.ALL}, NOW)

    assert rbac.grants_of_role(school, other) == {}


def an_older_database(session, *without):
    """The roles of lecturers and class teachers as they were before these permissions came."""
    for name in ("lecturer", "class_teacher"):
        key = rbac.role_named(session, name).id
        rbac.change_grants(session, key, dict.fromkeys(without))


def offered(session, by):
    return {one.role.name: dict(one.grants) for one in offers.offers(session, by)}


def test_a_new_school_is_offered_nothing(school):
    assert offers.offers(school, actor(school, "admin")) == []


def test_an_upgrade_gives_nothing_away_and_shows_what_it_offers(school):
    an_older_database(school, "gradebook.view", "gradebook.score")

    roles.install(school, NOW)

    new = {"gradebook.view": Reach.OWN, "gradebook.score": Reach.OWN}
    assert "gradebook.view" not in role(school, "lecturer").grants
    assert offered(school, actor(school, "admin")) == {"lecturer": new, "class_teacher": new}


def test_what_was_given_and_taken_away_again_is_not_offered(school):
    an_older_database(school, "gradebook.view", "gradebook.score")
    admin, lecturer = actor(school, "admin"), role(school, "lecturer")

    version = roles.save(school, admin, lecturer.id, lecturer.version, {"gradebook.view": Reach.OWN}, NOW)
    roles.save(school, admin, lecturer.id, version, {"gradebook.view": None}, NOW)

    assert offered(school, admin)["lecturer"] == {"gradebook.score": Reach.OWN}


def test_what_is_left_out_is_in_the_audit_log_and_offered_no_more(school):
    an_older_database(school, "gradebook.view")
    admin, lecturer = actor(school, "admin"), role(school, "lecturer")

    offers.leave_out(school, admin, lecturer.id, NOW)

    assert offered(school, admin) == {"class_teacher": {"gradebook.view": Reach.OWN}}
    kept = school.exec(select(AuditEntry).where(AuditEntry.action == "permissions.edit")).one()
    assert (kept.account_id, kept.subject_id) == (admin.account_id, lecturer.id)
    assert json.loads(kept.before) == json.loads(kept.after) == {"role": "lecturer", "gradebook.view": None}
    with pytest.raises(NotFound):
        offers.leave_out(school, admin, lecturer.id, NOW)


def test_roles_of_ones_own_are_offered_nothing_and_nobody_else_is_shown(school):
    roles.create(school, SYSTEM, "Lecturer at night", NOW)

    assert offers.offers(school, actor(school, "admin")) == []
    for do in (lambda by: offers.offers(school, by), lambda by: offers.leave_out(school, by, 1, NOW)):
        with pytest.raises(NotAllowed):
            do(actor(school, "li"))


def test_finance_takes_payments_home_and_the_sales_manager_students_and_a_running_school_is_asked_first(school):
    exports = ("payments.export", "students.export")
    for name in ("finance", "sales_manager"):
        rbac.change_grants(school, rbac.role_named(school, name).id, dict.fromkeys(exports))

    roles.install(school, NOW)

    assert offered(school, actor(school, "admin")) == {
        "finance": {"payments.export": Reach.ALL},
        "sales_manager": {"students.export": Reach.ALL},
    }
    assert not set(exports) & role(school, "finance").grants.keys()
