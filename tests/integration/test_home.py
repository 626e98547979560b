"""The numbers of the front page: each only for whom its page is permitted."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from sqlmodel import select

from crm.domain.payments import PaymentState
from crm.domain.students import Enrolment
from crm.domain.teaching import ScoreState
from crm.i18n import says
from crm.services import home
from crm.services.customers import follow_ups
from crm.services.home import Count, Mine, School, Tonight
from crm.services.home_school import Homework, Teaching
from crm.services.notices import notices
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
from tests.school_builders import TODAY, a_course_record
from tests.scored import a_day, a_scored_class
from tests.teaching import an_apology

TWO = datetime(2025, 3, 3, 18, 0, tzinfo=UTC)
"""The 02:00 in Shanghai after NOON."""


def test_a_consultant_reads_what_runs_out_and_what_can_be_claimed(session):
    me, other = a_consultant(session, max_customers=10), a_consultant(session)
    for days in (-1, 0, 0.4, 0.6, 3.4, 3.6, 9):
        a_private_customer(session, me, since=NOON, follow_up_days=days)
    a_private_customer(session, other)
    a_public_customer(session, other)
    a_public_customer(session, me)

    numbers = home.numbers(session, an_actor(role="consultant", of=me), NOON)

    # -1 day: should have gone at the last 02:00. 0 and 0.4 days: before the next one.
    assert numbers.mine == Mine(held=7, tonight=Tonight(TWO, follow_up=2, extend=0, lost=1), soon=5, room=3)
    assert numbers.mine.tonight.number == 3
    assert numbers.pool == Count(1)
    assert numbers.school is None


def test_an_extension_counts_for_what_runs_out(session):
    me = a_consultant(session)
    a_private_customer(session, me, follow_up_days=-1, extended_until=NOON + timedelta(hours=1))

    mine = home.numbers(session, an_actor(role="consultant", of=me), NOON).mine

    assert mine is not None
    assert (mine.tonight, mine.soon) == (Tonight(TWO, follow_up=1), 1)


def test_what_the_next_run_takes_is_told_by_what_still_helps(session):
    me = a_consultant(session)
    actor = an_actor(role="consultant", of=me)
    helped = a_private_customer(session, me, follow_up_days=0.5)
    a_private_customer(session, me, follow_up_days=0.5, deal_days=0.4)
    a_private_customer(session, me, follow_up_days=5, deal_days=0.4)
    a_private_customer(session, me, follow_up_days=-1)
    paid = a_private_customer(session, me, follow_up_days=-1)
    a_payment(session, paid, recorded_at=NOON - timedelta(days=1))
    paid_too_late = a_private_customer(session, me, follow_up_days=-1)
    a_payment(session, paid_too_late)

    before = home.numbers(session, actor, NOON).mine
    follow_ups.record(session, actor, helped.id, channel="phone", note="Called.", now=NOON)
    after = home.numbers(session, actor, NOON).mine

    assert before is not None and after is not None
    assert (before.tonight, before.tonight.number, before.soon) == (Tonight(TWO, follow_up=1, extend=2, lost=2), 5, 5)
    assert after.tonight == Tonight(TWO, follow_up=0, extend=2, lost=2)
    assert home.numbers(session, an_actor(role="sales_manager"), NOON).school.tonight == Count(4)


def test_the_banner_names_the_time_of_the_settings_and_what_helps(session, use_settings):
    use_settings('[rules]\nexpire_at = "04:30"')
    me = a_consultant(session)
    a_private_customer(session, me, follow_up_days=0.5)
    a_private_customer(session, me, follow_up_days=0.7, deal_days=0.6)
    a_private_customer(session, me, follow_up_days=9)

    mine = home.numbers(session, an_actor(role="consultant", of=me), NOON).mine

    assert mine is not None
    assert [sentence.text for sentence in mine.tonight.says] == [
        "{count} of your customers goes to the public pool at {at} unless you follow up before.",
        "{count} of your customers goes to the public pool at {at}, because the time for a deal ends. "
        "A follow-up does not help any more; a manager can extend the time before.",
    ]
    assert {dict(sentence.values)["at"] for sentence in mine.tonight.says} == {TWO + timedelta(hours=2, minutes=30)}


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


def test_who_teaches_reads_what_waits_in_own_classes(session):
    mine, other = a_scored_class(session, 2), a_scored_class(session, 1)
    me = an_actor(role="lecturer", of=mine.lecturer)
    assert home.numbers(session, me, NOON).teaching == Teaching(0, 0, 0, 0, None)
    a_day(session, mine, TODAY)
    old, rows = a_day(session, mine, TODAY - timedelta(days=2))
    a_day(session, mine, TODAY - timedelta(days=3), taken_at=NOON)
    a_day(session, other, TODAY)
    for row in rows:
        row.handed_in_at = NOON
    rows[0].score_state, rows[0].score = ScoreState.GRADED, 90
    an_apology(session, mine.students[0], mine.group)
    an_apology(session, other.students[0], other.group)
    session.flush()

    assert home.numbers(session, me, NOON).teaching == Teaching(1, 1, 1, 1, (mine.group.id, old.id))
    teaches_nothing = an_employee(session, "Nobody's")
    for other in (an_actor(role="finance"), an_actor(role="lecturer", of=teaches_nothing)):
        assert home.numbers(session, other, NOON).teaching is None


def test_homework_of_who_had_left_by_that_day_waits_for_nobody(session):
    mine = a_scored_class(session, 2)
    me = an_actor(role="lecturer", of=mine.lecturer)
    _day, rows = a_day(session, mine, TODAY - timedelta(days=2))
    rows[0].handed_in_at = NOON
    place = session.exec(select(Enrolment).where(Enrolment.student_id == mine.students[0].id)).one()
    place.left_on = TODAY - timedelta(days=2)
    session.flush()

    assert home.numbers(session, me, NOON).teaching == Teaching(0, 1, 0, 0, None)


def test_a_day_on_which_nobody_is_in_the_class_waits_for_nobody(session):
    mine = a_scored_class(session, 1)
    me = an_actor(role="lecturer", of=mine.lecturer)
    place = session.exec(select(Enrolment).where(Enrolment.student_id == mine.students[0].id)).one()
    before, after = TODAY - timedelta(days=3), TODAY - timedelta(days=1)
    a_course_record(session, mine.group, before)
    a_course_record(session, mine.group, after)
    place.joined_on = TODAY - timedelta(days=2)
    session.flush()

    assert home.numbers(session, me, NOON).teaching == Teaching(0, 1, 0, 0, None)


def test_finance_reads_what_awaits_a_decision_and_a_consultant_does_not(session):
    me = a_consultant(session)
    customer = a_private_customer(session, me)
    a_payment(session, customer)
    a_payment(session, customer, PaymentState.CONFIRMED)

    assert home.numbers(session, an_actor(role="finance"), NOON).payments == 1
    assert home.numbers(session, an_actor(role="consultant", of=me), NOON).payments is None


def test_a_student_reads_what_is_to_be_handed_in_and_what_is_missing(session):
    klass = a_scored_class(session, 2)
    for ago, due_in in ((9, 1), (8, 20), (1, None), (0, 0)):
        a_day(session, klass, TODAY - timedelta(days=ago), due_in)
    _day, rows = a_day(session, klass, TODAY - timedelta(days=5), 1)
    rows[0].handed_in_at = NOON
    session.flush()
    me = replace(an_actor(role="student"), account_id=klass.students[0].account_id)

    assert home.numbers(session, me, NOON).homework == Homework(due=2, missing=1)
