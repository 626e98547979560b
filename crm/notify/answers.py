"""What HTTP gateways really answered.

Apprise tells only yes or no, and for some gateways (WeCom, DingTalk) its yes means no more than status 200,
while the refusal stands in the body. All its HTTP channels send through `requests`, so one wrapper around
`requests.Session.send` hears every answer, whichever channel it is. It changes nothing of what is sent.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

import requests

READ_AT_MOST = 65_536


@dataclass(slots=True)
class Heard:
    """The last answer in one attempt: its status and the beginning of its body, or the error instead of it."""

    status: int | None = None
    text: str = ""
    error: requests.RequestException | None = None

    @property
    def error_code(self) -> int | None:
        """The `errcode` of a JSON object, as WeCom and DingTalk write it; 0 is success, None is none."""
        try:
            said = json.loads(self.text)
            return int(said["errcode"])
        except (ValueError, TypeError, KeyError):
            return None


_listening: ContextVar[Heard | None] = ContextVar("listening", default=None)


@contextmanager
def listening() -> Iterator[Heard]:
    """What this thread's requests are answered from here on."""
    heard = Heard()
    token = _listening.set(heard)
    try:
        yield heard
    finally:
        _listening.reset(token)


_send = requests.Session.send


def _send_and_listen(session: requests.Session, request: requests.PreparedRequest, **options: Any) -> requests.Response:
    heard = _listening.get()
    try:
        response = _send(session, request, **options)
    except requests.RequestException as error:
        if heard is not None:
            heard.error = error
        raise
    if heard is not None:
        heard.error, heard.status = None, response.status_code
        heard.text = response.content[:READ_AT_MOST].decode("utf-8", "replace")
    return response


requests.Session.send = _send_and_listen  # type: ignore[assignment,method-assign]
