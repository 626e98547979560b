"""Sign-ins: the first administrator, and emergencies."""

from datetime import UTC, datetime
from typing import Annotated

import typer

from crm.cli.answer import Answer, command, group
from crm.i18n import _, says

app = group(_("Sign-ins: the first administrator, and emergencies."))

Name = Annotated[str, typer.Argument(help=_("The name that the person signs in with."), show_default=False)]


@command(app, "create", _("Make a sign-in; its password is made up, shown once, and changed at the first sign-in."))
def create(
    name: Name,
    role: Annotated[str, typer.Option(help=_("The role's name, such as administrator or consultant."))],
) -> Answer:
    """A sign-in with one role."""
    from crm.services.access import accounts
    from crm.services.access.permissions import SYSTEM
    from crm.store.session import writing

    with writing() as session:
        password = accounts.create(session, SYSTEM, name, role, None, "", None, datetime.now(UTC))
    return Answer(
        {"name": accounts.normalised(name), "password": password, "role": role},
        (says("{name} signs in with the password {password} and then chooses another.", name=name, password=password),),
    )


@command(app, "disable", _("End every session of a sign-in and let it open no other."))
def disable(name: Name) -> Answer:
    """Nobody signs in by that name any more."""
    from crm.services.access import accounts
    from crm.services.access.permissions import SYSTEM
    from crm.store.session import writing

    with writing() as session:
        accounts.disable(session, SYSTEM, name, datetime.now(UTC))
    return Answer({"name": accounts.normalised(name)}, (says("{name} can no longer sign in.", name=name),))


@command(app, "reset-password", _("Give a sign-in a made-up password, shown once; every session of it ends."))
def reset_password(name: Name) -> Answer:
    """A new password for somebody who is locked out."""
    from crm.services.access import accounts
    from crm.services.access.permissions import SYSTEM
    from crm.store.session import writing

    with writing() as session:
        password = accounts.reset_password(session, SYSTEM, name, datetime.now(UTC))
    return Answer(
        {"name": accounts.normalised(name), "password": password},
        (says("{name} signs in with the password {password} and then chooses another.", name=name, password=password),),
    )
