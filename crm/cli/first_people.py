"""Who can sign in to a database that nobody has used yet: a demo school's people, or a first administrator."""

from collections.abc import Callable
from datetime import UTC, datetime
from itertools import groupby
from typing import NamedTuple

from sqlmodel import col, select

from crm.cli.database import DEMO_CUSTOMERS, DEMO_SEED, has_accounts
from crm.domain.accounts import Account
from crm.i18n import _
from crm.services.access import accounts
from crm.services.access.passwords import matches
from crm.services.access.permissions import DEFAULT_ROLES, SYSTEM
from crm.services.demo import fill
from crm.services.demo.people import PASSWORD, STAFF
from crm.store.engine import engine
from crm.store.session import reading, writing

FIRST_ADMINISTRATOR, ADMINISTRATOR = "admin", "administrator"


class SignIn(NamedTuple):
    """A name and a password to sign in with, and what for."""

    name: str
    password: str
    role: str


class People(NamedTuple):
    """The sign-ins that can be told, and whether they are a demo's, which everybody knows."""

    sign_ins: tuple[SignIn, ...] = ()
    demo: bool = False


def settle(*, demo: bool, say: Callable[[str], object]) -> People:
    """Make sure that somebody can sign in.

    `say` hears about what takes long, and at once the new administrator's password, which nobody can tell later.
    """
    if has_accounts():
        return _of_the_demo() if demo else People()
    now = datetime.now(UTC)
    if demo:
        say(_("Filling the database with a demo school of {count} customers ...", count=DEMO_CUSTOMERS))
        fill(engine(), DEMO_CUSTOMERS, DEMO_SEED, now)
        return _of_the_demo()
    with writing() as session:
        password = accounts.create(session, SYSTEM, FIRST_ADMINISTRATOR, ADMINISTRATOR, None, "", None, now)
    say(
        _(
            "The first administrator signs in as {name} with the password {password}, which is shown only now.",
            name=FIRST_ADMINISTRATOR,
            password=password,
        )
    )
    return People((SignIn(FIRST_ADMINISTRATOR, password, ADMINISTRATOR),))


def told(people: People) -> list[str]:
    """A demo's sign-ins as lines: the password, then the names by role. No demo: nothing."""
    if not people.demo:
        return []
    titles = {role.name: str(role.title) for role in DEFAULT_ROLES}
    return [
        _("Demo sign-ins, all with the password {password}", password=PASSWORD),
        *(
            f"  {titles[role]}: {', '.join(one.name for one in group)}"
            for role, group in groupby(people.sign_ins, key=lambda one: one.role)
        ),
    ]


def _of_the_demo() -> People:
    """The demo's sign-ins that still work with its password, by role."""
    with reading() as session:
        found = session.exec(
            select(Account.name, Account.password_hash).where(
                col(Account.active), col(Account.name).in_([one.login for one in STAFF])
            )
        ).all()
    # One check a hash, not one a person: bcrypt is slow by intent, and the demo has one hash for all.
    demo = {stored for stored in {stored for _name, stored in found} if matches(PASSWORD, stored)}
    names = {name for name, stored in found if stored in demo}
    return People(tuple(SignIn(one.login, PASSWORD, one.role) for one in STAFF if one.login in names), bool(names))
