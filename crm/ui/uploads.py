"""Who may upload: Streamlit takes files from any open session into memory, before a page has asked who is there."""

from datetime import UTC, datetime

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from crm.errors import Unavailable
from crm.services import sign_in
from crm.store.session import reading
from crm.ui import door

PATH = "/_stcore/upload_file/"
NEEDS = ("import.run", "grades.hand_in", "gradebook.import")
"""Whoever may do one of these has a page with an upload."""


class UploadsOfTheSignedIn:
    """Turns away, before a byte is read, whoever has no page with an upload: else a visitor could fill the memory."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["path"].startswith(PATH) and scope["method"] != "OPTIONS":
            token = Request(scope).cookies.get(door.cookie_name(), "")
            if not token or not await run_in_threadpool(_may_upload, token):
                await PlainTextResponse("Sign in to upload.", 403)(scope, receive, send)
                return
        await self.app(scope, receive, send)


def _may_upload(token: str) -> bool:
    try:
        with reading() as session:
            here = sign_in.signed_in(session, token, "", datetime.now(UTC))
    except Unavailable:
        return False
    return here is not None and any(here.actor.may(each) for each in NEEDS)
