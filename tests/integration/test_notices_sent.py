"""Notices on their way out, to a real mail server and a real HTTP gateway."""

import logging
import time
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta

import pytest
from sqlalchemy import Engine
from sqlmodel import select

from crm.domain.records import NoticeState, Notification
from crm.i18n import Says, says
from crm.notify import outbox as letters
from crm.services.access.permissions import SYSTEM
from crm.services.notices import notices, outbox
from crm.services.notices.outbox import Posted
from crm.settings import settings
from crm.store.session import reading, writing
from tests.builders import NOON, an_account, an_employee
from tests.smtp_and_http import Gateway, MailServer, gateway, mail_server

Use = Callable[[str], None]
NEW = says("You have {count} new customers", count=3)
BODY = says("Reach them before {until}.", until=NOON)


@pytest.fixture
def post() -> Iterator[MailServer]:
    with mail_server() as server:
        yield server


@pytest.fixture
def web() -> Iterator[Gateway]:
    with gateway() as server:
        yield server


def channels(**urls: str) -> str:
    """A settings file with these channels; what is tried once is not tried again soon."""
    top = '[school]\naddress = "https://crm.example.com/"\n[notices]\ntimeout_seconds = 1\n'
    return top + "".join(f'[[notices.channels]]\nname = "{name}"\nurl = "{url}"\n' for name, url in urls.items())


def tell(*accounts: int | None, title: Says = NEW) -> None:
    with writing() as session:
        notices.tell(session, [each for each in accounts if each], title, BODY, "/my-customers", NOON)


def send(now: datetime = NOON) -> Posted:
    return outbox.send_due(writing, SYSTEM, clock=lambda: now, go_on=lambda: None)


def states(channel: str) -> list[tuple[str, str]]:
    """State and reason of each row of the channel, oldest first."""
    with reading() as session:
        rows = session.exec(
            select(Notification).where(Notification.channel == channel).order_by(Notification.id)  # type: ignore[arg-type]
        )
        return [(str(row.state), str(Says.loaded(row.error))) for row in rows]


def test_an_email_arrives_in_its_readers_language_with_a_link_into_the_app(
    engine: Engine, use_settings: Use, post: MailServer
) -> None:
    use_settings(channels(mail=post.url))
    with writing() as session:
        account = an_employee(session, email="li.na+crm@example.com").account_id
    tell(account)

    done = send()

    assert done == Posted(sent=1, again=0, failed=0, uncertain=0, resting=())
    [(to, message)] = post.received
    assert to == ["li.na+crm@example.com"]
    assert message["Subject"] == "You have 3 new customers"
    text = message.get_body(("plain",)).get_content()  # type: ignore[union-attr]
    assert "Reach them before 2025-03-03 12:00." in text
    assert "https://crm.example.com/my-customers" in text
    assert states("mail") == [("sent", "")]


def test_a_sent_notice_is_not_sent_again(engine: Engine, use_settings: Use, post: MailServer) -> None:
    use_settings(channels(mail=post.url))
    with writing() as session:
        account = an_employee(session, email="li@example.com").account_id
    tell(account)
    send()

    again = send(NOON + timedelta(days=1))

    assert not again
    assert len(post.received) == 1


def test_an_sms_gateway_gets_the_number_exactly_as_it_is(engine: Engine, use_settings: Use, web: Gateway) -> None:
    use_settings(channels(sms=web.url("/sms?:mobile={mobile}&-key=k%26y")))
    with writing() as session:
        account = an_employee(session, mobile="+8613800138000").account_id
    tell(account)

    send()

    [request] = web.received
    assert (request.path, request.query) == ("/sms", {"key": ["k&y"]})
    assert request.json["mobile"] == "+8613800138000"
    assert request.json["title"] == "You have 3 new customers"


def test_a_refusal_inside_a_200_is_a_refusal(engine: Engine, use_settings: Use, web: Gateway) -> None:
    use_settings(channels(wecom=web.url("/cgi-bin/webhook/send?:touser={wecom}")))
    web.answer = lambda _: (200, {"errcode": 93000, "errmsg": "invalid webhook url, from ip: 10.1.2.3"})
    with writing() as session:
        account = an_employee(session, wecom="LiNa").account_id
    tell(account)

    done = send()

    assert done.sent == 0
    assert states("wecom") == [("pending", "The gateway refused it with error 93000.")]


def test_the_wecom_bot_of_apprise_is_believed_no_more_than_others(
    engine: Engine, use_settings: Use, web: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    from apprise.plugins.wecombot import NotifyWeComBot

    monkeypatch.setattr(NotifyWeComBot, "notify_url", f"http://127.0.0.1:{web.port}/send?key={{key}}")
    use_settings(channels(room="wecombot://botkey"))
    web.answer = lambda _: (200, {"errcode": 45009, "errmsg": "api freq out of limit"})
    with writing() as session:
        account = an_account(session, display_name="Li Na").id
    tell(account)

    send()
    web.answer = lambda _: (200, {"errcode": 0, "errmsg": "ok"})
    send(NOON + timedelta(minutes=5))

    assert states("room") == [("sent", "")]
    assert [request.query["key"] for request in web.received] == [["botkey"], ["botkey"]]


def test_a_wechat_work_message_goes_to_one_person_and_asks_for_its_token_once(
    engine: Engine, use_settings: Use, web: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    from apprise.plugins.wechat import NotifyWeChat

    monkeypatch.setattr(NotifyWeChat, "token_url", f"http://127.0.0.1:{web.port}/gettoken")
    monkeypatch.setattr(NotifyWeChat, "notify_url", f"http://127.0.0.1:{web.port}/send")
    use_settings(channels(wecom="wechat://corp:secret@1000002/{wecom}"))
    web.answer = lambda request: (200, {"errcode": 0, "access_token": "t0ken", "expires_in": 7200})
    with writing() as session:
        people = [an_employee(session, wecom=name).account_id for name in ("LiNa", "all", "WangWei")]
    tell(*people)

    done = send()

    assert done == Posted(sent=2, again=0, failed=1, uncertain=0, resting=())
    assert [request.path for request in web.received] == ["/gettoken", "/send", "/send"]
    assert [request.json["touser"] for request in web.received[1:]] == ["LiNa", "WangWei"]


def test_a_room_learns_who_has_a_notice_but_not_what_is_in_it(engine: Engine, use_settings: Use, web: Gateway) -> None:
    use_settings(channels(room=web.url("/room")) + 'needs = "wecom"\n')
    with writing() as session:
        account = an_employee(session, "Li Na", wecom="LiNa").account_id
    tell(account)

    send()

    [request] = web.received
    assert request.json["title"] == "Li Na: You have 3 new customers"
    assert "Reach them" not in request.json["message"]


def test_an_answer_that_the_settings_do_not_expect_is_a_refusal(
    engine: Engine, use_settings: Use, web: Gateway
) -> None:
    use_settings(channels(sms=web.url("/sms?:to={mobile}")) + 'expect = \'"Code": "OK"\'\n')
    web.answer = lambda _: (200, {"Code": "isv.BUSINESS_LIMIT_CONTROL"})
    with writing() as session:
        account = an_employee(session, mobile="13800138000").account_id
    tell(account)

    send()
    refused = states("sms")
    web.answer = lambda _: (200, {"Code": "OK"})
    send(NOON + timedelta(minutes=5))

    assert refused == [("pending", "The gateway's answer is not the one that the settings expect.")]
    assert states("sms") == [("sent", "")]


def test_a_row_fails_after_its_last_try_and_each_pause_is_twice_as_long(
    engine: Engine, use_settings: Use, web: Gateway
) -> None:
    use_settings(channels(sms=web.url("/sms?:to={mobile}")))
    web.answer = lambda _: (503, {})
    with writing() as session:
        account = an_employee(session, mobile="13800138000").account_id
    tell(account)

    sent_at = []
    for second in range(0, 3600, 30):
        before = len(web.received)
        send(NOON + timedelta(seconds=second))
        if len(web.received) > before:
            sent_at.append(second)

    assert sent_at == [0, 60, 180, 420, 900]
    assert states("sms") == [("failed", "The gateway answered with status 503.")]


def test_a_gateway_that_answers_too_late_leaves_it_uncertain_and_nothing_is_repeated(
    engine: Engine, use_settings: Use, web: Gateway
) -> None:
    use_settings(channels(sms=web.url("/sms?:to={mobile}")))
    web.delay = 2
    with writing() as session:
        account = an_employee(session, mobile="13800138000").account_id
    tell(account)

    done = send()
    send(NOON + timedelta(days=1))

    assert done.uncertain == 1
    assert states("sms") == [("uncertain", "The gateway did not answer in time.")]
    assert len(web.received) == 1


def test_a_gateway_that_is_not_there_rests_and_no_row_pays_for_it(engine: Engine, use_settings: Use) -> None:
    with gateway() as gone:
        url = gone.url("/sms?:to={mobile}")
    use_settings(channels(sms=url))
    with writing() as session:
        people = [an_employee(session, mobile=f"1380013800{n}").account_id for n in range(6)]
    tell(*people)

    done = send()
    resting = send(NOON + timedelta(seconds=10))

    assert done == Posted(sent=0, again=3, failed=0, uncertain=0, resting=("sms",))
    assert not resting
    with reading() as session:
        attempts = [row.attempts for row in session.exec(select(Notification)) if row.channel == "sms"]
    assert sorted(attempts) == [0, 0, 0, 1, 1, 1]


def test_a_poisonous_row_is_set_aside_and_harms_no_other(engine: Engine, use_settings: Use, post: MailServer) -> None:
    use_settings(channels(mail=post.url))
    with writing() as session:
        people = [
            an_employee(session, email=address).account_id
            for address in ("a@example.com", "b@example.com,c@example.com", "gone@example.com", "d@example.com")
        ]
    tell(*people)
    with writing() as session:
        broken = session.exec(select(Notification).where(Notification.channel == "mail")).first()
        assert broken
        broken.title = '{"says":"{count:d}","with":{"count":"many"}}'
        session.add(broken)
    post.refuse = {"gone@example.com"}

    send()

    assert [to for to, _ in post.received] == [["d@example.com"]]
    assert states("mail") == [
        ("failed", "The notice cannot be put into words (ValueError)."),
        ("failed", "The recipient's email address is missing or wrong."),
        ("pending", "The gateway or mail server did not take it, or cannot be reached."),
        ("sent", ""),
    ]


def test_what_was_being_sent_when_the_process_died_is_uncertain(
    engine: Engine, use_settings: Use, web: Gateway
) -> None:
    use_settings(channels(sms=web.url("/sms?:to={mobile}")))
    with writing() as session:
        account = an_employee(session, mobile="13800138000").account_id
    tell(account)
    with writing() as session:
        [due] = letters.due(session, NOON, 10)
        letters.claim(session, due.id, NOON, settings().notices)

    meanwhile = send(NOON + timedelta(seconds=5))
    later = send(NOON + timedelta(minutes=5))

    assert not meanwhile
    assert later.uncertain == 1
    assert states("sms") == [("uncertain", "The process died while it was sending. It may have arrived.")]
    assert web.received == []


def test_two_that_claim_one_row_send_one_message(engine: Engine, use_settings: Use, web: Gateway) -> None:
    use_settings(channels(sms=web.url("/sms?:to={mobile}")))
    with writing() as session:
        account = an_employee(session, mobile="13800138000").account_id
    tell(account)
    with reading() as session:
        [due] = letters.due(session, NOON, 10)

    with writing() as session:
        first = letters.claim(session, due.id, NOON, settings().notices)
    with writing() as session:
        second = letters.claim(session, due.id, NOON, settings().notices)

    assert isinstance(first, letters.Letter)
    assert second is None


def test_what_waits_for_a_channel_that_is_no_more_fails_with_its_name(
    engine: Engine, use_settings: Use, web: Gateway
) -> None:
    use_settings(channels(old=web.url("/room")))
    with writing() as session:
        account = an_account(session).id
    tell(account)
    use_settings(channels(new=web.url("/room")))

    done = send()

    assert done.failed == 1
    assert states("old") == [("failed", "The settings name no channel old any more.")]


def test_neither_addresses_nor_secrets_reach_the_log(
    engine: Engine, use_settings: Use, web: Gateway, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    use_settings(channels(sms=web.url("/sms?:mobile={mobile}&-key=s3cret")))
    web.answer = lambda _: (500, {})
    with writing() as session:
        account = an_employee(session, mobile="13800138000").account_id
    tell(account)

    send()

    assert "13800138000" not in caplog.text
    assert "s3cret" not in caplog.text
    assert "s3cret" not in str(states("sms"))


def test_the_process_that_stops_settles_what_it_was_sending(engine: Engine, use_settings: Use, web: Gateway) -> None:
    use_settings(channels(sms=web.url("/sms?:to={mobile}")))
    with writing() as session:
        people = [an_employee(session, mobile=f"1380013800{n}").account_id for n in range(3)]
    tell(*people)
    steps = iter((None, None))

    with pytest.raises(StopIteration):
        outbox.send_due(writing, SYSTEM, clock=lambda: NOON, go_on=lambda: next(steps))

    assert [state for state, _ in states("sms")] == ["sent", "sent", "pending"]


def test_old_messages_are_forgotten_and_waiting_ones_are_not(engine: Engine, use_settings: Use, web: Gateway) -> None:
    use_settings(channels(sms=web.url("/sms?:to={mobile}")))
    with writing() as session:
        account = an_employee(session, mobile="13800138000").account_id
    tell(account)
    send()
    tell(account)

    with writing() as session:
        outbox.prune(session, SYSTEM, NOON + timedelta(days=91))

    with reading() as session:
        left = [(row.channel, row.state) for row in session.exec(select(Notification))]
    assert sorted(left) == [("app", "sent"), ("app", "sent"), ("sms", NoticeState.PENDING)]


def test_an_answer_that_trickles_does_not_hold_the_outbox(engine: Engine, use_settings: Use, web: Gateway) -> None:
    use_settings(channels(sms=web.url("/sms?:to={mobile}")))
    web.trickle = 0.5
    with writing() as session:
        account = an_employee(session, mobile="13800138000").account_id
    tell(account)

    began = time.monotonic()
    done = send()

    assert time.monotonic() - began < 6
    assert done.uncertain == 1
