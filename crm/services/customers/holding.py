"""A customer while a consultant holds it: room for one more, time that ran out or is extended, and letting go."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, func, select, update
from sqlmodel import Session, SQLModel, col

from crm.domain.calendar import day_of, end_of
from crm.domain.claiming import Claimant
from crm.domain.customers import Customer, CustomerState
from crm.domain.deadlines import Deadlines
from crm.domain.episodes import Outcome
from crm.domain.expiry import Held, Lapses, scheduled, verdict
from crm.domain.payments import Payment, PaymentState
from crm.domain.staff import ConsultantQuota, Employee
from crm.errors import Invalid, Refused, deny
from crm.i18n import Says, says
from crm.rbac import Actor
from crm.services.access import audit
from crm.services.customers.episodes import to_pool
from crm.services.customers.scopes import EXPIRES_AT, LIVE, NO_SUCH, WORKS, allowed
from crm.settings import settings
from crm.store.many_rows import is_one_of

RELEASE, EXTEND = "my-customers.release", "customers.extend"
PART = 2_000
TOO_LATE = says("The time for this customer ran out: it goes to the public pool.")
"""Why nothing can be done any more with a customer that has `lapsed`."""
_UNSEEN = {"synchronize_session": False}
_CUSTOMER = SQLModel.metadata.tables["customer"]
_ASKED = (
    "id",
    "name",
    "phone",
    "qq",
    "state",
    "consultant_id",
    "last_consultant_id",
    "follow_up_due_at",
    "deal_due_at",
    "extended_until",
    "deleted_at",
)

PAYMENT_SINCE = (
    select(func.min(col(Payment.recorded_at)))
    .where(col(Payment.customer_id) == col(Customer.id), col(Payment.state) == PaymentState.PENDING)
    .correlate(Customer)
    .scalar_subquery()
)
"""When the oldest payment of a customer that still awaits confirmation was recorded."""


def room_of(session: Session, actor: Actor) -> Claimant:
    """How many customers the actor holds and may hold, with the quota row locked until the commit.

    Raises `Refused` unless the actor is an active consultant with a quota.
    """
    quota = session.execute(
        select(col(ConsultantQuota.employee_id), col(ConsultantQuota.max_customers))
        .where(col(ConsultantQuota.employee_id) == actor.owner_id)
        .with_for_update()
    ).one_or_none()
    # Asked behind the lock: their sign-in may have been disabled while this waited for it.
    works = select(col(Employee.id)).where(col(Employee.id) == actor.owner_id, WORKS)
    if quota is None or session.scalar(works) is None:
        raise Refused(says("Only an active consultant with a quota can hold customers. A manager sets it under Staff."))
    held = select(func.count()).select_from(Customer).where(col(Customer.consultant_id) == quota.employee_id, LIVE)
    return Claimant(quota.employee_id, session.scalar(held) or 0, quota.max_customers)


def as_held(session: Session, customer: Customer) -> Held | None:
    """What the 02:00 rule asks of one customer; None unless a consultant holds it."""
    if customer.follow_up_due_at is None or customer.deal_due_at is None:
        return None
    payment_since = session.scalar(select(PAYMENT_SINCE).where(col(Customer.id) == customer.id))
    return Held(Deadlines(customer.follow_up_due_at, customer.deal_due_at), customer.extended_until, payment_since)


def lapsed(session: Session, customer: Customer, now: datetime) -> bool:
    """Whether the 02:00 before `now` takes this customer, even where the run is late and did not come to it yet.

    Then nothing that a person does any more may keep it: a late run gives the result of an on-time run.
    """
    if customer.follow_up_due_at is None or customer.deal_due_at is None:
        return False
    if min(customer.follow_up_due_at, customer.deal_due_at) > now:
        return False
    held = as_held(session, customer)
    return held is not None and has_lapsed(held, now)


def has_lapsed(held: Held, now: datetime) -> bool:
    """`lapsed`, of what is known of the customer already."""
    run = scheduled(now, settings().zone, settings().rules.expire_at)
    return isinstance(verdict(held, run), Lapses)


def lapses(run: datetime) -> ColumnElement[bool]:
    """`crm.domain.expiry.verdict` as a condition: the customers whom the run of that moment takes."""
    return (run >= EXPIRES_AT) & (PAYMENT_SINCE.is_(None) | (run < PAYMENT_SINCE))


def lapsed_among(session: Session, customers: Iterable[Any], now: datetime) -> set[int]:
    """The ids of those who are `lapsed`, out of rows as `locked` gives them."""
    due = {
        row.id: row
        for row in customers
        if row.follow_up_due_at is not None and min(row.follow_up_due_at, row.deal_due_at) <= now
    }
    if not due:
        return set()
    asked = select(col(Customer.id), PAYMENT_SINCE).where(is_one_of(session, _CUSTOMER.c.id, list(due)))
    paying: dict[int, datetime | None] = dict(map(tuple, session.execute(asked)))
    run = scheduled(now, settings().zone, settings().rules.expire_at)
    return {
        each
        for each, row in due.items()
        if isinstance(
            verdict(Held(Deadlines(row.follow_up_due_at, row.deal_due_at), row.extended_until, paying.get(each)), run),
            Lapses,
        )
    }


def release_many(session: Session, actor: Actor, ids: Sequence[int], now: datetime) -> Mapping[int, Says | None]:
    """Let customers go to the pool before their time; the episodes close as released. Per id: None, or why not."""
    actor.require(RELEASE)
    told: dict[int, Says | None] = {}
    for part in parts(ids):
        told |= _who_stays(session, part, locked(session, part, allowed(actor, RELEASE), RELEASE), now)
        free = [each for each in part if told[each] is None]
        lost = to_pool(session, free, Outcome.RELEASED, now)
        gone = ((each, {"consultant": consultant}, None) for each, consultant in lost.items())
        audit.record_many(session, actor, RELEASE, "customer", gone, now)
    return told


def extend_many(
    session: Session, actor: Actor, ids: Sequence[int], now: datetime, *, until: date | datetime
) -> Mapping[int, Says | None]:
    """Keep customers with their consultants until `until`, whatever the deadlines say. Per id: None, or why not.

    A date means to the end of that day on the school's clock. Raises `Invalid` for one that is past or too far off.
    """
    actor.require(EXTEND)
    zone, most = settings().zone, settings().rules.extension_days_max
    moment = until if isinstance(until, datetime) else end_of(until, zone)
    if not now < moment <= end_of(day_of(now, zone) + timedelta(days=most), zone):
        raise Invalid.of({"until": says("Choose a day from today to {days} days from now.", days=most)})
    told: dict[int, Says | None] = {}
    for part in parts(ids):
        told |= _who_stays(session, part, locked(session, part, allowed(actor, EXTEND), EXTEND), now)
        free = [each for each in part if told[each] is None]
        session.execute(
            update(Customer)
            .where(is_one_of(session, _CUSTOMER.c.id, free))
            .values(extended_until=moment, version=col(Customer.version) + 1),
            execution_options=_UNSEEN,
        )
        extended = ((each, None, {"extended_until": moment.isoformat()}) for each in free)
        audit.record_many(session, actor, EXTEND, "customer", extended, now)
    return told


def locked(session: Session, ids: Sequence[int], condition: ColumnElement[bool], action: str) -> dict[int, Any]:
    """What a decision asks of those customers who meet the condition, which nobody else changes before the commit.

    The others were denied to whoever used the permission `action`.
    """
    asked = (
        select(*(_CUSTOMER.c[name] for name in _ASKED))
        .where(is_one_of(session, _CUSTOMER.c.id, ids), condition)
        .order_by(_CUSTOMER.c.id)
        .with_for_update()
    )
    found = {row.id: row for row in session.execute(asked)}
    for each in ids:
        if each not in found:
            deny(action, each)
    return found


def parts(ids: Sequence[int]) -> list[Sequence[int]]:
    """The ids, each once, in parts that one statement can take."""
    once = list(dict.fromkeys(ids))
    return [once[start : start + PART] for start in range(0, len(once), PART)]


def _who_stays(
    session: Session, part: Sequence[int], found: Mapping[int, Any], now: datetime
) -> dict[int, Says | None]:
    """For each customer whom somebody is to let go or keep longer: None where that can be done, else why not."""
    late = lapsed_among(session, found.values(), now)

    def why_not(each: int) -> Says | None:
        if each not in found:
            return NO_SUCH
        if found[each].state != CustomerState.PRIVATE:
            return says("No consultant holds this customer.")
        return TOO_LATE if each in late else None

    return {each: why_not(each) for each in part}
