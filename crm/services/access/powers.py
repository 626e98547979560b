"""The last administrator: somebody active must always hold each of the powers by which all else can be restored."""

from collections.abc import Mapping, Sequence

from sqlalchemy import or_, select
from sqlalchemy.orm import Session
from sqlmodel import col

from crm.domain.accounts import Account
from crm.errors import Refused
from crm.i18n import says
from crm.rbac import store as rbac
from crm.services.access.permissions import POWERS


def active_holders(session: Session) -> dict[str, set[int]]:
    """Who of those active holds each power on all rows, and nobody else changes that before the commit.

    The rows are locked, so that two who demote each other at once cannot both succeed. Who holds the power is
    asked again behind the lock: PostgreSQL answers a locking statement's subquery as of before its wait.
    """
    asked = {
        power: select(col(Account.id)).where(col(Account.active), col(Account.id).in_(rbac.holders(power)))
        for power in POWERS
    }
    every = or_(*(col(Account.id).in_(rbac.holders(power)) for power in POWERS))
    locks = select(col(Account.id)).where(col(Account.active), every).order_by(col(Account.id)).with_for_update()
    session.execute(locks).all()
    return {power: {one for one in session.scalars(each) if one is not None} for power, each in asked.items()}


def keep_somebody(session: Session, before: Mapping[str, set[int]]) -> None:
    """After a change of roles: raises `Refused` if a power that somebody held `before` is nobody's now."""
    session.flush()
    now = active_holders(session)
    if any(rbac.is_last(held, held - now[power]) for power, held in before.items()):
        raise Refused(says("Nobody would be left who can administer. Give somebody else a role that can first."))


def keep_an_administrator(session: Session, leaving: Sequence[int]) -> None:
    """Before somebody leaves: raises `Refused` if nobody active would be left with one of the powers."""
    if any(rbac.is_last(held, leaving) for held in active_holders(session).values()):
        raise Refused(says("This is the last one who can manage sign-ins. Give somebody else that role first."))
