"""The audit log: nobody changes an entry, whatever they speak to the database with, and what is refused is in it."""

import json
import re
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DatabaseError
from sqlmodel import select

from crm.domain.records import AuditEntry
from crm.errors import Denial, NotAllowed, NotFound, deny, hearing_denials
from crm.i18n import read_in
from crm.services.access import audit, audit_log, roles
from crm.services.access.audit_words import SUBJECTS
from crm.services.access.permissions import SYSTEM, install_roles
from crm.services.backup import backup, restore
from crm.services.customers import customers, hand_over, holding
from crm.settings import ROOT
from crm.store.metadata import metadata
from crm.store.session import reading, writing
from tests.builders import NOON, a_consultant, a_private_customer, an_account, an_actor


def entries(session):
    session.flush()
    return session.exec(select(AuditEntry).order_by(AuditEntry.id)).all()


def an_entry(session, after="finance"):
    audit.record(session, SYSTEM, "people.manage", "account", 7, {"roles": "student"}, {"roles": after}, NOON)
    session.flush()


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit_entry SET account_id = NULL, \"after\" = ''",
        "DELETE FROM audit_entry",
        "DELETE FROM audit_entry WHERE id = 1",
        "TRUNCATE audit_entry",
        "INSERT OR REPLACE INTO audit_entry (id, at, action, subject, before, after, address)"
        " VALUES (1, '2025-03-03', 'x', 'x', '', '', '')",
    ],
)
def test_the_database_itself_refuses_to_change_an_entry(engine, statement):
    if statement.startswith("TRUNCATE" if engine.dialect.name == "sqlite" else "INSERT OR"):
        statement = "DELETE FROM audit_entry"  # What only the other engine knows.
    with writing() as session:
        an_entry(session)
        (before,) = [one.model_dump() for one in entries(session)]

    with pytest.raises(DatabaseError) as refused, writing() as session:
        session.execute(text(statement))

    assert "the audit log is never changed" in str(refused.value.orig)
    with reading() as session:
        assert [one.model_dump() for one in entries(session)] == [before]


def test_a_restore_brings_back_the_log_of_the_backup_which_is_refused_changes_again(database_url, tmp_path):
    with writing() as session:
        an_entry(session, "finance")
    backup(database_url, tmp_path / "school.backup")
    with writing() as session:
        an_entry(session, "administrator")

    restore(database_url, tmp_path / "school.backup", replace=True)

    with reading() as session:
        assert [json.loads(one.after) for one in entries(session)] == [{"roles": "finance"}]
    with pytest.raises(DatabaseError), writing() as session:
        session.execute(text("DELETE FROM audit_entry"))


def test_the_same_refusal_is_noted_once_in_ten_minutes_and_another_row_is_another_refusal(session):
    li = an_actor("home.view", of=a_consultant(session))

    for denials in (
        [Denial("staff.view")],
        [Denial("staff.view")],
        [Denial("customers.view", 7)],
        [Denial("customers.view", 8)],
    ):
        audit.record_refusals(session, li, denials, NOON)
        session.flush()
    audit.record_refusals(session, li, [Denial("staff.view")], NOON + timedelta(minutes=11))

    assert [(one.account_id, one.action, one.subject, one.subject_id) for one in entries(session)] == [
        (li.account_id, "refused", "staff.view", None),
        (li.account_id, "refused", "customers.view", 7),
        (li.account_id, "refused", "customers.view", 8),
        (li.account_id, "refused", "staff.view", None),
    ]


def test_many_rows_refused_at_once_are_one_entry_with_their_numbers(session):
    li = an_actor(of=a_consultant(session))

    audit.record_refusals(session, li, [Denial("customers.assign", each) for each in range(1, 251)], NOON)

    (kept,) = entries(session)
    assert json.loads(kept.after) == {"count": 250, "rows": list(range(1, 101))}


def test_a_row_beyond_ones_reach_is_heard_though_it_looks_like_none(session):
    install_roles(session)
    mine, theirs = a_consultant(session), a_consultant(session)
    hidden = a_private_customer(session, theirs)
    li = an_actor(role="consultant", of=mine)
    boss = replace(an_actor("customers.assign", "customers.extend", of=mine), grants={})

    for attempt, expected in (
        (
            lambda: customers.save_changes(session, li, hidden.id, 1, {"name": "X"}, NOON),
            ("my-customers.edit", hidden.id),
        ),
        (lambda: customers.get(session, li, "my-customers.view", hidden.id), ("my-customers.view", hidden.id)),
        (lambda: holding.release_many(session, li, [hidden.id], NOON), ("my-customers.release", hidden.id)),
        (
            lambda: hand_over.assign_many(session, boss, [hidden.id], NOON, consultant_id=mine.id),
            ("customers.assign", None),
        ),
        (lambda: roles.all_roles(session, li), ("permissions.view", None)),
    ):
        with hearing_denials() as heard, suppress(NotAllowed, NotFound):
            attempt()

        assert heard == [expected]


def test_nobody_hears_of_denials_elsewhere():
    with hearing_denials() as outer:
        with hearing_denials() as inner:
            deny("a.b", 1)
        deny("a.b", 2)
    deny("a.b", 3)

    assert (inner, outer) == ([Denial("a.b", 1)], [Denial("a.b", 2)])


def test_who_what_before_after_when_and_from_where(session):
    by = replace(an_actor("people.manage", account_id=an_account(session).id), address="10.0.0.7")

    audit.record(session, by, "people.manage", "account", 7, {"active": True}, {"active": False}, NOON)

    (kept,) = entries(session)
    assert (kept.account_id, kept.action, kept.subject, kept.subject_id) == (
        by.account_id,
        "people.manage",
        "account",
        7,
    )
    assert (kept.before, kept.after) == ('{"active": true}', '{"active": false}')
    assert (kept.at, kept.address) == (NOON, "10.0.0.7")


def test_an_entry_is_read_in_the_readers_language():
    entry = AuditEntry(action="people.manage", subject="account", subject_id=7)
    kept = '{"active": false, "roles": ["finance"], "customers.view": "own", "customers.edit": null}'

    with read_in("zh"):
        shown = audit_log.subject(entry), audit_log.values(kept)

    assert shown == ("登录账号 7", "可以登录：否 · 角色：finance · 客户：查看：本人 · 客户：编辑：–")


def test_staff_are_named_and_who_is_gone_keeps_the_number(session):
    li = a_consultant(session, "Li Na")
    for after in ({"consultant": li.id}, {"consultant": 999_999}, {"assigned": {li.id: 2}}, {"assigned": li.id}):
        audit.record(session, SYSTEM, "customers.assign", "employee", after.get("consultant"), None, after, NOON)

    rows = entries(session)
    told, after = audit_log.subjects(session, rows, NOON), audit_log.after(session, rows, NOON)

    assert [told[row.id] for row in rows][:2] == ["Employee Li Na", "Employee 999999"]
    assert [after[row.id] for row in rows] == [
        "Consultant: Li Na", "Consultant: 999999", "Assigned: Li Na=2", f"Assigned: {li.id}",
    ]  # fmt: skip


def test_of_every_kind_of_row_that_entries_tell_of_there_is_a_word():
    told = {
        word
        for file in (ROOT / "crm" / "services").rglob("*.py")
        for word in re.findall(r'record(?:_many)?\(\s*session,[^()]*?, "([a-z_]+)",', file.read_text("utf-8"))
        if word in metadata.tables
    }

    assert len(told) > 8
    assert told <= set(SUBJECTS)
