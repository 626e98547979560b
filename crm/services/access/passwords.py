"""Passwords: what a good one is, its hash, and one made up for somebody.

The hash is bcrypt's, exactly as streamlit-authenticator's `Hasher` makes and checks it (a test compares
the two). That class checks the password at sign-in; here bcrypt is called directly, because importing
the hasher brings all of Streamlit into the jobs and the command line.
"""

import secrets
from functools import lru_cache

import bcrypt

from crm.errors import Invalid
from crm.i18n import says
from crm.settings import settings

MAX_BYTES = 72
"""What bcrypt can tell apart; more bytes raise in bcrypt 5."""
ROUNDS = 12
"""Each more doubles the time of a guess: 12 are a quarter of a second, and what streamlit-authenticator uses."""

OF_THE_DEMO = "thanos-demo-2026"
"""What every sign-in of a demo school begins with."""

ALPHABET = "abcdefghjkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789"
"""Letters and digits that nobody takes for another when reading them aloud."""

NOBODYS_HASH = "$2b$12$.BX3qBfRH0mrnk0zJK.0u.SWHQKdRJfD/ZdZroVS7JtgPIxYDt4iq"
"""Checked when a name is unknown, so that known and unknown names answer equally late."""


def hashed(password: str) -> str:
    """The bcrypt hash to store. Outer spaces do not count, as in the sign-in form."""
    return bcrypt.hashpw(password.strip().encode(), bcrypt.gensalt(ROUNDS)).decode()


def matches(password: str, stored: str) -> bool:
    """Whether the password belongs to the stored hash. Never raises: too long or no hash at all is no match."""
    try:
        return bcrypt.checkpw(password.strip().encode(), stored.encode())
    except ValueError:
        return False


def must_choose(told_to: bool, stored: str) -> bool:
    """Whether a password of their own comes first, for an account that was `told_to`.

    Not while it has the demo's, in a demo school: that one is printed for everybody who looks. A password that
    somebody handed out has to be changed there as well.
    """
    return told_to and not (settings().demo and _is_the_demos(stored))


@lru_cache(maxsize=1024)
def _is_the_demos(stored: str) -> bool:
    """Asked at every click, and bcrypt is slow by intent: what is kept is yes or no, by hash."""
    return matches(OF_THE_DEMO, stored)


def made_up() -> str:
    """A one-time password, to be read to its owner and changed at the first sign-in."""
    return "-".join("".join(secrets.choice(ALPHABET) for _ in range(4)) for _ in range(4))


def check_strength(password: str, name: str, min_length: int) -> None:
    """Raises `Invalid` (field `password`) when a password is too short, too long, or gives itself away.

    Length decides, not which kinds of characters it is made of (NIST SP 800-63B).
    """
    password = password.strip()
    if len(password) < min_length:
        problem = says("A password needs at least {count} characters.", count=min_length)
    elif len(password.encode()) > MAX_BYTES:
        problem = says("A password may have at most {count} bytes.", count=MAX_BYTES)
    elif len(set(password)) < 5:
        problem = says("This password repeats too few characters.")
    elif name and name.lower() in password.lower():
        problem = says("A password must not contain the name of the sign-in.")
    else:
        return
    raise Invalid.of({"password": problem})
