"""What a gateway's answer means, and what a message says."""

import pytest
import requests
from pydantic import SecretStr
from urllib3.connection import HTTPConnection
from urllib3.connectionpool import HTTPConnectionPool
from urllib3.exceptions import MaxRetryError, NewConnectionError, ProtocolError

from crm.errors import Misconfigured
from crm.i18n import says
from crm.notify.answers import Heard
from crm.notify.gateway import NotSent, Sent, Unknown, check, is_down, judged
from crm.notify.message import Message, compose, compose_for_room
from crm.settings.sections import NoticeChannel

SMS = NoticeChannel(name="sms", url=SecretStr("json://localhost/{mobile}"))
REFUSED_CONNECTION = requests.ConnectionError(
    MaxRetryError(HTTPConnectionPool("x"), "/", NewConnectionError(HTTPConnection("x"), "refused"))
)


@pytest.mark.parametrize(
    "text", ['{"errcode": 0}', '{"errcode": "0"}', "ok", "", "[]", '{"errmsg": "ok"}', '{"errcode": null}']
)
def test_an_answer_that_denies_nothing_is_believed(text: str) -> None:
    assert judged(True, Heard(200, text), SMS) == Sent()


@pytest.mark.parametrize("text", ['{"errcode": 93000}', '{"errcode": "93000"}', '{"errcode":93000,"errmsg":"ok"}'])
def test_an_error_code_in_a_200_is_a_refusal_of_this_message_only(text: str) -> None:
    verdict = judged(True, Heard(200, text), SMS)

    assert verdict == NotSent(says("The gateway refused it with error {code}.", code="93000"))
    assert not is_down(verdict)


@pytest.mark.parametrize(("status", "down"), [(400, False), (403, False), (429, True), (500, True), (503, True)])
def test_another_status_is_a_refusal_and_some_tell_of_the_gateway_itself(status: int, down: bool) -> None:
    verdict = judged(False, Heard(status, ""), SMS)

    assert verdict == NotSent(says("The gateway answered with status {status}.", status=str(status)), down=down)


def test_what_never_reached_the_gateway_may_be_tried_again() -> None:
    assert judged(False, Heard(error=REFUSED_CONNECTION), SMS) == NotSent(
        says("The gateway cannot be reached."), down=True
    )


@pytest.mark.parametrize(
    "error", [requests.ReadTimeout("late"), requests.ConnectionError(ProtocolError("Connection aborted."))]
)
def test_what_may_have_reached_it_is_unknown(error: requests.RequestException) -> None:
    assert judged(False, Heard(error=error), SMS) == Unknown(says("The gateway did not answer in time."))


def test_what_the_settings_expect_has_to_be_in_the_answer() -> None:
    strict = SMS.model_copy(update={"expect": '"code":0'})

    verdicts = [judged(True, Heard(200, text), strict) for text in ('{"code":0}', '{"code":1}')]

    assert verdicts == [Sent(), NotSent(says("The gateway's answer is not the one that the settings expect."))]


def test_apprises_no_is_a_no_even_if_the_gateway_said_nothing_wrong() -> None:
    assert isinstance(judged(False, Heard(), SMS), NotSent)


def test_a_message_has_its_page_at_the_end() -> None:
    message = compose(says("{n} new", n=2), says("Reach them."), "/my-customers?x=1", "en")

    assert message == Message(
        "2 new", "Reach them.\n\nOpen: http://localhost:8501/my-customers?x=1\n\nThanos Training School"
    )


def test_a_room_reads_a_name_and_a_title() -> None:
    message = compose_for_room(says("{n} new", n=2), "Li Na", "/my-customers", "en")

    assert message.title == "Li Na: 2 new"


def test_a_url_that_apprise_does_not_know_is_named_by_its_channel_and_not_shown() -> None:
    wrong = NoticeChannel(name="pager", url=SecretStr("pagr://s3cret@example.com"))

    with pytest.raises(Misconfigured) as caught:
        check((SMS, wrong))

    assert "'pager'" in str(caught.value)
    assert "s3cret" not in str(caught.value)
