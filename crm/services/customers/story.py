"""The whole story of one customer, for the record view: what is known, who holds it, and all that happened."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import aliased
from sqlmodel import Session, col

from crm.domain.accounts import Account
from crm.domain.calendar import beginning_of
from crm.domain.customers import Customer, CustomerCourse
from crm.domain.deadlines import expires_at
from crm.domain.episodes import Assignment, FollowUp
from crm.domain.expiry import Held, PassedOver, scheduled, upcoming, verdict
from crm.domain.imports import ImportBatch
from crm.domain.money import yuan
from crm.domain.payments import Payment
from crm.domain.school import Course
from crm.domain.staff import Employee
from crm.domain.students import Enrolment, Student
from crm.i18n import Says, says
from crm.rbac import Actor
from crm.services.classes.class_names import named
from crm.services.customers.holding import as_held
from crm.services.customers.scopes import allowed_by_any, find, may_open
from crm.services.students.student_scopes import STUDENTS
from crm.settings import settings

Kind = Literal["added", "closed", "opened", "follow_up", "payment", "place"]
# Of what happened in one moment, this came first.
_ORDER: tuple[Kind, ...] = ("added", "closed", "opened", "follow_up", "payment", "place")


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened: when, what, and who did it.

    `text` is what a person wrote, as it was written; `detail` is what the system has to say of it.
    """

    at: datetime
    kind: Kind
    title: Says
    who: str | None = None
    text: str | None = None
    detail: Says | None = None


@dataclass(frozen=True, slots=True)
class Clock:
    """How long the holder still has. `expires_at` is the earlier deadline, or a later extension.

    `goes_at` is the 02:00 that takes the customer; None while `kept` says why none does.
    """

    expires_at: datetime
    goes_at: datetime | None
    kept: Says | None


@dataclass(frozen=True, slots=True)
class Story:
    """One customer as somebody may read it. `events` has the latest first.

    `reachable` is false for whoever sees the customer in the pool only: how to reach a customer is for the one
    who claims it, and `customer` then carries no phone, QQ, WeChat and email.
    `mine` tells that the reader holds the customer. `referred_by` is a customer whom the reader may open,
    `student_id` the student whom the customer became where the reader may see that one.
    `next_step` is what the latest contact planned, with its moment.
    """

    customer: Customer
    reachable: bool
    mine: bool
    holder: str | None
    last_holder: str | None
    clock: Clock | None
    courses: tuple[str, ...]
    referred_by: tuple[int, str] | None
    student_id: int | None
    next_step: tuple[str, datetime | None] | None
    events: tuple[Event, ...]


def of(session: Session, actor: Actor, customer_id: int, now: datetime) -> Story:
    """The story of a customer whom the actor may open by any page. Raises `NotFound`.

    History belongs to the customer: whoever may open it reads all of it.
    """
    # A copy, so that what is left out of it stays in the database.
    customer = Customer(**find(session, may_open(actor), customer_id, "customers.view").model_dump())
    reachable = _is(session, customer_id, allowed_by_any(actor, "customers.view", "my-customers.view"))
    if not reachable:
        customer.phone = customer.qq = customer.wechat = customer.email = None
    episodes = _all(session, Assignment, customer_id)
    contacts = _all(session, FollowUp, customer_id)
    names = _names(session, customer, [*episodes, *contacts])
    latest = max(contacts, key=lambda contact: (contact.at, contact.id), default=None)
    events = [
        _added(session, customer),
        *(event for episode in episodes for event in _of_episode(episode, names)),
        *(_of_contact(contact, names) for contact in contacts),
        *_payments(session, customer_id),
        *_places(session, customer_id),
    ]
    return Story(
        customer=customer,
        reachable=reachable,
        mine=actor.owner_id is not None and customer.consultant_id == actor.owner_id,
        holder=names.get(customer.consultant_id),
        last_holder=names.get(customer.last_consultant_id),
        clock=_clock(as_held(session, customer), now),
        courses=_courses(session, customer_id),
        referred_by=_referrer(session, actor, customer.referred_by_id),
        student_id=_student(session, actor, customer_id),
        next_step=(latest.next_step, latest.next_at) if latest and latest.next_step else None,
        events=tuple(sorted(events, key=lambda event: (event.at, _ORDER.index(event.kind)), reverse=True)),
    )


def _is(session: Session, customer_id: int, condition: ColumnElement[bool]) -> bool:
    return session.scalar(select(col(Customer.id)).where(col(Customer.id) == customer_id, condition)) is not None


def _all(session: Session, model: Any, customer_id: int) -> Sequence[Any]:
    return session.scalars(select(model).where(model.customer_id == customer_id).order_by(model.id)).all()


def _names(session: Session, customer: Customer, rows: Iterable[Any]) -> dict[int | None, str]:
    ids = {customer.consultant_id, customer.last_consultant_id, *(row.consultant_id for row in rows)}
    found = session.execute(select(col(Employee.id), col(Employee.name)).where(col(Employee.id).in_(ids - {None})))
    return {row.id: row.name for row in found}


def _clock(held: Held | None, now: datetime) -> Clock | None:
    if held is None:
        return None
    zone, at = settings().zone, settings().rules.expire_at
    until = expires_at(held.deadlines, held.extended_until)
    # A run that is late still stands for its own 02:00.
    run = upcoming(max(until, scheduled(now, zone, at)), zone, at)
    judged = verdict(held, run)
    if isinstance(judged, PassedOver):
        return Clock(until, None, judged.reason)
    return Clock(until, run, None)


def _added(session: Session, customer: Customer) -> Event:
    by = session.get(Account, customer.created_by_id) if customer.created_by_id else None
    batch = session.get(ImportBatch, customer.import_batch_id) if customer.import_batch_id else None
    return Event(
        customer.created_at,
        "added",
        says("Imported from {file}", file=batch.file_name) if batch else says("Added"),
        by.display_name or by.name if by else None,
    )


def _of_episode(episode: Assignment, names: dict[int | None, str]) -> Iterable[Event]:
    who = names.get(episode.consultant_id)
    yield Event(episode.opened_at, "opened", episode.origin.label, who, detail=_loaded(episode.reason))
    if episode.closed_at is not None:
        yield Event(episode.closed_at, "closed", episode.outcome.label, who, detail=_loaded(episode.closed_reason))


def _of_contact(contact: FollowUp, names: dict[int | None, str]) -> Event:
    planned = None
    if contact.next_step and contact.next_at:
        planned = says("Next: {step} ({at})", step=contact.next_step, at=contact.next_at)
    elif contact.next_step:
        planned = says("Next: {step}", step=contact.next_step)
    who = names.get(contact.consultant_id)
    return Event(contact.at, "follow_up", contact.channel.label, who, contact.note, planned)


def _payments(session: Session, customer_id: int) -> Iterable[Event]:
    decider = aliased(Account)
    rows = session.execute(
        select(Payment, col(Account.display_name), col(decider.display_name))
        .join(Account, col(Account.id) == col(Payment.recorded_by_id))
        .outerjoin(decider, col(decider.id) == col(Payment.decided_by_id))
        .where(col(Payment.customer_id) == customer_id)
        .order_by(col(Payment.id))
    ).all()
    names = named(session, [row.Payment.class_group_id for row in rows if row.Payment.class_group_id is not None])
    for payment, by, decided_by in rows:
        title = says("{kind}: {amount} yuan", kind=payment.kind.label, amount=yuan(payment.amount_cents))
        yield Event(payment.recorded_at, "payment", title, by, payment.note, names.get(payment.class_group_id))
        if payment.decided_at is not None:
            verdict = says("{kind}: {verdict}", kind=payment.kind.label, verdict=payment.state.label)
            yield Event(payment.decided_at, "payment", verdict, decided_by, payment.rejected_because)


def _places(session: Session, customer_id: int) -> Iterable[Event]:
    """Places in classes, on the days from which they count."""
    places = session.scalars(
        select(Enrolment)
        .join(Student, col(Student.id) == col(Enrolment.student_id))
        .where(col(Student.customer_id) == customer_id)
    ).all()
    names = named(session, [one.class_group_id for one in places])
    zone = settings().zone
    for one in places:
        detail = names[one.class_group_id]
        yield Event(beginning_of(one.joined_on, zone), "place", says("In class from this day on"), detail=detail)
        if one.left_on is not None:
            yield Event(beginning_of(one.left_on, zone), "place", says("Left the class"), detail=detail)


def _courses(session: Session, customer_id: int) -> tuple[str, ...]:
    names = (
        select(col(Course.name))
        .join(CustomerCourse, col(CustomerCourse.course_id) == col(Course.id))
        .where(col(CustomerCourse.customer_id) == customer_id)
        .order_by(col(Course.name))
    )
    return tuple(session.scalars(names))


def _referrer(session: Session, actor: Actor, referrer_id: int | None) -> tuple[int, str] | None:
    if referrer_id is None:
        return None
    known = session.execute(
        select(col(Customer.id), col(Customer.name)).where(col(Customer.id) == referrer_id, may_open(actor))
    ).one_or_none()
    return (referrer_id, known.name) if known else None


def _student(session: Session, actor: Actor, customer_id: int) -> int | None:
    return session.scalar(
        select(col(Student.id)).where(col(Student.customer_id) == customer_id, STUDENTS.where(actor, "students.view"))
    )


def _loaded(stored: str | None) -> Says | None:
    return Says.loaded(stored) if stored else None
