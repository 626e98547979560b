"""Who may upload: Streamlit takes files from any open session into memory, before a page has asked who is there.

And keeps them as long as that session lives, however many they are.
"""

import asyncio
from collections import defaultdict, deque
from collections.abc import Callable
from contextlib import suppress
from typing import cast

from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send
from streamlit.runtime import get_instance
from streamlit.runtime.memory_uploaded_file_manager import MemoryUploadedFileManager

from crm.errors import deny
from crm.i18n import says
from crm.rbac import Actor
from crm.settings import settings
from crm.ui.serving.visitors import ask, say

PATH = "/_stcore/upload_file/"
SHEETS, HOMEWORK = ("import.run", "gradebook.import"), ("grades.hand_in",)
"""Whoever may do one of these has a page with an upload."""
ROOM = 64 << 10
"""What a form has around a file."""
KEPT = 8
"""So many files of one person stay in memory, the latest: no page needs more than one, and any number would fill it."""
PATIENCE = 30.0
"""So many seconds the rest of what is turned away may take to come, and be dropped."""


class UploadsOfTheSignedIn:
    """Turns away, before a byte is kept, whoever has no page with an upload: else a visitor could fill the memory.

    Of everybody else the latest files stay. `files` has them all: those of Streamlit, unless said.
    """

    def __init__(self, app: ASGIApp, files: Callable[[], MemoryUploadedFileManager] | None = None) -> None:
        self.app, self._files = app, files or _of_streamlit
        self._sent: dict[int | None, deque[tuple[str, str]]] = defaultdict(deque)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["path"].startswith(PATH) and scope["method"] != "OPTIONS":
            request = Request(scope)
            found, language = await ask(request, lambda _session, actor: (_megabytes(actor), actor.account_id))
            most, account = found or (0, None)
            length = request.headers.get("content-length", "")
            refusal = None
            if not most:
                refusal = say(says("Sign in to upload."), language, 403)
            elif length.isdigit() and int(length) > (most << 20) + ROOM:
                refusal = say(says("The file is too large."), language, 413)
            if refusal:
                # A connection that closes while something is still coming breaks: the answer would be lost with it.
                await _drop(receive)
                await refusal(scope, receive, send)
                return
            await self.app(scope, receive, send)
            if scope["method"] == "PUT":
                # Only now: of many that come at once each is there once it was taken.
                self._forget_older(account, scope["path"])
            return
        await self.app(scope, receive, send)

    def _forget_older(self, account: int | None, path: str) -> None:
        tab, _, file = path.removeprefix(PATH).partition("/")
        theirs = self._sent[account]
        theirs.append((tab, file))
        while len(theirs) > KEPT:
            self._files().remove_file(*theirs.popleft())


def _of_streamlit() -> MemoryUploadedFileManager:
    return cast(MemoryUploadedFileManager, get_instance().uploaded_file_mgr)


async def _drop(receive: Receive) -> None:
    with suppress(TimeoutError):
        async with asyncio.timeout(PATIENCE):
            while (await receive()).get("more_body"):
                pass


def _megabytes(actor: Actor) -> int:
    """How large a file this person may send; 0 for who has no page with an upload."""
    sizes = ((SHEETS, settings().imports.max_megabytes), (HOMEWORK, settings().homework.max_megabytes))
    most = max((size for needs, size in sizes if any(actor.may(each) for each in needs)), default=0)
    if not most:
        # Any of them would do. One stands for all, so that the audit log has one entry.
        deny(SHEETS[0])
    return most
