"""The table of the people who sign in."""

from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement

from crm.domain.accounts import Account
from crm.grid import AnyOf, Column, TableConfig
from crm.i18n import says
from crm.services.access import people
from crm.tables.site import site


@dataclass(frozen=True)
class HasRole(AnyOf):
    """Those who have any of the ticked roles, whatever others they have besides."""

    def where(self, value: Any, _model: Any, _zone: ZoneInfo) -> ColumnElement[bool]:
        return people.has_a_role(value)


PEOPLE = site.register(
    TableConfig(
        name="people",
        model=Account,
        title=says("People"),
        rows=people.sign_ins,
        columns=(
            Column("name", label=says("Sign-in"), pinned=True, width=140),
            Column("display_name", label=says("Person"), width=160),
            Column("roles", look_up=people.roles_of, label=says("Roles"), width=240),
            Column("state", look_up=people.states, label=says("State"), width=230),
            Column("last_sign_in", look_up=people.last_sign_in, kind="moment", label=says("Last sign-in"), width=150),
            Column("sessions", look_up=people.open_sessions, kind="number", label=says("Open sessions"), width=120),
        ),
        search=("name", "display_name"),
        filters=(
            HasRole("role", field="id", choices=people.role_filter, label=says("Role")),
            AnyOf("active", label=says("Enabled")),
            AnyOf("must_change_password", label=says("Has to choose a password")),
        ),
        sort="name",
        share="people.share_views",
        empty=says("Nobody can sign in yet."),
    )
)
