"""Doors of Streamlit's own that stay closed: they would tell anybody about the server, or let programs drive it."""

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from crm.i18n import says
from crm.ui.visitors import browser_language, say

CLOSED = ("/_stcore/metrics", "/_stcore/agent")


class Closed:
    """Answers as if these addresses did not exist, in the browser's language: nobody is looked up for it."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["path"].startswith(CLOSED):
            language = browser_language(Headers(scope=scope).get("accept-language"))
            await say(says("There is nothing at this address."), language, 404)(scope, receive, send)
            return
        await self.app(scope, receive, send)
