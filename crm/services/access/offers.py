"""What a newer version would give the roles that come with it, and an older database's roles never had.

An upgrade gives it to nobody but administrators: who may do what is decided by people. They are shown what nobody
decided yet; whatever was given, taken away or left out once is in the audit log, and is not offered again.
"""

import json
from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import select
from sqlmodel import Session, col

from crm.domain.records import AuditEntry
from crm.errors import NotFound
from crm.i18n import says
from crm.rbac import Actor, Grants, Reach
from crm.services.access import audit
from crm.services.access.permissions import DEFAULT_ROLES
from crm.services.access.roles import EDIT, RoleNow, all_roles


class Offer(NamedTuple):
    """What a role that came with the product does not have, and would have in a school that begins today."""

    role: RoleNow
    grants: Grants


def offers(session: Session, actor: Actor, known: Sequence[RoleNow] | None = None) -> list[Offer]:
    """What nobody decided yet, role by role. `known`: the roles, where they were read already. Raises `NotAllowed`."""
    actor.require(EDIT)
    found = []
    for role in all_roles(session, actor) if known is None else known:
        new = {name: reach for name, reach in _of_today(role).items() if name not in role.grants}
        if new:
            decided = _decided(session, role.id)
            new = {name: reach for name, reach in new.items() if name not in decided}
        if new:
            found.append(Offer(role, new))
    return found


def leave_out(session: Session, actor: Actor, role_id: int, now: datetime) -> None:
    """Decides that a role does without all that is offered for it. Raises `NotAllowed`, `NotFound`."""
    offer = next((one for one in offers(session, actor) if one.role.id == role_id), None)
    if offer is None:
        raise NotFound(says("Nothing is offered for this role any more."))
    without = {"role": offer.role.name, **dict.fromkeys(offer.grants)}
    audit.record(session, actor, EDIT, "role", role_id, without, without, now)


def _of_today(role: RoleNow) -> dict[str, Reach]:
    """What a new database gives a role of this name."""
    return next((dict(one.grants) for one in DEFAULT_ROLES if role.built_in and one.name == role.name), {})


def _decided(session: Session, role_id: int) -> set[str]:
    """The permissions of the role that somebody gave, took away or left out."""
    asked = select(col(AuditEntry.before)).where(
        col(AuditEntry.subject) == "role", col(AuditEntry.subject_id) == role_id, col(AuditEntry.action) == EDIT
    )
    return {name for before in session.scalars(asked) if before for name in json.loads(before)}
