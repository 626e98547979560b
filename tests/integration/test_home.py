"""The numbers of the front page: each only for whom its page is permitted."""

from datetime import timedelta

from crm.i18n import says
from crm.services import home, notices
from crm.services.home import Count, Mine, School
from tests.builders import (
    NOON,
    a_consultant,
    a_customer,
    a_payment,
    a_private_customer,
    a_public_customer,
    an_actor,
    an_employee,
    customers_waiting,
)


def test_a_consultant_reads_what_runs_out_and_what_can_be_claimed(session):
    me, other = a_consultant(session, max_customers=10), a_consultant(session)
    for days in (-1, 0, 0.4, 0.6, 3.4, 3.6, 9):
        a_private_customer(session, me, since=NOON, follow_up_days=days)
    a_private_customer(session, other)
    a_public_customer(session, other)
    a_public_customer(session, me)

    numbers = home.numbers(session, an_actor(role="consultant", of=me), NOON)

    assert numbers.mine == Mine(held=7, overdue=2, today=1, soon=3, room=3)
    assert numbers.pool == Count(1)
    assert numbers.school is None


def test_an_extension_counts_for_what_runs_out(session):
    me = a_consultant(session)
    a_private_customer(session, me, follow_up_days=-1, extended_until=NOON + timedelta(hours=1))

    mine = home.numbers(session, an_actor(role="consultant", of=me), NOON).mine

    assert mine is not None
    assert (mine.overdue, mine.today) == (0, 1)


def test_a_manager_reads_who_waits_and_who_goes_tonight(session):
    customers_waiting(session, 2)
    me = a_consultant(session)
    a_private_customer(session, me, follow_up_days=0.5)
    a_private_customer(session, me, follow_up_days=0.6)
    a_private_customer(session, me, follow_up_days=0.5, extended_until=NOON + timedelta(days=2))
    paid = a_private_customer(session, me, follow_up_days=0.5)
    a_payment(session, paid)
    a_customer(session, deleted_at=NOON)

    numbers = home.numbers(session, an_actor(role="sales_manager"), NOON)

    assert numbers.school == School(waiting=Count(2), held=Count(4), tonight=Count(1))
    assert numbers.mine is None


def test_others_read_their_notices_only(session):
    teacher = an_employee(session)
    notices.tell(session, [teacher.account_id], says("Hello"), says(""), "", NOON)

    numbers = home.numbers(session, an_actor(role="lecturer", of=teacher), NOON)

    assert numbers == home.Numbers(mine=None, pool=None, school=None, unread=1)


def test_beyond_a_bound_nobody_counts_on(session, monkeypatch):
    monkeypatch.setattr(home, "MOST", 2)
    customers_waiting(session, 3)

    numbers = home.numbers(session, an_actor(role="sales_manager"), NOON)

    assert numbers.school is not None
    assert numbers.school.waiting == Count(2, more=True)
    assert numbers.school.waiting.says == says("{number}+", number=2)
