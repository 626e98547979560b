"""Who may upload: Streamlit takes files from any open session into memory, before a page has asked who is there."""

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from crm.errors import Unavailable
from crm.settings import settings
from crm.store.session import reading
from crm.ui import door
from crm.ui.session import by_cookie

PATH = "/_stcore/upload_file/"
SHEETS, HOMEWORK = ("import.run", "gradebook.import"), ("grades.hand_in",)
"""Whoever may do one of these has a page with an upload."""
ROOM = 64 << 10
"""What a form has around a file."""


class UploadsOfTheSignedIn:
    """Turns away, before a byte is read, whoever has no page with an upload: else a visitor could fill the memory."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["path"].startswith(PATH) and scope["method"] != "OPTIONS":
            token = Request(scope).cookies.get(door.cookie_name(), "")
            most = await run_in_threadpool(_megabytes, token) if token else 0
            if not most:
                await PlainTextResponse("Sign in to upload.", 403)(scope, receive, send)
                return
            length = Request(scope).headers.get("content-length", "")
            if length.isdigit() and int(length) > (most << 20) + ROOM:
                await PlainTextResponse("The file is too large.", 413)(scope, receive, send)
                return
        await self.app(scope, receive, send)


def _megabytes(token: str) -> int:
    """How large a file this person may send; 0 for who has no page with an upload."""
    try:
        with reading() as session:
            actor = by_cookie(session, token)
    except Unavailable:
        return 0
    if actor is None:
        return 0
    sizes = ((SHEETS, settings().imports.max_megabytes), (HOMEWORK, settings().homework.max_megabytes))
    return max((size for needs, size in sizes if any(actor.may(each) for each in needs)), default=0)
