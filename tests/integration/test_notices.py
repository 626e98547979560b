"""Telling people: in the caller's transaction, once for the app and once for each way out."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy import Engine
from sqlmodel import select

from crm.domain.records import NoticeState, Notification
from crm.errors import Denial, NotAllowed, hearing_denials
from crm.i18n import says
from crm.rbac import Actor, Reach
from crm.services.notices import notices
from crm.services.notices.notices import Notice
from crm.services.seen_rows import NO_RECORD
from crm.store.session import reading, writing
from tests.builders import NOON, an_account, an_actor, an_employee

THREE_WAYS = """
[[notices.channels]]
name = "mail"
url = "mailto://localhost?to={email}"

[[notices.channels]]
name = "sms"
url = "json://localhost/sms?:mobile={mobile}"

[[notices.channels]]
name = "room"
url = "json://localhost/room"
"""
NEW = says("You have {count} new customers", count=3)
BODY = says("Reach them within {days} days.", days=3)


def reader(account_id: int | None, **grants: Reach) -> Actor:
    return Actor(account_id, "reader", {"notifications.view": Reach.OWN, **grants})


def all_rows() -> list[Notification]:
    with reading() as session:
        return list(session.exec(select(Notification).order_by(Notification.id)))  # type: ignore[arg-type]


def test_a_notice_is_in_the_app_at_once_and_waits_for_each_way_that_reaches_its_reader(
    engine: Engine, use_settings: Callable[[str], None]
) -> None:
    use_settings(THREE_WAYS)
    with writing() as session:
        reached = an_employee(session, email="li@example.com", mobile="13800138000").account_id
        by_own_email = an_account(session, email="own@example.com").id
        nowhere = an_account(session).id

    with writing() as session:
        notices.tell(session, [reached, by_own_email, nowhere], NEW, BODY, "/my-customers", NOON)

    rows = all_rows()
    assert {(row.account_id, row.channel, str(row.state)) for row in rows} == {
        (reached, "app", "sent"),
        (reached, "mail", "pending"),
        (reached, "sms", "pending"),
        (reached, "room", "pending"),
        (by_own_email, "app", "sent"),
        (by_own_email, "mail", "pending"),
        (by_own_email, "room", "pending"),
        (nowhere, "app", "sent"),
        (nowhere, "room", "pending"),
    }
    assert {row.next_try_at for row in rows if row.channel != "app"} == {NOON}


def test_what_is_rolled_back_was_never_told(engine: Engine) -> None:
    with writing() as session:
        account = an_account(session).id

    with pytest.raises(ZeroDivisionError), writing() as session:
        notices.tell(session, [account], NEW, BODY, "", NOON)
        raise ZeroDivisionError

    assert all_rows() == []


def test_nobody_is_told_twice_and_the_inactive_are_left_out(engine: Engine) -> None:
    with writing() as session:
        here, gone = an_account(session).id, an_account(session, active=False).id

    with writing() as session:
        told = notices.tell(session, [here, gone, here], NEW, BODY, "", NOON)

    assert told == 1
    assert [row.account_id for row in all_rows()] == [here]


def test_six_hundred_people_are_told_something_of_their_own(engine: Engine) -> None:
    with writing() as session:
        accounts = [an_account(session).id or 0 for _ in range(600)]

    with writing() as session:
        each = [Notice(account, says("You are number {n}", n=n), says("")) for n, account in enumerate(accounts)]
        told = notices.tell_each(session, each, NOON)

    assert told == 600
    assert {row.account_id: row.title for row in all_rows()} == {
        account: says("You are number {n}", n=n).stored() for n, account in enumerate(accounts)
    }


def test_the_inbox_holds_only_own_notices_whatever_else_one_may_see(engine: Engine) -> None:
    with writing() as session:
        mine, theirs = an_account(session).id, an_account(session).id
        notices.tell(session, [mine, theirs], NEW, BODY, "", NOON)

    with reading() as session:
        inbox = session.exec(notices.inbox(session, reader(mine, **{"notifications.manage": Reach.ALL}))).all()
        unread = notices.unread(session, reader(mine))

    assert [row.account_id for row in inbox] == [mine]
    assert unread == 1


def test_nobody_marks_the_notice_of_somebody_else_as_read(engine: Engine) -> None:
    with writing() as session:
        mine, theirs = an_account(session).id, an_account(session).id
        notices.tell(session, [mine, theirs], NEW, BODY, "", NOON)
    my_row, their_row = all_rows()

    with writing() as session:
        answers = notices.mark_read(session, reader(mine), [my_row.id or 0, their_row.id or 0], NOON)

    assert answers == {my_row.id: None, their_row.id: says("This notice is not yours.")}
    assert [row.read_at for row in all_rows()] == [NOON, None]


def test_a_notice_keeps_the_moment_at_which_it_was_first_read(engine: Engine) -> None:
    with writing() as session:
        mine = an_account(session).id
        notices.tell(session, [mine], NEW, BODY, "", NOON)
    ids = [row.id or 0 for row in all_rows()]

    for moment in (NOON, NOON + timedelta(hours=1)):
        with writing() as session:
            notices.mark_read(session, reader(mine), ids, moment)

    assert [row.read_at for row in all_rows()] == [NOON]


def test_only_whoever_manages_notices_sees_the_outbox(engine: Engine) -> None:
    with reading() as session, pytest.raises(NotAllowed):
        notices.outbox(session, reader(1))


@pytest.mark.parametrize("state", [NoticeState.FAILED, NoticeState.UNCERTAIN])
def test_what_failed_or_is_uncertain_is_sent_again_by_hand(
    engine: Engine, state: NoticeState, use_settings: Callable[[str], None]
) -> None:
    use_settings(THREE_WAYS)
    manager = reader(1, **{"notifications.manage": Reach.ALL})
    with writing() as session:
        notices.tell(session, [an_account(session).id or 0], NEW, BODY, "", NOON)
        app_row, room_row = session.exec(select(Notification).order_by(Notification.id))  # type: ignore[arg-type]
        room_row.state, room_row.next_try_at, room_row.attempts = state, None, 5
        session.add(room_row)

    with writing() as session:
        answers = notices.send_again(session, manager, [app_row.id or 0, room_row.id or 0], NOON)

    assert answers == {
        app_row.id: NO_RECORD,
        room_row.id: None,
    }
    again = all_rows()[1]
    assert (again.state, again.attempts, again.next_try_at) == (NoticeState.PENDING, 0, NOON)
    with writing() as session:
        refused = says("Only what failed or is uncertain can be sent again.")
        assert notices.send_again(session, manager, [room_row.id or 0], NOON) == {room_row.id: refused}


def test_a_notice_beyond_ones_reach_is_not_sent_again_and_the_try_is_heard(
    engine: Engine, use_settings: Callable[[str], None]
) -> None:
    use_settings(THREE_WAYS)
    with writing() as session:
        notices.tell(session, [an_account(session).id or 0], NEW, BODY, "", NOON)
        _app_row, room_row = session.exec(select(Notification).order_by(Notification.id))  # type: ignore[arg-type]
        room_row.state, room_row.next_try_at = NoticeState.FAILED, None
        me = an_employee(session)
    somebody = an_actor("notifications.manage", reach=Reach.OWN, of=me)

    with hearing_denials() as denials, writing() as session:
        answers = notices.send_again(session, somebody, [room_row.id or 0], NOON)

    assert answers == {room_row.id: NO_RECORD}
    assert denials == [Denial("notifications.manage", room_row.id)]
    assert all_rows()[1].state is NoticeState.FAILED
