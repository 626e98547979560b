"""Customers given to one consultant by hand."""

from datetime import timedelta

import pytest
from sqlmodel import Session, col, select

from crm.domain.customers import Customer, CustomerState
from crm.domain.episodes import Assignment, Origin, Outcome
from crm.domain.records import Notification
from crm.domain.staff import Employee
from crm.errors import Invalid, NotAllowed
from crm.i18n import Says
from crm.rbac import Reach
from crm.services.customers.hand_over import assign_many
from tests.builders import NOON, a_consultant, a_customer, a_private_customer, a_public_customer, an_actor, an_employee

MANAGER = an_actor("customers.assign", name="Zhao Min")
LATER = NOON + timedelta(hours=1)


def test_customers_of_every_kind_go_to_the_chosen_consultant(session: Session) -> None:
    new, old = a_consultant(session), a_consultant(session)
    waiting, public, private = a_customer(session), a_public_customer(session, old), a_private_customer(session, old)

    told = assign_many(session, MANAGER, [waiting.id, public.id, private.id], LATER, consultant_id=new.id)
    session.expire_all()

    assert list(told.values()) == [None, None, None]
    for customer in (waiting, public, private):
        assert (customer.state, customer.consultant_id, customer.version) == (CustomerState.PRIVATE, new.id, 2)
        assert customer.follow_up_due_at == LATER + timedelta(days=3)
        assert customer.deal_due_at == LATER + timedelta(days=15)
    assert [each.last_consultant_id for each in (waiting, public, private)] == [None, old.id, old.id]


def test_the_old_episode_closes_as_handed_over_and_a_new_one_opens(session: Session) -> None:
    new, old = a_consultant(session), a_consultant(session)
    customer = a_private_customer(session, old)

    assign_many(session, MANAGER, [customer.id], LATER, consultant_id=new.id)
    session.expire_all()

    first, second = session.exec(select(Assignment).order_by(col(Assignment.id))).all()
    assert (first.consultant_id, first.closed_at, first.outcome) == (old.id, LATER, Outcome.TRANSFERRED)
    assert (second.consultant_id, second.opened_at, second.origin) == (new.id, LATER, Origin.TRANSFERRED)
    assert str(Says.loaded(second.reason)) == "Assigned by Zhao Min."


def test_the_cap_holds_by_hand_too(session: Session) -> None:
    consultant = a_consultant(session, "Li Na", max_customers=2)
    a_private_customer(session, consultant)
    first, second = a_customer(session), a_customer(session)

    told = assign_many(session, MANAGER, [first.id, second.id], LATER, consultant_id=consultant.id)

    assert told[first.id] is None
    assert str(told[second.id]) == "Li Na holds 2 customers, which is the most allowed."
    assert session.get_one(Customer, second.id).state is CustomerState.WAITING


def test_who_cannot_be_given_is_told_why(session: Session) -> None:
    consultant = a_consultant(session, "Li Na")
    mine = a_private_customer(session, consultant, name="Sun")
    enrolled = a_customer(session, "Qian", state=CustomerState.ENROLLED)
    lapsed = a_private_customer(session, a_consultant(session), since=NOON - timedelta(days=9))
    deleted = a_customer(session, deleted_at=NOON)

    told = assign_many(
        session, MANAGER, [mine.id, enrolled.id, lapsed.id, deleted.id, 999], LATER, consultant_id=consultant.id
    )

    assert [str(why) for why in told.values()] == [
        "Sun is with Li Na already.",
        "Qian has enrolled already.",
        "The time for this customer ran out: it goes to the public pool.",
        "There is no such customer, or it is not yours to open.",
        "There is no such customer, or it is not yours to open.",
    ]


def test_only_an_active_consultant_with_a_quota_can_be_chosen(session: Session) -> None:
    customer = a_customer(session)

    for wrong in (an_employee(session), a_consultant(session, active=False), Employee(id=999)):
        with pytest.raises(Invalid) as error:
            assign_many(session, MANAGER, [customer.id], NOON, consultant_id=wrong.id)
        assert list(error.value.fields) == ["consultant_id"]


def test_a_manager_of_one_department_hands_over_within_it(session: Session) -> None:
    ours, also_ours, theirs = (a_consultant(session, department=code) for code in (1001, 1001, 1002))
    customer, other = a_private_customer(session, ours), a_private_customer(session, theirs)
    actor = an_actor("customers.assign", reach=Reach.DEPARTMENT, of=ours)

    told = assign_many(session, actor, [customer.id, other.id], LATER, consultant_id=also_ours.id)

    assert [why is None for why in told.values()] == [True, False]
    with pytest.raises(Invalid):
        assign_many(session, actor, [customer.id], LATER, consultant_id=theirs.id)


def test_without_the_permission_nobody_is_handed_over(session: Session) -> None:
    with pytest.raises(NotAllowed):
        assign_many(session, an_actor("customers.view"), [1], NOON, consultant_id=1)


def test_the_consultant_gets_one_notice(session: Session) -> None:
    consultant = a_consultant(session)

    assign_many(session, MANAGER, [a_customer(session).id, a_customer(session).id], LATER, consultant_id=consultant.id)

    notice = session.exec(select(Notification)).one()
    assert (notice.account_id, str(Says.loaded(notice.title))) == (consultant.account_id, "2 new customers")
