"""Addresses at which there is nothing: doors of Streamlit's own that stay closed, and what can be no page."""

from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from crm.i18n import says
from crm.ui.serving.visitors import browser_language, say

CLOSED = ("/_stcore/metrics", "/_stcore/agent")
"""They would tell anybody about the server, or let programs drive it."""
FRAMES = "/component/"
"""What pages show of others in a frame."""


class Closed:
    """Says so in the browser's language: nobody is looked up for it.

    Streamlit answers with its page wherever it has no file. Our pages have one word each; below another word that
    page would look for its files where none are, and stay blank.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = scope["path"] if scope["type"] == "http" else ""
        if path.startswith(CLOSED):
            await _nothing(scope)(scope, receive, send)
        elif "/" in path.strip("/") and not path.startswith(FRAMES):
            await self._no_page(scope, receive, send)
        else:
            await self.app(scope, receive, send)

    async def _no_page(self, scope: Scope, receive: Receive, send: Send) -> None:
        instead: Response | None = None

        async def unless_a_page(message: Message) -> None:
            nonlocal instead
            if message["type"] == "http.response.start" and _is_page(message):
                instead = _nothing(scope)
                await instead(scope, receive, send)
            if not instead:
                await send(message)

        await self.app(scope, receive, unless_a_page)


def _is_page(start: Message) -> bool:
    return Headers(raw=start["headers"]).get("content-type", "").startswith("text/html")


def _nothing(scope: Scope) -> Response:
    return say(
        says("There is nothing at this address."), browser_language(Headers(scope=scope).get("accept-language")), 404
    )
