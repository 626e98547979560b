"""Contacts with a customer: recording one moves the deadline; the history belongs to the customer."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select, update
from sqlmodel import Session, col

from crm.domain.customers import Customer
from crm.domain.deadlines import Deadlines, Lengths, deadlines
from crm.domain.episodes import Assignment, Channel, FollowUp
from crm.domain.normalise import visible
from crm.errors import Invalid, Refused
from crm.i18n import Says, says
from crm.rbac import Actor
from crm.services.customers.holding import lapsed
from crm.services.customers.scopes import allowed_by_any, find
from crm.settings import settings

FOLLOW_UP = "my-customers.follow_up"
NOTE = "customers.edit"
DOUBLE_CLICK = timedelta(seconds=30)
NOTE_LENGTH, NEXT_STEP_LENGTH = 2000, 500


@dataclass(frozen=True, slots=True)
class Recorded:
    """A contact that was kept. `due` are the deadlines from now on, None where nobody holds the customer.

    `said` tells in a sentence what it did to the deadline.
    """

    id: int
    due: Deadlines | None
    said: Says


def record(
    session: Session,
    actor: Actor,
    customer_id: int,
    *,
    channel: Channel | str,
    note: str,
    next_step: str | None = None,
    next_at: datetime | None = None,
    now: datetime,
) -> Recorded:
    """Keep what was said, and move the deadline if the one who holds the customer had the contact.

    A manager's note is kept and moves nothing. Neither does a contact that came after the 02:00 that takes
    the customer, even where the run is late. The same words again within half a minute are one contact.
    Raises `Invalid` by field, `NotFound`, `Refused`.
    """
    if not actor.may(NOTE):
        actor.require(FOLLOW_UP)
    if actor.owner_id is None:
        raise Refused(says("Only a member of staff can record a follow-up. Link this sign-in to one under Staff."))
    values = _checked(channel, note, next_step, next_at, now)
    customer = find(session, allowed_by_any(actor, FOLLOW_UP, NOTE), customer_id, FOLLOW_UP, lock=True)
    holds = customer.consultant_id == actor.owner_id and actor.may(FOLLOW_UP)
    in_time = holds and not lapsed(session, customer, now)
    episode = _open_episode(session, customer_id) if in_time else None
    contact = _same_again(session, actor.owner_id, customer_id, values, now)
    if contact is None:
        row = FollowUp(
            customer_id=customer_id,
            consultant_id=actor.owner_id,
            assignment_id=episode.id if episode else None,
            at=now,
            **values,
        )
        session.add(row)
        session.flush()
        contact = row.id
    assert contact is not None
    if episode is None:
        return Recorded(contact, _stored(customer), _why_not(holds))
    due = deadlines(episode.opened_at, now, Lengths.of(settings().rules))
    session.execute(
        update(Customer).where(col(Customer.id) == customer_id).values(**due._asdict()),
        execution_options={"synchronize_session": False},
    )
    return Recorded(contact, due, says("Kept. The next follow-up is due by {due}.", due=due.follow_up_due_at))


def _checked(
    channel: Channel | str, note: str, next_step: str | None, next_at: datetime | None, now: datetime
) -> dict[str, Any]:
    wrong: dict[str, Says] = {}
    note, step = visible(note), visible(next_step or "")
    if not note:
        wrong["note"] = says("Write in a sentence what was said.")
    if len(note) > NOTE_LENGTH:
        wrong["note"] = says("At most {limit} characters, this has {length}.", limit=NOTE_LENGTH, length=len(note))
    if len(step) > NEXT_STEP_LENGTH:
        wrong["next_step"] = says(
            "At most {limit} characters, this has {length}.", limit=NEXT_STEP_LENGTH, length=len(step)
        )
    if next_at is not None and next_at <= now:
        wrong["next_at"] = says("The next step lies in the past. Choose a later time.")
    way = next((each for each in Channel if each == channel), None)
    if way is None:
        wrong["channel"] = says("{value} is not a way to reach somebody.", value=str(channel))
    if wrong:
        raise Invalid.of(wrong)
    return {"channel": way, "note": note, "next_step": step or None, "next_at": next_at}


def _open_episode(session: Session, customer_id: int) -> Assignment | None:
    return session.scalars(
        select(Assignment).where(col(Assignment.customer_id) == customer_id, col(Assignment.closed_at).is_(None))
    ).one_or_none()


def _same_again(
    session: Session, consultant_id: int, customer_id: int, values: dict[str, Any], now: datetime
) -> int | None:
    return session.scalar(
        select(col(FollowUp.id)).where(
            col(FollowUp.customer_id) == customer_id,
            col(FollowUp.consultant_id) == consultant_id,
            col(FollowUp.at) > now - DOUBLE_CLICK,
            *(getattr(FollowUp, name).is_not_distinct_from(value) for name, value in values.items()),
        )
    )


def _stored(customer: Customer) -> Deadlines | None:
    if customer.follow_up_due_at is None or customer.deal_due_at is None:
        return None
    return Deadlines(customer.follow_up_due_at, customer.deal_due_at)


def _why_not(holds: bool) -> Says:
    if holds:
        return says("Kept, but it came after the time ran out: the customer goes to the public pool all the same.")
    return says("Kept. Only a follow-up by the consultant who holds the customer moves the deadline.")
