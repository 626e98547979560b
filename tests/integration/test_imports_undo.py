"""An import is taken back: what nobody has touched goes, the rest stays and says why."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlmodel import Session, select

from crm.domain.customers import Customer, CustomerState
from crm.domain.episodes import Assignment, Outcome
from crm.domain.imports import ImportBatch
from crm.domain.records import Notification
from crm.domain.staff import Employee
from crm.errors import NotAllowed, NotFound, Refused, Told
from crm.i18n import says
from crm.rbac import Reach
from crm.services import doctor, imports
from crm.services.access.permissions import SYSTEM
from crm.services.customers import customers, follow_ups
from crm.services.sharing.assignment import share_out
from tests.builders import NOON, a_consultant, a_customer, a_payment, an_actor, an_employee
from tests.sheets import a_sheet

LATER = NOON + timedelta(hours=2)
MANAGER = an_actor(role="sales_manager")


def imported(session: Session, count: int = 3) -> int:
    """The number of an import of so many customers."""
    rows = [(f"Customer {number}", 1, 13800138000 + number, None) for number in range(count)]
    checked = imports.check_sheet(session, MANAGER, a_sheet(rows), "sheet.xlsx", NOON)
    return imports.run_import(session, MANAGER, checked, NOON).batch


def of(session: Session, batch: int) -> list[Customer]:
    session.expire_all()
    return list(session.exec(select(Customer).where(Customer.import_batch_id == batch).order_by(Customer.id)))  # type: ignore[arg-type]


def test_an_untouched_import_is_taken_back_whole(session: Session) -> None:
    ada = a_consultant(session)
    batch = imported(session)

    undone = imports.undo_import(session, MANAGER, batch, LATER)

    assert (undone.taken_back, undone.kept) == (3, ())
    assert all(row.deleted_at == LATER and row.consultant_id is None for row in of(session, batch))
    episodes = session.exec(select(Assignment)).all()
    assert {(one.consultant_id, one.outcome, one.closed_at) for one in episodes} == {(ada.id, Outcome.RELEASED, LATER)}
    assert session.get(ImportBatch, batch).undone_at == LATER  # type: ignore[union-attr]


def test_customers_who_wait_are_taken_back_too(session: Session) -> None:
    batch = imported(session)
    a_consultant(session)

    assert imports.undo_import(session, MANAGER, batch, LATER).taken_back == 3
    assert share_out(session, None, now=LATER, by=SYSTEM).assigned == 0


def test_customers_who_got_a_consultant_later_count_as_untouched(session: Session) -> None:
    batch = imported(session)
    a_consultant(session)
    share_out(session, None, now=NOON, by=SYSTEM)

    assert imports.undo_import(session, MANAGER, batch, LATER).taken_back == 3


def a_follow_up(session: Session, row: Customer, consultant: Employee) -> None:
    actor = an_actor(role="consultant", of=consultant)
    follow_ups.record(session, actor, row.id, channel="phone", note="Called.", now=NOON)  # type: ignore[arg-type]


def an_edit(session: Session, row: Customer, _consultant: Employee) -> None:
    assert row.id is not None
    customers.save_changes(session, MANAGER, row.id, row.version, {"company": "Elsewhere"}, NOON)


def a_release(session: Session, row: Customer, _consultant: Employee) -> None:
    row.state, row.consultant_id, row.follow_up_due_at, row.deal_due_at = CustomerState.PUBLIC, None, None, None
    session.add(row)


def a_deposit(session: Session, row: Customer, _consultant: Employee) -> None:
    a_payment(session, row)


def a_referral(session: Session, row: Customer, _consultant: Employee) -> None:
    a_customer(session, referred_by_id=row.id)


@pytest.mark.parametrize(
    ("touch", "why"),
    [
        (a_follow_up, "Has been followed up."),
        (an_edit, "Has been changed since."),
        (a_release, "Is no longer with the first consultant."),
        (a_deposit, "Has a payment."),
        (a_referral, "Has referred somebody who stays."),
    ],
)
def test_whoever_was_worked_with_stays_and_says_why(session: Session, touch: Callable[..., Any], why: str) -> None:
    consultant = a_consultant(session)
    batch = imported(session)
    touched = of(session, batch)[1]
    touch(session, touched, consultant)
    session.flush()

    undone = imports.undo_import(session, MANAGER, batch, LATER)

    assert [(one.customer_id, one.name, str(one.says)) for one in undone.kept] == [(touched.id, touched.name, why)]
    assert [row.deleted_at is None for row in of(session, batch)] == [False, True, False]


def test_who_referred_somebody_of_the_same_import_goes_with_them_or_stays_with_them(session: Session) -> None:
    consultant = a_consultant(session)
    batch = imported(session)
    first, second, third = of(session, batch)
    first.referred_by_id, second.referred_by_id = second.id, third.id
    a_follow_up(session, first, consultant)
    session.flush()

    with pytest.raises(Refused, match="All 3 customers of import"):
        imports.undo_import(session, MANAGER, batch, LATER)


def test_where_everybody_was_worked_with_nothing_is_done(session: Session) -> None:
    consultant = a_consultant(session)
    batch = imported(session, 1)
    a_follow_up(session, of(session, batch)[0], consultant)

    with pytest.raises(Refused, match="Has been followed up"):
        imports.undo_import(session, MANAGER, batch, LATER)

    assert session.get(ImportBatch, batch).undone_at is None  # type: ignore[union-attr]


def test_an_import_is_taken_back_once(session: Session) -> None:
    batch = imported(session)
    imports.undo_import(session, MANAGER, batch, LATER)

    with pytest.raises(Refused, match="taken back already"):
        imports.undo_import(session, MANAGER, batch, LATER)


def test_a_sheet_that_was_taken_back_can_come_again(session: Session) -> None:
    imports.undo_import(session, MANAGER, imported(session), LATER)

    again = imports.check_sheet(session, MANAGER, a_sheet([("Customer 0", 1, 13800138000, None)]), "sheet.xlsx", LATER)

    assert again.seen is None
    assert [row.verdict for row in again.preview()] == ["new"]


def test_consultants_are_told_how_many_left_them(session: Session) -> None:
    ada = a_consultant(session)
    batch = imported(session)

    imports.undo_import(session, MANAGER, batch, LATER)

    notice = session.exec(select(Notification).where(Notification.created_at == LATER)).one()
    assert notice.account_id == ada.account_id
    assert "3" in notice.title


def test_many_imports_are_taken_back_each_with_its_answer(session: Session) -> None:
    consultant = a_consultant(session)
    batch = imported(session)
    a_follow_up(session, of(session, batch)[0], consultant)

    told = imports.undo_many(session, MANAGER, [batch, 999], LATER)

    # Done, with more to say of it: nothing was refused.
    assert told[batch] == Told(
        says(
            "Customers taken back: {gone}. Customers that stay: {count}.\n{why}",
            gone=2,
            count=1,
            why=says("{why} {names}", why=says("Has been followed up."), names="Customer 0"),
        )
    )
    assert "There is no import 999" in str(told[999])


def test_every_reason_why_somebody_stays_is_told_with_names(session: Session) -> None:
    consultant = a_consultant(session)
    batch = imported(session, 9)
    first, *others = of(session, batch)
    a_deposit(session, first, consultant)
    for each in others[:7]:
        a_follow_up(session, each, consultant)
    session.flush()

    told = imports.undo_many(session, MANAGER, [batch], LATER)[batch]

    assert isinstance(told, Told)
    assert str(told.says).splitlines() == [
        "Customers taken back: 1. Customers that stay: 8.",
        "Has a payment. Customer 0",
        "Has been followed up. Customer 1, Customer 2, Customer 3, Customer 4, Customer 5 and 2 more",
    ]


def test_who_may_take_back_own_imports_finds_no_others(session: Session) -> None:
    mine, other = an_employee(session), an_employee(session)
    batch = imported(session)
    session.get(ImportBatch, batch).imported_by_id = mine.account_id  # type: ignore[union-attr]
    session.flush()
    own = {"reach": Reach.OWN}

    with pytest.raises(NotAllowed):
        imports.undo_import(session, an_actor("import.view"), batch, LATER)
    with pytest.raises(NotFound):
        imports.undo_import(session, an_actor("import.undo", of=other, **own), batch, LATER)
    assert len(session.exec(imports.batches(session, an_actor("import.view", of=mine, **own))).all()) == 1
    assert len(session.exec(imports.batches(session, an_actor("import.view", of=other, **own))).all()) == 0
    assert imports.undo_import(session, an_actor("import.undo", of=mine, **own), batch, LATER).taken_back == 3


def test_the_doctor_finds_nothing_after_an_import_and_its_undoing(session: Session) -> None:
    a_consultant(session, max_customers=2)
    before = doctor.check(session, LATER)

    batch = imported(session, 5)
    imports_done = doctor.check(session, LATER)
    imports.undo_import(session, MANAGER, batch, LATER)

    assert imports_done == before
    assert doctor.check(session, LATER) == before


def test_whose_time_ran_out_stays_until_the_rule_has_closed_the_episode(session: Session) -> None:
    a_consultant(session)
    batch = imported(session)
    first = of(session, batch)[0]
    first.follow_up_due_at = NOON + timedelta(hours=1)
    session.flush()
    after_the_night = NOON + timedelta(days=1)

    undone = imports.undo_import(session, MANAGER, batch, after_the_night)

    assert [(one.customer_id, str(one.says)) for one in undone.kept] == [
        (first.id, "The time for this customer ran out: it goes to the public pool.")
    ]
    outcomes = {one.customer_id: one.outcome for one in session.exec(select(Assignment))}
    assert outcomes[first.id] is Outcome.FOLLOWING
