"""Two confirmations at once: the last place is given once, and a payment is confirmed once."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from sqlalchemy import Engine, func, select

from crm.domain.payments import Payment, PaymentState
from crm.domain.students import Enrolment, Student
from crm.services.access.permissions import install_roles
from crm.services.students import payment_decisions
from crm.store.session import reading, writing
from tests.builders import NOON, a_consultant, a_private_customer, an_actor, an_employee
from tests.school_builders import a_class_group, a_deposit


@pytest.fixture
def finance(engine: Engine):
    with writing(engine) as session:
        install_roles(session)
        return an_actor(role="finance", of=an_employee(session))


def confirm_at_once(engine, finance, ids):
    barrier = Barrier(len(ids))

    def confirm(payment_id):
        barrier.wait()
        with writing(engine) as session:
            return payment_decisions.confirm_many(session, finance, [payment_id], NOON)[payment_id]

    with ThreadPoolExecutor(len(ids)) as pool:
        return list(pool.map(confirm, ids))


def counted(engine, *models):
    with reading(engine) as session:
        return [session.scalar(select(func.count()).select_from(model)) for model in models]


def test_the_last_place_is_given_once(engine, finance):
    with writing(engine) as session:
        seller, group = a_consultant(session), a_class_group(session, capacity=1)
        ids = [a_deposit(session, a_private_customer(session, seller), group).id for _each in range(4)]

    told = confirm_at_once(engine, finance, ids)

    assert told.count(None) == 1
    assert all("is full" in str(why) for why in told if why is not None)
    assert counted(engine, Enrolment, Student) == [1, 1]


def test_one_payment_confirmed_by_two_is_confirmed_once(engine, finance):
    with writing(engine) as session:
        seller, group = a_consultant(session), a_class_group(session)
        deposit = a_deposit(session, a_private_customer(session, seller), group).id

    told = confirm_at_once(engine, finance, [deposit, deposit])

    assert told.count(None) == 1
    assert counted(engine, Enrolment, Student) == [1, 1]
    with reading(engine) as session:
        assert session.get_one(Payment, deposit).state is PaymentState.CONFIRMED
