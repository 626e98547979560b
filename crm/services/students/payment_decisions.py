"""Finance confirms or rejects payments. A confirmation does all that follows from it, or nothing."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

from sqlalchemy import select
from sqlmodel import Session, col

from crm.domain.accounts import Account
from crm.domain.classes import ClassGroup
from crm.domain.customers import Customer
from crm.domain.normalise import visible
from crm.domain.payments import Payment, PaymentKind, PaymentState
from crm.errors import Invalid, Refused, deny
from crm.i18n import Says, says
from crm.rbac import Actor
from crm.services.access import audit
from crm.services.notices.notices import Notice, tell_each
from crm.services.seen_rows import NO_RECORD
from crm.services.students import enrolling, money_of
from crm.services.students.payment_checks import NEW, too_much
from crm.services.students.student_scopes import PAYMENTS

DECIDE = "payments.decide"
REASON_LENGTH = 500


def confirm_many(
    session: Session, actor: Actor, ids: Sequence[int], now: datetime, *, seen: Mapping[int, int | None] | None = None
) -> Mapping[int, Says | None]:
    """Confirm payments, the oldest first. Per id: None, or why not; then nothing of that payment was done.

    The first of a customer enrols: the episode closes, student and sign-in are made, the place in the class begins,
    and study records for days already prepared. Class change, withdrawal and a refund of everything move or end the
    place. Confirming again is refused, and so is a payment of another version than was `seen`.
    """
    actor.require(DECIDE)
    found = _locked(session, actor, ids)
    _lock_what_follows(session, list(found.values()))
    told: dict[int, Says | None] = dict.fromkeys(ids, NO_RECORD)
    done: list[tuple[int, str]] = []
    for key in sorted(found):
        payment = found[key]
        try:
            with session.begin_nested():
                _pending(session, payment)
                _as_seen(payment, seen)
                _follow(session, payment, now)
                _decide(payment, actor, PaymentState.CONFIRMED, now)
                session.flush()
            told[key] = None
            done.append((key, PaymentState.CONFIRMED))
        except Refused as why:
            told[key] = why.says
    _note(session, actor, [(key, {"state": "confirmed"}) for key, _state in done], now)
    confirmed = [found[key] for key, _state in done]
    _tell(session, actor, confirmed, says("A payment was confirmed"), lambda one: _DONE[one.kind], now)
    return told


def reject_many(
    session: Session,
    actor: Actor,
    ids: Sequence[int],
    now: datetime,
    *,
    because: str,
    seen: Mapping[int, int | None] | None = None,
) -> Mapping[int, Says | None]:
    """Reject payments, with the reason. Per id: None, or why not.

    Nothing but the verdict changes, so that the time of a customer who waited for it counts again. A payment of another
    version than was `seen` is refused. Raises `Invalid` without a reason.
    """
    actor.require(DECIDE)
    reason = " ".join(visible(str(because or "")).split())
    if not reason or len(reason) > REASON_LENGTH:
        raise Invalid.of({"because": says("Give the reason, in at most {count} characters.", count=REASON_LENGTH)})
    found = _locked(session, actor, ids)
    told: dict[int, Says | None] = dict.fromkeys(ids, NO_RECORD)
    done = []
    for key, payment in found.items():
        try:
            _pending(session, payment)
            _as_seen(payment, seen)
        except Refused as why:
            told[key] = why.says
            continue
        _decide(payment, actor, PaymentState.REJECTED, now)
        payment.rejected_because = reason
        told[key] = None
        done.append(payment)
    session.flush()
    _note(session, actor, [(one.id or 0, {"state": "rejected"}) for one in done], now)
    _tell(
        session, actor, done, says("A payment was rejected"), lambda _one: says("Reason: {reason}", reason=reason), now
    )
    return told


def _locked(session: Session, actor: Actor, ids: Sequence[int]) -> dict[int, Payment]:
    """The payments, as the database has them now, which nobody else decides before the commit."""
    asked = (
        select(Payment)
        .where(col(Payment.id).in_(ids), PAYMENTS.where(actor, DECIDE))
        .order_by(col(Payment.id))
        .with_for_update()
    )
    found = {
        one.id: one
        for one in session.scalars(asked, execution_options={"populate_existing": True})
        if one.id is not None
    }
    for each in ids:
        if each not in found:
            deny(DECIDE, each)
    return found


def _lock_what_follows(session: Session, payments: Sequence[Payment]) -> None:
    """Customers, then classes, each in one order, so that two who confirm wait for each other.

    The class's row is held while its places are counted: of two for the last place, one gets it.
    """
    customers = {one.customer_id for one in payments}
    classes = {key for one in payments for key in (one.class_group_id, one.from_class_group_id) if key is not None}
    for model, keys in ((Customer, customers), (ClassGroup, classes)):
        key = col(model.id)
        asked = select(model).where(key.in_(sorted(keys))).order_by(key).with_for_update()
        session.scalars(asked, execution_options={"populate_existing": True}).all()


def _pending(session: Session, payment: Payment) -> None:
    if payment.state is PaymentState.PENDING:
        return
    by = session.get(Account, payment.decided_by_id) if payment.decided_by_id is not None else None
    name = (by.display_name or by.name) if by is not None else "-"
    if payment.state is PaymentState.CONFIRMED:
        raise Refused(says("{name} confirmed this payment already.", name=name))
    raise Refused(says("{name} rejected this payment already.", name=name))


def _as_seen(payment: Payment, seen: Mapping[int, int | None] | None) -> None:
    """Raises `Refused` for a payment that was corrected since somebody looked at it."""
    if seen is not None and payment.version != seen.get(payment.id or 0):
        raise Refused(says("Somebody corrected this payment since you saw it. Look at it again."))


def _follow(session: Session, payment: Payment, now: datetime) -> None:
    """What the confirmation brings about. Raises `Refused`."""
    if payment.kind in NEW:
        enrolling.enrol(session, payment, now)
    elif payment.kind is PaymentKind.CLASS_CHANGE:
        enrolling.change_class(session, payment, now)
    elif payment.kind is PaymentKind.WITHDRAWAL:
        enrolling.withdraw(session, payment, now)
    else:
        why = too_much(session, payment.customer_id, payment.class_group_id, payment.amount_cents)
        if why is not None:
            raise Refused(why)
        paid = money_of.customers(session, [payment.customer_id])[payment.customer_id][payment.class_group_id].towards
        if payment.amount_cents == paid:
            enrolling.leave_if_there(session, payment, now)


def _decide(payment: Payment, actor: Actor, verdict: PaymentState, now: datetime) -> None:
    payment.state = verdict
    payment.decided_at = now
    payment.decided_by_id = actor.account_id
    payment.version += 1


def _note(session: Session, actor: Actor, decided: Sequence[tuple[int, Mapping[str, str]]], now: datetime) -> None:
    before = {"state": "pending"}
    audit.record_many(session, actor, DECIDE, "payment", ((key, before, after) for key, after in decided), now)


_PLACE = says("Finance confirmed it: the student has the place from the day it takes effect.")
_DONE = {
    PaymentKind.DEPOSIT: _PLACE,
    PaymentKind.TUITION: _PLACE,
    PaymentKind.CLASS_CHANGE: says("Finance confirmed it: the student changes the class on the day it takes effect."),
    PaymentKind.WITHDRAWAL: says("Finance confirmed it: the student's place ends on the day it takes effect."),
    PaymentKind.REFUND: says("Finance confirmed it. Giving back all that was paid for a class ends the place in it."),
}
"""What the confirmation of each kind did."""


def _tell(
    session: Session,
    actor: Actor,
    payments: Sequence[Payment],
    title: Says,
    body: Callable[[Payment], Says],
    now: datetime,
) -> None:
    """Tell whoever recorded each of them, unless they decided it themselves."""
    tell_each(
        session,
        [
            Notice(one.recorded_by_id, title, body(one), f"/payments?open={one.id}")
            for one in payments
            if one.recorded_by_id != actor.account_id
        ],
        now,
    )
