"""One attempt to send one message through one channel, by Apprise. What comes of it is a value.

Nothing personal and no secret leaves this file: reasons name neither address nor url, and Apprise's own
log, which names both, is silenced.
"""

import logging
import re
import threading
from collections.abc import Mapping
from contextvars import copy_context
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import requests
import urllib3.exceptions
from apprise import Apprise, AppriseAsset, NotifyFormat, PersistentStoreMode

from crm.errors import Misconfigured
from crm.i18n import Says, says
from crm.notify.answers import Heard, listening
from crm.notify.message import Message
from crm.settings import settings
from crm.settings.sections import NoticeChannel

logging.getLogger("apprise").setLevel(logging.CRITICAL + 1)

# One address, not several, and nothing that a gateway could take for anything else.
_SHAPES = {
    "email": re.compile(r"[^\s,;:<>\"()\[\]\\@]+@[^\s,;:<>\"()\[\]\\@]+"),
    "mobile": re.compile(r"\+?[0-9]{3,20}"),
    # To WeChat Work "all" is everybody.
    "wecom": re.compile(r"(?!all$)[A-Za-z0-9][A-Za-z0-9._@-]{0,63}", re.IGNORECASE),
}
_SAMPLES = {"email": "someone@example.com", "mobile": "13800138000", "wecom": "someone"}
_ATTEMPT_TIMEOUTS = 3


@dataclass(frozen=True, slots=True)
class Sent:
    """The gateway took it."""


@dataclass(frozen=True, slots=True)
class NotSent:
    """It certainly did not arrive. `again`: a later attempt may do better. `down`: so might any other message."""

    reason: Says
    again: bool = True
    down: bool = False


@dataclass(frozen=True, slots=True)
class Unknown:
    """It may have left or not."""

    reason: Says


Delivery = Sent | NotSent | Unknown


def is_down(delivery: Delivery) -> bool:
    """Whether the attempt tells more about the gateway than about the message."""
    return isinstance(delivery, Unknown) or (isinstance(delivery, NotSent) and delivery.down)


def deliver(channel: NoticeChannel, addresses: Mapping[str, str], message: Message, timeout: int) -> Delivery:
    """Try once. Ends within three times `timeout` seconds, whatever the gateway does."""
    for kind in sorted(channel.needed):
        if not _SHAPES[kind].fullmatch(addresses.get(kind, "")):
            return NotSent(says("The recipient's {kind} address is missing or wrong.", kind=kind), again=False)
    plugin = _plugin(channel, addresses)
    if plugin is None:
        return NotSent(says("The channel's url in the settings cannot be used."), again=False)
    # Seconds between two requests of one attempt, such as for a token and with it: there is nothing to slow down.
    plugin.request_rate_per_sec = 0
    plugin.socket_connect_timeout = plugin.socket_read_timeout = float(timeout)
    return _within(timeout * _ATTEMPT_TIMEOUTS, plugin, message, channel)


def check(channels: tuple[NoticeChannel, ...]) -> None:
    """Raise `Misconfigured` about the first channel that Apprise cannot use, with the name of it."""
    for channel in channels:
        if _plugin(channel, _SAMPLES) is None:
            raise Misconfigured(
                says(
                    "notices.channels: the url of {name} is no address that Apprise knows. "
                    "See docs/notifications.md for examples.",
                    name=repr(channel.name),
                )
            )


def _plugin(channel: NoticeChannel, addresses: Mapping[str, str]) -> Any:
    url = channel.url.get_secret_value()
    for kind in _SHAPES:
        url = url.replace("{" + kind + "}", quote(addresses.get(kind, ""), safe=""))
    # Access tokens are kept between messages: WeCom locks out whoever asks for a new one each time.
    asset = AppriseAsset(
        async_mode=False,
        secure_logging=True,
        storage_mode=PersistentStoreMode.AUTO,
        storage_path=str(settings().var / "apprise"),
    )
    try:
        return Apprise.instantiate(url, asset=asset)
    except Exception:
        # Whatever a plugin raises about a url: it cannot be used.
        return None


def _within(seconds: float, plugin: Any, message: Message, channel: NoticeChannel) -> Delivery:
    """The attempt in a thread of its own: a gateway that trickles would hold up a socket timeout for ever."""
    results: list[Delivery] = []
    work = threading.Thread(
        target=copy_context().run, args=(lambda: results.append(_attempt(plugin, message, channel)),), daemon=True
    )
    work.start()
    work.join(seconds)
    return results[0] if results else Unknown(says("The gateway did not answer in time."))


def _attempt(plugin: Any, message: Message, channel: NoticeChannel) -> Delivery:
    apprise = Apprise()
    apprise.add(plugin)
    with listening() as heard:
        try:
            taken = bool(apprise.notify(body=message.body, title=message.title, body_format=NotifyFormat.TEXT))
        except Exception as error:
            return Unknown(says("The attempt broke off with {kind}.", kind=type(error).__name__))
    return judged(taken, heard, channel)


def judged(taken: bool, heard: Heard, channel: NoticeChannel) -> Delivery:
    """What the answers mean. Apprise's yes counts only as long as the gateway's own words do not deny it."""
    if heard.error is not None:
        if _never_arrived(heard.error):
            return NotSent(says("The gateway cannot be reached."), down=True)
        return Unknown(says("The gateway did not answer in time."))
    if heard.status is not None and not 200 <= heard.status < 300:
        # Too many requests, or the gateway's own trouble.
        down = heard.status == 429 or heard.status >= 500
        return NotSent(says("The gateway answered with status {status}.", status=str(heard.status)), down=down)
    if heard.error_code:
        return NotSent(says("The gateway refused it with error {code}.", code=str(heard.error_code)))
    if heard.status is not None and channel.expect not in heard.text:
        return NotSent(says("The gateway's answer is not the one that the settings expect."))
    if not taken:
        # Of a mail server Apprise does not tell refusal and absence apart.
        down = heard.status is None
        return NotSent(says("The gateway or mail server did not take it, or cannot be reached."), down=down)
    return Sent()


def _never_arrived(error: requests.RequestException) -> bool:
    """Whether the connection failed before anything was sent."""
    if isinstance(error, requests.ConnectTimeout | requests.exceptions.InvalidURL | requests.exceptions.SSLError):
        return True
    cause = error.args[0] if error.args else None
    reason = getattr(cause, "reason", cause)
    return isinstance(reason, urllib3.exceptions.NewConnectionError | urllib3.exceptions.NameResolutionError)
