"""The routes of the door: in with a ticket, which becomes a cookie, out again, and the script that pages post by."""

from urllib.parse import parse_qs, urlsplit

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from streamlit.web.server.server_util import is_url_from_allowed_origins

from crm.errors import Unavailable
from crm.i18n import says
from crm.services.access import sign_in
from crm.settings import settings
from crm.store.session import writing
from crm.ui.serving import door
from crm.ui.serving.visitors import ask, say
from crm.ui.session import now

MAX_FORM = 4096


async def enter(request: Request) -> Response:
    """Exchanges a one-time ticket for the session's cookie, and goes on to where the person wanted to be.

    A ticket that is used, late or made up leads to the sign-in form again, and sets nothing.
    """
    if not from_here(request):
        return await _refused(request)
    fields = await _fields(request)
    back = RedirectResponse(door.own_path(fields.get("to", "/")), 303)
    old = request.cookies.get(door.cookie_name())
    try:
        token = await run_in_threadpool(_redeemed, fields.get("ticket", ""), old)
    except Unavailable:
        return back
    if token:
        back.set_cookie(
            door.cookie_name(),
            token,
            max_age=settings().sign_in.session_hours * 3600,
            path="/",
            secure=settings().sign_in.secure_cookie,
            httponly=True,
            samesite="lax",
        )
    return back


async def leave(request: Request) -> Response:
    """Ends the session of the cookie, and clears it."""
    if not from_here(request):
        return await _refused(request)
    token = request.cookies.get(door.cookie_name())
    if token:
        await run_in_threadpool(_ended, token)
    out = RedirectResponse("/", 303)
    out.delete_cookie(
        door.cookie_name(), path="/", secure=settings().sign_in.secure_cookie, httponly=True, samesite="lax"
    )
    return out


async def script(_request: Request) -> Response:
    """The script that posts a page's ticket."""
    return Response(door.JAVASCRIPT, media_type="text/javascript", headers={"Cache-Control": "no-cache"})


def from_here(request: Request) -> bool:
    """Whether a page of this site sent the request. Another site could sign somebody in as itself, or out.

    Browsers say so: by Sec-Fetch-Site where the connection is trustworthy, by Origin on every POST.
    """
    site = request.headers.get("sec-fetch-site")
    if site is not None:
        return site == "same-origin"
    origin = request.headers.get("origin")
    if not origin:
        return False
    return urlsplit(origin).netloc == request.headers.get("host") or bool(is_url_from_allowed_origins(origin))


async def _fields(request: Request) -> dict[str, str]:
    body = b""
    async for part in request.stream():
        body += part
        if len(body) > MAX_FORM:
            return {}
    return {name: values[0] for name, values in parse_qs(body.decode("utf-8", "replace")).items()}


def _redeemed(ticket: str, old: str | None) -> str | None:
    moment = now()
    with writing() as session:
        token = sign_in.redeem(session, ticket, moment)
        if token and old:
            sign_in.end(session, old, moment)
    return token


def _ended(token: str) -> None:
    with writing() as session:
        sign_in.end(session, token, now())


async def _refused(request: Request) -> Response:
    _nothing, language = await ask(request, lambda _session, _actor: None)
    return say(says("This has to come from a page of this site."), language, 403)
