"""What passes between a page and the routes beside it: a cookie, and a form that the browser posts.

A page cannot set a cookie that scripts cannot read; a route can. So a page that has admitted somebody
makes the browser post a one-time ticket to the route, which answers with the cookie and the way back.
"""

import html
import re

import streamlit as st

from crm.settings import settings

SIGN_IN = "/auth/in"
SIGN_OUT = "/auth/out"
SCRIPT = "/auth/door.js"

# The form is sent by a script from our own address, so that the content security policy needs no inline
# scripts. It runs each time the element is inserted, and takes the way back from the address bar: the
# deep link with its query, which no page has to know.
JAVASCRIPT = """
(() => {
  const asked = document.currentScript?.dataset ?? document.querySelector("script[data-action]").dataset;
  const form = document.createElement("form");
  form.method = "post";
  form.action = asked.action;
  const fields = { ticket: asked.ticket, to: location.pathname + location.search + location.hash };
  for (const [name, value] of Object.entries(fields)) {
    const field = document.createElement("input");
    field.type = "hidden";
    field.name = name;
    field.value = value ?? "";
    form.append(field);
  }
  document.body.append(form);
  form.submit();
})();
"""

# One path of this site: no other host, which a browser would read into "//" and "/\\", and nothing unprintable.
_OWN_PATH = re.compile(r"/(?![/\\])[^\\\x00-\x20\x7f]{0,2000}")

_open = False


def open_door() -> None:
    """Says that the routes are there: this process serves them."""
    global _open
    _open = True


def is_open() -> bool:
    """Whether a cookie can be had. Without the routes a sign-in lasts as long as the browser's tab."""
    return _open


def cookie_name() -> str:
    """The session's cookie. With `secure_cookie` its prefix makes browsers insist on HTTPS and this very host."""
    return "__Host-thanos" if settings().sign_in.secure_cookie else "thanos"


def own_path(to: str) -> str:
    """The path to go on to, if it is one of this site's; else the front page."""
    return to if _OWN_PATH.fullmatch(to) else "/"


def post(action: str, ticket: str = "") -> None:
    """Makes the browser post to one of the routes, in this tab, and come back to where it is."""
    st.html(
        f'<script src="{SCRIPT}" data-action="{action}" data-ticket="{html.escape(ticket)}"></script>',
        unsafe_allow_javascript=True,
    )
