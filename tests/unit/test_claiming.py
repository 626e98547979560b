"""Rule 5: who may claim."""

import pytest

from crm.domain.claiming import Allowed, Claimable, Claimant, Denied, may_claim
from crm.domain.customers import CustomerState
from crm.i18n import says


def a_claimant(number=7, holding=0, max_customers=10):
    return Claimant(number, holding, max_customers)


def a_public_customer(last_consultant_id=None):
    return Claimable(CustomerState.PUBLIC, last_consultant_id)


def test_anyone_with_room_can_claim_a_public_customer():
    assert may_claim(a_public_customer(last_consultant_id=3), a_claimant(7)) == Allowed()


def test_the_last_holder_cannot_claim():
    lost = a_public_customer(last_consultant_id=7)

    verdict = may_claim(lost, a_claimant(7))

    assert verdict == Denied(says("You held this customer last, so somebody else has to claim it first."))


@pytest.mark.parametrize("state", [state for state in CustomerState if state is not CustomerState.PUBLIC])
def test_only_the_public_can_be_claimed_and_the_reason_names_nobody(state):
    verdict = may_claim(Claimable(state), a_claimant())

    assert verdict == Denied(says("This customer is no longer in the pool."))


def test_the_last_place_can_be_taken():
    assert may_claim(a_public_customer(), a_claimant(holding=9, max_customers=10)) == Allowed()


@pytest.mark.parametrize("holding", [10, 11], ids=["full", "over, after the cap was lowered"])
def test_without_room_nobody_claims(holding):
    verdict = may_claim(a_public_customer(), a_claimant(holding=holding, max_customers=10))

    assert verdict == Denied(says("You hold {held} of {cap} customers.", held=holding, cap=10))
