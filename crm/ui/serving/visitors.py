"""What the routes beside the pages ask of a visitor, and answer: who is there, what they may, and what they read.

A route has no page around it, so it does by itself what a page does: it records what was denied, and speaks the
reader's language.
"""

from collections.abc import Callable
from contextlib import suppress
from typing import Any, Generic, NamedTuple, TypeVar

from starlette.concurrency import run_in_threadpool
from starlette.requests import HTTPConnection
from starlette.responses import PlainTextResponse

from crm.errors import NotAllowed, NotFound, Unavailable, hearing_denials
from crm.i18n import Language, Says, as_language, read_in
from crm.rbac import Actor
from crm.services.access import sign_in
from crm.settings import settings
from crm.store.session import reading
from crm.ui.serving import door
from crm.ui.session import note_refusals, now

Found = TypeVar("Found")
THIS_MACHINE = ("127.0.0.1", "::1")


class Answer(NamedTuple, Generic[Found]):
    """What was found for a visitor, None for nobody and for who may not have it; and the language that they read."""

    found: Found | None
    language: Language


async def ask(request: HTTPConnection, find: Callable[[Any, Actor], Found | None]) -> Answer[Found]:
    """What `find` has for whoever sent this, by their cookie. Whoever has a password to choose first gets nothing.

    `find` may raise `NotFound` and `NotAllowed`; what it denies is in the audit log afterwards.
    """
    return await run_in_threadpool(_ask, request, find)


def say(text: Says, language: Language, status: int) -> PlainTextResponse:
    """The sentence as a page of its own."""
    with read_in(language):
        return PlainTextResponse(str(text), status)


def browser_language(header: str | None) -> Language:
    """What a browser asks for by Accept-Language, the most wanted; the school's where it asks for nothing."""
    wanted = [part.strip().partition(";") for part in (header or "").split(",") if part.strip()]
    # Sorting keeps the order of equals: the first of those is meant.
    best = sorted(wanted, key=lambda part: _weight(part[2]), reverse=True)
    return as_language(best[0][0] if best else settings().school.language)


def _weight(text: str) -> float:
    try:
        return float(text.strip().removeprefix("q=")) if text else 1.0
    except ValueError:
        return 0.0


def _ask(request: HTTPConnection, find: Callable[[Any, Actor], Found | None]) -> Answer[Found]:
    language = browser_language(request.headers.get("accept-language"))
    cookie = request.cookies.get(door.cookie_name())
    with suppress(Unavailable), hearing_denials() as denials:
        here = found = None
        if cookie:
            with suppress(NotFound, NotAllowed), reading() as session:
                here = sign_in.signed_in(session, cookie, _address(request), now())
                if here and here.locale:
                    language = as_language(here.locale)
                if here and not here.must_change_password:
                    found = find(session, here.actor)
        if here:
            note_refusals(here.actor, denials)
        return Answer(found, language)
    return Answer(None, language)


def _address(request: HTTPConnection) -> str:
    """Where they come from, as `crm.ui.session.address` says it."""
    host = request.client.host if request.client else None
    return "local" if host is None or host in THIS_MACHINE else host
