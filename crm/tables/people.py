"""The table of the people who sign in."""

from crm.domain.accounts import Account
from crm.grid import AnyOf, Column, TableConfig
from crm.i18n import says
from crm.services import people
from crm.tables.site import site

PEOPLE = site.register(
    TableConfig(
        name="people",
        model=Account,
        title=says("People"),
        rows=people.sign_ins,
        columns=(
            Column("name", pinned=True, width=160),
            Column("display_name", label=says("Person"), width=160),
            Column("roles", look_up=people.roles_of, label=says("Roles"), width=240),
            Column("active", width=90),
            Column("last_sign_in", look_up=people.last_sign_in, kind="moment", label=says("Last sign-in"), width=150),
            Column("sessions", look_up=people.open_sessions, kind="number", label=says("Open sessions"), width=120),
        ),
        search=("name",),
        filters=(AnyOf("active"),),
        sort="name",
    )
)
