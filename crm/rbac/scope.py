"""One rule gives both the check of a row and the WHERE of a list, so that they cannot disagree."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, exists, false, true
from sqlalchemy.orm import Session

from crm.rbac.actor import Actor, Reach

Condition = ColumnElement[bool]


@dataclass(frozen=True, slots=True)
class Scope:
    """Which rows are somebody's own, and which are a department's, as SQL conditions.

    `own` gets the actor's `owner_id`, `department` the actor's department code. A department's rows are those of all
    of its people: whoever reaches them reaches the own ones among them, for a reach over more takes nothing away.
    `key` is the primary key's column.
    """

    key: Any
    own: Callable[[int], Condition]
    department: Callable[[int], Condition]

    def where(self, actor: Actor, action: str) -> Condition:
        """The rows on which `actor` may do `action`, as a condition. Denied: no row."""
        reach = actor.reach(action)
        if reach is Reach.ALL:
            return true()
        if reach is Reach.DEPARTMENT and actor.department is not None:
            return self.department(actor.department)
        # Who is in no department has the own rows left, as far as the grant goes.
        if reach is not None and actor.owner_id is not None:
            return self.own(actor.owner_id)
        return false()

    def allows(self, session: Session, actor: Actor, action: str, row_id: int) -> bool:
        """Whether `actor` may do `action` on that one row: the same condition, asked of one key."""
        asked = exists().where(self.key == row_id, self.where(actor, action))
        return bool(session.scalar(asked.select()))
