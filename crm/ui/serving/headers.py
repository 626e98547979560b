"""The headers that tell browsers what a page of this site may do."""

import base64
import hashlib
import re
from functools import cache
from pathlib import Path
from typing import Any

import streamlit
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

INLINE_SCRIPT = re.compile(r"<script>(.*?)</script>", re.DOTALL)


class SecurityHeaders:
    """Adds them to every answer, Streamlit's own files included."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in security_headers().items():
                    headers.setdefault(name, value)
            await send(message)

        await self.app(scope, receive, with_headers)


@cache
def security_headers() -> dict[str, str]:
    """Nothing from elsewhere, no frame elsewhere, no address handed on.

    Styles are inline throughout Streamlit. Charts are compiled in the browser, which needs `unsafe-eval`;
    inline scripts stay forbidden but for the ones in Streamlit's own page, by their digests.
    """
    sources: dict[str, Any] = {
        "default-src": ["'self'"],
        "script-src": ["'self'", "'unsafe-eval'", "blob:", *_digests()],
        "style-src": ["'self'", "'unsafe-inline'"],
        "img-src": ["'self'", "data:", "blob:"],
        "media-src": ["'self'", "data:", "blob:"],
        "font-src": ["'self'", "data:"],
        "connect-src": ["'self'", "data:", "blob:"],
        "worker-src": ["'self'", "blob:"],
        "frame-src": ["'self'"],
        "frame-ancestors": ["'self'"],
        "form-action": ["'self'"],
        "base-uri": ["'self'"],
        "object-src": ["'none'"],
    }
    return {
        "Content-Security-Policy": "; ".join(f"{name} {' '.join(allowed)}" for name, allowed in sources.items()),
        "X-Content-Type-Options": "nosniff",
        "X-Frame-Options": "SAMEORIGIN",
        "Referrer-Policy": "same-origin",
        "Cross-Origin-Opener-Policy": "same-origin",
        "Permissions-Policy": "camera=(), microphone=(), geolocation=(), payment=()",
    }


def _digests() -> list[str]:
    page = (Path(streamlit.__file__).parent / "static" / "index.html").read_text("utf-8")
    return [
        f"'sha256-{base64.b64encode(hashlib.sha256(inline.encode()).digest()).decode()}'"
        for inline in INLINE_SCRIPT.findall(page)
    ]
